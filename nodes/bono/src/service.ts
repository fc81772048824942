import { apiProblems, ChargingClient } from "@ims/api";
import { ChargingTriggers, icidGenerator } from "@ims/ims";
import {
  nameService,
  openCoreTls,
  runtimeProblems,
  type Service,
  type ServiceModules,
  watchCertificate,
  watchFile,
  whenIdle,
} from "@ims/runtime";
import {
  dnsQueries,
  type Hop,
  hopTroubles,
  hostForUri,
  type ListenOptions,
  type LocalNetwork,
  NodeTransportLayer,
  OverloadControl,
  ProxyCore,
  readResourcePriorities,
  routedUri,
  SipLocator,
  SipTrail,
  sessionTimers,
  sipGauges,
  sipProblems,
  splitList,
  type Target,
  type TransactionTimers,
  trustedLimits,
  unreachableSide,
} from "@ims/sip";
import { addressesOf } from "./addresses.ts";
import { sipUri } from "./configured.ts";
import { BonoError } from "./errors.ts";
import { createIbcf } from "./ibcf/create-ibcf.ts";
import { createMediaGateway } from "./media-gateway/create-media-gateway.ts";
import { getMetrics } from "./metrics.ts";
import type { BonoOptions } from "./options.ts";
import { CallRelease } from "./pcscf/call-release.ts";
import { CallWatch } from "./pcscf/call-watch.ts";
import { chargingVector } from "./pcscf/charging.ts";
import { Drain } from "./pcscf/drain.ts";
import { EmergencyNumbers, emergencyNumberOf } from "./pcscf/emergency-numbers.ts";
import { FlowTable } from "./pcscf/flow-table.ts";
import { FlowTokens, flowTokenKey } from "./pcscf/flow-token.ts";
import { GuessLimiter } from "./pcscf/guess-limiter.ts";
import { ownUris } from "./pcscf/own-uris.ts";
import { Pcscf } from "./pcscf/pcscf.ts";
import { RegistrationEvents } from "./pcscf/registration-events.ts";
import { ServiceRoutes } from "./pcscf/service-route.ts";
import { SourceLimiter } from "./pcscf/source-limiter.ts";
import { strayResponses } from "./pcscf/stray-responses.ts";
import { bonoProblems } from "./problems.ts";
import { readAuthorities, readTls } from "./tls.ts";

/** The part of the time to quiesce in which idle connections are closed; the rest is for those in calls. */
const MOVE_SHARE = 0.6;
/** What sprout had on its way when it was told. */
const QUIET_MS = 200;
const GUESS_INTERVAL_MS = 1_000;

/** Composition root of bono: a P-CSCF between the access side (Gm) and the trusted side (Mw). Throws BonoError. */
export function createBono(
  options: BonoOptions & { readonly quiesceSeconds?: number },
  modules: ServiceModules & { readonly timers?: TransactionTimers; readonly network?: LocalNetwork },
): Service {
  const { log, register, clock, pacer, health } = modules;
  const workers = options.sharedAccess ? modules.workers : undefined;
  const icscf = sipUri("icscf-uri", options.icscfUri);
  const ecscfs = options.ecscfUri.map((text) => sipUri("ecscf-uri", text));
  const names = nameService(options, { clock, log });
  const { resolver, pools } = names;
  const addresses = addressesOf(options, icscf, pools, ecscfs);
  const tls = readTls(options);
  const { alarms } = health;
  const secure = openCoreTls(options, {}, { clock, log, alarms, register, pools, metricsPrefix: "ims_bono" });
  if (tls !== undefined)
    watchCertificate({ file: options.tlsCertFile || "--tls-cert", pem: tls.cert }, { alarms, clock });
  watchFile(alarms, options.poolsFile, pools, runtimeProblems.poolsFileRefused);
  const resourcePriorities = readResourcePriorities(
    options.resourcePriorityFile,
    (problem, cause) =>
      new BonoError({ code: "BONO_PRIORITY_FILE", file: options.resourcePriorityFile, problem }, { cause }),
  );
  if (options.releaseCalls && !options.subscribeToRegistrations)
    throw new BonoError({
      code: "BONO_BLIND_RELEASE",
      problem:
        "--release-calls needs --subscribe-to-registrations: nothing else tells of the end of registrations",
    });
  const key = flowTokenKey(options.flowTokenKey === "" ? undefined : options.flowTokenKey);
  if (key === undefined)
    throw new BonoError({ code: "BONO_BAD_KEY", option: "flow-token-key", problem: "shorter than 128 bits" });

  // The flows and who is registered over them
  const tokens = new FlowTokens({ key, transport: () => core.transport, side: "access" });
  const calls = new CallWatch();
  const flows = new FlowTable({ tokens, clock, publicHost: addresses.accessUriHost });

  const trustedSideOf = (address: string): Target => ({ protocol: "TCP", address, port: options.corePort });

  // P-CSCF
  const metrics = getMetrics(register, {
    flows: () => flows.flows,
    registrations: () => flows.registrations,
    serverTransactions: () => core.transactions.serverTransactions,
    clientTransactions: () => core.transactions.clientTransactions,
    calls: () => calls.inProgress((flowId) => core.transport.flow(flowId) !== undefined),
  });
  sipGauges(register, "ims_bono", () => core);
  const network = options.visitedNetworkId === "" ? options.homeDomain : options.visitedNetworkId;
  const corePorts = new Set<number>();
  const accessPorts = new Set<number>();
  const coreUriHost = hostForUri(addresses.coreUriHost);
  const settings = {
    icscf,
    visitedNetworkId: network,
    ioi: network,
    icidHost: coreUriHost,
    coreHostPort: "",
    keepAliveSeconds: options.keepAliveSeconds,
    udpKeepAliveSeconds: options.udpKeepAliveSeconds,
    drainStatus: options.drainStatus === "305" ? (305 as const) : (503 as const),
    earlyMedia: options.earlyMedia === "unsaid" ? ("" as const) : options.earlyMedia,
    hasSiblings: addresses.hasSiblings,
    ecscfs,
    emergencyFrom: options.emergencyFrom,
    emergencyPriority: options.emergencyPriority,
  };
  const charging =
    options.ralf.length === 0
      ? undefined
      : new ChargingClient({ urls: options.ralf, clock, log, register, metricsPrefix: "ims_bono" });
  if (charging !== undefined)
    health.addNote("charging", () => charging.problem, apiProblems.chargingUndelivered);
  const triggers = (node: "P-CSCF" | "IBCF"): ChargingTriggers | undefined =>
    charging &&
    new ChargingTriggers({
      node,
      nodeAddress: addresses.coreUriHost,
      methods: options.chargingMethods,
      now: () => clock.now(),
      emit: (event) => charging.send(event),
    });
  const newIcid = icidGenerator();
  const registrationEvents = options.subscribeToRegistrations
    ? new RegistrationEvents({
        flows,
        settings,
        clock,
        originate: (request, destination, handler) => core.originate(request, destination, handler),
        chargingVector: () => chargingVector({ newIcid, settings }),
        tag: () => core.identifiers.tag(),
        counters: metrics.pcscf,
        onRejected: (registration, { flow }) => callRelease?.release(registration.owner, flow),
      })
    : undefined;
  const callRelease = options.releaseCalls
    ? new CallRelease({
        originate: (request, destination, handler) => core.originate(request, destination, handler),
        charging: triggers("P-CSCF"),
        released: metrics.pcscf.released,
      })
    : undefined;
  const media = createMediaGateway(options, modules);
  const own = ownUris({
    hosts: addresses.ownHosts,
    isCoreName: addresses.isPoolName,
    accessPorts,
    corePorts,
  });
  const emergencyNumbers = new EmergencyNumbers(
    new Map(
      options.emergencyNumbers.flatMap((text) => {
        const read = emergencyNumberOf(text);
        return read === undefined ? [] : [[read.number, read.service] as const];
      }),
    ),
    options.homeDomain,
  );
  const strangers = { perSecond: options.strangersPerSecond, burst: options.strangersPerSecond };
  const sources = new SourceLimiter(strangers, clock);
  const emergencySources = new SourceLimiter(strangers, clock);
  modules.live?.follow<number>("strangersPerSecond", (perSecond) => {
    for (const limiter of [sources, emergencySources]) limiter.limit(perSecond, perSecond);
    return true;
  });
  let { quiesceSeconds = 5 } = options;
  modules.live?.follow<number>("quiesceSeconds", (now) => {
    quiesceSeconds = now;
    return true;
  });
  const pcscf = new Pcscf({
    settings,
    clock,
    own,
    tokens,
    flows,
    calls,
    serviceRoutes: new ServiceRoutes([
      icscf.host,
      ...ecscfs.map(({ host }) => host),
      ...options.coreNextHops,
    ]),
    sources,
    emergencySources,
    emergencyNumbers,
    guesses: new GuessLimiter({ free: options.passwordTries, intervalMs: GUESS_INTERVAL_MS }, clock),
    newIcid,
    registrationEvents,
    callRelease,
    charging: triggers("P-CSCF"),
    media,
    sessionTimers: sessionTimers(options),
    resourcePriorities,
    counters: metrics.pcscf,
    isInviting: (flowId, besides) => core.transactions.isInviting(flowId, besides),
    siblingTargets: (host) => addresses.siblingAddresses(host).map(trustedSideOf),
    siblings: () => addresses.siblings().map(trustedSideOf),
    mayUseCore: addresses.mayUseCore,
  });

  // IBCF
  const border =
    options.ibcfPeersFile === ""
      ? undefined
      : createIbcf(
          {
            options,
            icscf,
            coreHostPort: () => settings.coreHostPort,
            icidHost: coreUriHost,
            key,
            node: own,
            core: () => core,
            newIcid,
            charging: triggers("IBCF"),
            mayUseCore: addresses.mayUseCore,
            hasSiblings: addresses.hasSiblings,
          },
          modules,
        );

  const peerTls = border === undefined ? undefined : { ...tls, ...readAuthorities(options) };

  // SIP
  const overload = new OverloadControl({
    sides: {
      access: { trusted: false },
      core: { trusted: true, inner: true, offers: true },
      peer: { trusted: false },
    },
    clock,
    targetMs: options.overloadTargetMs,
    floor: options.overloadFloor,
    resourcePriorities,
    mayClaimPriority: (flow, claimed) => {
      const granted = flows.registered(flow)?.sole?.grants.priorities;
      return granted !== undefined && resourcePriorities.permitted(splitList(claimed), granted).length > 0;
    },
    isEmergency:
      options.emergencyNumbers.length === 0
        ? undefined
        : (requestUri) => emergencyNumbers.serviceOf(requestUri) !== undefined,
    log,
    register,
    metricsPrefix: "ims_bono",
  });
  modules.live?.follow<number>("overloadTargetMs", (ms) => overload.retarget(ms));
  modules.live?.follow<number>("overloadFloor", (floor) => {
    overload.refloor(floor);
    return true;
  });
  const locator = new SipLocator({
    dns: dnsQueries(resolver),
    clock,
    supported: border === undefined && secure === undefined ? ["TCP", "UDP"] : ["TCP", "UDP", "TLS"],
  });
  pools?.onChange(() => locator.targetsChanged());
  const core: ProxyCore = new ProxyCore({
    sides: [
      // First: its URIs on the trusted side are the P-CSCF's too, but for their user part.
      ...(border === undefined ? [] : [{ name: "peer", entity: border.ibcf, strict: true }]),
      { name: "access", entity: pcscf, strict: true },
      { name: "core", entity: pcscf, strict: false, answers: addresses.mayUseCore },
    ],
    poolKey: options.flowTokenKey === "" ? undefined : key,
    handOver: workers && strayResponses(workers, clock),
    onHopChange: ({ key: hop, state }) =>
      log.warn({ hop, state, problemId: sipProblems.nextHopDown.id }, "next hop changed its state"),
    locator,
    clock,
    transport: (handler) =>
      new NodeTransportLayer({
        pacer,
        handler: overload.watch(handler),
        clock,
        log,
        limits: {
          idleMs: options.idleSeconds * 1000,
          maxConnectionsPerSource: options.maxConnectionsPerSource,
          maxUdpFlows: options.maxUdpFlows,
        },
        sideLimits: { core: trustedLimits },
        secure: secure && { core: secure },
        network: modules.network,
        ...(peerTls === undefined ? {} : { tls: peerTls }),
      }),
    ...(modules.timers === undefined ? {} : { timers: modules.timers }),
    counters: metrics.sip,
    overload,
    trail: modules.trail && new SipTrail(modules.trail),
    onDefect: (error, request) => {
      metrics.defect();
      log.error(
        { err: error, method: request.method, callId: request.callId, problemId: runtimeProblems.defect.id },
        "procedure failed",
      );
    },
  });

  const hopsInUse = (): readonly Hop[] => {
    const hops = [...core.hops.hops()];
    return pools === undefined ? hops : hops.filter(({ target }) => pools.isMember(target.address));
  };
  alarms.watch(bonoProblems.coreUnreachable, () => unreachableSide(hopsInUse(), "core"));
  alarms.watch(sipProblems.nextHopDown, () => hopTroubles(hopsInUse()));
  alarms.watch(sipProblems.overload, () => overload.problem);

  const drain = new Drain({
    flows,
    calls,
    clock,
    busyFlows: () => core.transactions.busyFlows(),
    isOpen: (flowId) => core.transport.flow(flowId) !== undefined,
  });

  const ports: Record<string, number> = {};
  async function listen(name: string, point: ListenOptions): Promise<number> {
    const { port } = await core.transport.listen(point);
    ports[name] = port;
    return port;
  }
  return {
    async start() {
      const trusted = {
        side: "core",
        protocol: "TCP",
        host: addresses.coreHost,
        port: options.corePort,
      } as const;
      const corePort = await listen("core-tcp", trusted);
      corePorts.add(corePort);
      media?.gateways.start();
      settings.coreHostPort = routedUri(addresses.coreHostPort(corePort), secure);
      const access = {
        ...({ side: "access", host: options.host } as const),
        ...(options.sharedAccess ? { shared: {} } : {}),
      };
      const udp = options.sharedAccess && options.accessUdpSocket >= 0 ? options.accessUdpSocket : undefined;
      // TCP first: a port that the system chooses is free for UDP far more often than the other way round.
      const sipPort = await listen("tcp", { ...access, protocol: "TCP", port: options.sipPort });
      accessPorts.add(sipPort);
      workers?.hear(({ node, text, address, port }) => {
        const flow = node === "bono" ? core.transport.udpFlow("access", sipPort, address, port) : undefined;
        if (flow !== undefined) core.takeOver(text, flow);
      });
      await listen("udp", {
        ...{ ...access, protocol: "UDP", port: sipPort },
        ...(udp === undefined ? {} : { shared: { descriptor: udp } }),
      });
      overload.start({ ...access, protocol: "UDP", port: sipPort }, options.sharedAccess);
      accessPorts.add(await listen("ws", { ...access, protocol: "WS", port: options.wsPort }));
      await border?.start(listen, tls);
      if (tls === undefined) return;
      accessPorts.add(await listen("tls", { ...access, protocol: "TLS", port: options.tlsPort, tls }));
      accessPorts.add(await listen("wss", { ...access, protocol: "WSS", port: options.wssPort, tls }));
    },
    async quiesce(signal) {
      pcscf.quiesce();
      border?.ibcf.quiesce();
      // Who must connect again is better refused by the kernel: he tries the next address at once.
      if (addresses.hasSiblings()) core.transport.stopListening?.("access");
      await drain.run(quiesceSeconds * 1000 * MOVE_SHARE, signal);
      const busy = (): number => core.transactions.unanswered + drain.calls;
      const taken = (): number => pcscf.taken + (border?.ibcf.taken ?? 0);
      await whenIdle({ clock, busy, taken, quietMs: QUIET_MS }, signal);
    },
    busy: () => ({
      requests: core.transactions.unanswered,
      calls: drain.calls,
      connections: drain.left,
    }),
    async stop() {
      overload.stop();
      border?.stop();
      flows.stop();
      media?.gateways.stop();
      names.stop();
      await core.stop();
      secure?.stop();
      await charging?.stop();
    },
    ports: () => ports,
  };
}
