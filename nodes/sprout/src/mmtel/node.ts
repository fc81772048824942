import { HostedServer, hostedServerReports } from "@ims/application-server";
import {
  coreTlsOptions,
  nameService,
  nameServiceOptions,
  openCoreTls,
  runtimeProblems,
  type Service,
  type ServiceModules,
  whenIdle,
} from "@ims/runtime";
import {
  dnsQueries,
  hostForUri,
  NodeTransportLayer,
  OverloadControl,
  ProxyCore,
  routedUri,
  SipLocator,
  sipCounters,
  sipProblems,
  trustedLimits,
} from "@ims/sip";
import { memoryStore } from "@ims/store";
import { z } from "zod";
import { addressesOf } from "../addresses.ts";
import { SproutError } from "../errors.ts";
import { OWN_TIMEOUT_MS } from "../own-servers.ts";
import { Guard } from "../routing/guard.ts";
import { createMmtel } from "./create-mmtel.ts";
import { mmtelOptions } from "./options.ts";

/** Configuration of an MMTEL application server that runs alone. */
export const mmtelNodeOptions = z.object({
  host: z.string().min(1).default("127.0.0.1").describe("address the SIP port is bound to"),
  advertisedHost: z
    .string()
    .default("")
    .describe("address or name in our own SIP URIs; default: the bound address"),
  corePeers: z
    .array(z.string().min(1).toLowerCase())
    .default([])
    .describe(
      "addresses of S-CSCFs, separated by commas; loopback, the bound address and members of pools always may send",
    ),
  ...nameServiceOptions,
  ...coreTlsOptions,
  homeDomain: z.string().min(1).toLowerCase().default("example.com").describe("home network domain name"),
  ...mmtelOptions,
  overloadTargetMs: z
    .int()
    .min(0)
    .max(10_000)
    .default(50)
    .describe("how long a message may wait to be handled before new work is refused, ms; 0: never refuse"),
  overloadFloor: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(200)
    .describe("new requests a second that are taken whatever the delay is"),
  managementAddress: z.string().default("127.0.0.1").describe("address of the management port"),
  managementPort: z.int().min(0).max(65535).default(9107).describe("HTTP port for metrics and health"),
});
export type MmtelNodeOptions = z.output<typeof mmtelNodeOptions>;

const QUIET_MS = 200;
const SIDE = "mmtel";

/** Composition root of an MMTEL application server on ISC over SIP: TS 24.229 §5.7. Throws SproutError. */
export async function createMmtelNode(options: MmtelNodeOptions, modules: ServiceModules): Promise<Service> {
  const { log, register, clock, pacer, health } = modules;
  if (options.homer.length === 0)
    throw new SproutError(
      { code: "SPROUT_NO_HOMER" },
      { message: "give --homer: without settings there are no services" },
    );
  const names = nameService(options, { clock, log });
  const { resolver, pools } = names;
  const { mayUse, uriHost } = addressesOf(options, pools);
  const { alarms } = health;
  const secure = openCoreTls(
    options,
    {},
    { clock, log, alarms, register, pools, metricsPrefix: "ims_mmtel" },
  );
  const ownUri = `sip:${hostForUri(uriHost)}:${options.mmtelPort};transport=tcp`;
  const mmtelUri = options.mmtelUri || routedUri(ownUri, secure);
  // Known to this process alone: enough for one; a pool runs in sprout, which has a store.
  const locations = memoryStore({ clock });
  const { server, own, uri } = createMmtel(
    {
      options: { ...options, mmtelUri },
      side: SIDE,
      uriHost,
      metricsPrefix: "ims_mmtel",
      locations,
      originate: (request, destination, handler) => core.originate(request, destination, handler),
    },
    modules,
  );
  const refused = register.counter({
    name: "ims_mmtel_refused_total",
    help: "Requests refused before the application server saw them",
    labels: { reason: ["foreignPeer", "quiescing"] },
  });
  const defects = register.counter({
    name: "ims_mmtel_defects_total",
    help: "Requests answered 500 because a procedure failed",
    labels: {},
  });
  const mmtel = new HostedServer(
    server,
    { name: SIDE, uri, own, side: SIDE, timeoutMs: OWN_TIMEOUT_MS },
    hostedServerReports({ ...modules, metricsPrefix: "ims_mmtel", names: [SIDE] }),
  );
  const guard = new Guard(mmtel, { mayUse, own, refused: (reason) => refused.inc({ reason }) });
  const overload = new OverloadControl({
    sides: { [SIDE]: { trusted: true, reports: true } },
    clock,
    targetMs: options.overloadTargetMs,
    floor: options.overloadFloor,
    log,
    register,
    metricsPrefix: "ims_mmtel",
  });
  const locator = new SipLocator({
    dns: dnsQueries(resolver),
    clock,
    supported: secure === undefined ? ["TCP", "UDP"] : ["TCP", "UDP", "TLS"],
  });
  pools?.onChange(() => locator.targetsChanged());
  const core = new ProxyCore({
    sides: [{ name: SIDE, entity: guard, strict: false, answers: mayUse }],
    onHopChange: ({ key, state }) =>
      log.warn({ hop: key, state, problemId: sipProblems.nextHopDown.id }, "next hop changed its state"),
    locator,
    clock,
    transport: (handler) =>
      new NodeTransportLayer({
        ...{ handler: overload.watch(handler), clock, log, pacer, limits: trustedLimits },
        secure: secure && { [SIDE]: secure },
      }),
    counters: sipCounters(register, "ims_mmtel", [SIDE]),
    overload,
    onDefect: (error, request) => {
      defects.inc({});
      log.error(
        { err: error, method: request.method, callId: request.callId, problemId: runtimeProblems.defect.id },
        "procedure failed",
      );
    },
  });
  const ports: Record<string, number> = {};
  return {
    async start() {
      for (const protocol of ["TCP", "UDP"] as const) {
        const point = await core.transport.listen({
          ...{ side: SIDE, protocol, host: options.host, port: options.mmtelPort },
        });
        ports[`${SIDE}-${protocol.toLowerCase()}`] = point.port;
        if (protocol === "UDP") overload.start(point);
      }
    },
    quiesce(signal) {
      guard.quiesce();
      const busy = (): number => core.transactions.unanswered;
      return whenIdle({ clock, busy, taken: () => guard.taken, quietMs: QUIET_MS }, signal);
    },
    busy: () => ({ requests: core.transactions.unanswered }),
    async stop() {
      overload.stop();
      await core.stop();
      secure?.stop();
      names.stop();
    },
    ports: () => ports,
  };
}
