import { createSecretKey } from "node:crypto";
import { apiProblems, ChargingClient } from "@ims/api";
import { DiameterNode } from "@ims/diameter";
import { cx } from "@ims/diameter/cx";
import { ChargingTriggers } from "@ims/ims";
import {
  nameService,
  openCoreTls,
  runtimeProblems,
  type Service,
  type ServiceModules,
  watchFile,
  whenIdle,
} from "@ims/runtime";
import {
  dnsQueries,
  type LocalNetwork,
  NodeTransportLayer,
  OverloadControl,
  OwnUris,
  ProxyCore,
  parseUri,
  readResourcePriorities,
  routedUri,
  SipLocator,
  SipTrail,
  sessionTimers,
  sipGauges,
  sipProblems,
  trustedLimits,
} from "@ims/sip";
import { addressesOf } from "./addresses.ts";
import { createAnalytics } from "./analytics/create-analytics.ts";
import { createBgcf } from "./bgcf/create-bgcf.ts";
import { checkedUri, readScscfs } from "./configured.ts";
import { DiameterCx, handleCxRequests } from "./cx/diameter-cx.ts";
import { HssPeers } from "./cx/hss-peers.ts";
import { createEcscf } from "./ecscf/create-ecscf.ts";
import { SproutError } from "./errors.ts";
import { watchPeers, watchProcedures } from "./health.ts";
import { createHostedServers } from "./hosted-servers.ts";
import type { SproutOptions } from "./options.ts";
import { sproutProblems } from "./problems.ts";
import { CriteriaFiles } from "./profile/criteria-files.ts";
import { createNumbers } from "./routing/create-numbers.ts";
import { Guard } from "./routing/guard.ts";
import { telling } from "./routing/local-registration.ts";
import { createEntities } from "./sprout.ts";
import { withTrail } from "./store-trail.ts";
import { openStores } from "./stores.ts";

/** The HSS is waited for at most this long before sprout says it is ready; it keeps connecting afterwards. */
const HSS_WAIT_MS = 5_000;

/** What bono had on its way when it was turned away first. */
const QUIET_MS = 200;

/** Composition root of sprout: I-CSCF and S-CSCF on one ProxyCore, Cx towards the HSS. */
export async function createSprout(
  options: SproutOptions,
  modules: ServiceModules & { readonly network?: LocalNetwork },
): Promise<Service> {
  const { log, register, clock, pacer, health, trail } = modules;
  const names = nameService(options, { clock, log });
  const { resolver, pools } = names;
  const addresses = addressesOf(options, pools);
  const tlsModules = { clock, log, alarms: health.alarms, register, pools, metricsPrefix: "ims_sprout" };
  const uses = {
    "hss-tls": options.hssTls,
    "memcached-tls": options.memcachedTls,
    "cassandra-tls": options.cassandraTls,
  };
  const coreTls = openCoreTls(options, uses, tlsModules);
  const secure = options.coreTls === "off" ? undefined : coreTls;
  const { memberName, uriOf } = addresses;
  const scscfUri = checkedUri("scscf-uri", options.scscfUri || uriOf("scscf", options.scscfPort));
  const ownIcscf = options.icscfUri || uriOf("icscf", options.icscfPort);
  const icscfUri = routedUri(checkedUri("icscf-uri", ownIcscf), secure);
  if (options.externalIcscfUri !== "") checkedUri("external-icscf-uri", options.externalIcscfUri);

  // Cx
  const diameter = new DiameterNode({
    originHost: options.diameterHost || memberName || `sprout.${options.homeDomain}`,
    originRealm: options.homeDomain,
    productName: "Tidewater sprout",
    applications: [cx],
    clock,
    pacer,
    log,
    register,
    trail,
    metricsPrefix: "ims_sprout_diameter",
  });
  const hssPeers = new HssPeers(options, {
    ...{ diameter, resolver, pools, clock, log },
    tls: options.hssTls ? coreTls : undefined,
  });
  const hss = new DiameterCx(diameter, {
    realm: options.hssRealm === "" ? options.homeDomain : options.hssRealm,
    host: options.hssHost === "" ? undefined : options.hssHost,
    timeoutMs: options.hssTimeoutMs,
  });

  // Functional entities
  const criteria = new CriteriaFiles(options, { clock, log }, (changed) => entities.replaceCriteria(changed));
  const stores = withTrail(await openStores(options, { ...modules, coreTls }), modules);
  const charging =
    options.ralf.length === 0
      ? undefined
      : new ChargingClient({ urls: options.ralf, clock, log, register, metricsPrefix: "ims_sprout" });
  if (charging !== undefined)
    health.addNote("charging", () => charging.problem, apiProblems.chargingUndelivered);
  const analytics = createAnalytics(options, memberName, modules);
  const { mayUse } = addresses;
  let serving = false;
  const servers = await createHostedServers(
    {
      options,
      side: "scscf",
      uriHost: addresses.uriHost,
      store: stores.store,
      originate: (request, destination, handler) => core.originate(request, destination, handler),
      isServing: () => serving,
      guard: { mayUse, refused: (reason) => entities.metrics.refused(reason) },
    },
    modules,
  );
  const numbers = createNumbers({ options, resolver }, modules);
  const triggersOf = (node: SproutOptions["chargingNodes"][number]): ChargingTriggers | undefined =>
    charging === undefined || !options.chargingNodes.includes(node)
      ? undefined
      : new ChargingTriggers({
          node,
          nodeAddress: memberName ?? options.host,
          methods: options.chargingMethods,
          now: () => clock.now(),
          emit: (event) => charging.send(event),
          eventsOnly: node === "I-CSCF",
        });
  const breakout =
    options.bgcfFile === ""
      ? undefined
      : createBgcf(
          {
            options,
            side: "scscf",
            usualUri: routedUri(addresses.anyMember(options.bgcfPort), secure),
            uriHost: addresses.uriHost,
            charging: triggersOf("BGCF"),
          },
          modules,
        );
  const emergency =
    options.emergencyFile === ""
      ? undefined
      : createEcscf(
          {
            options,
            side: "scscf",
            usualUri: routedUri(uriOf("ecscf", options.ecscfPort), secure),
            bgcfUri: breakout?.uri ?? "",
            charging: triggersOf("E-CSCF"),
          },
          modules,
        );
  const { alarms } = health;
  watchFile(alarms, options.poolsFile, pools, runtimeProblems.poolsFileRefused);
  const entities = createEntities({
    options: {
      ...options,
      scscfUri,
      routedUri: routedUri(scscfUri, secure),
      icscfUri,
      bgcfUri: breakout?.uri ?? "",
      ecscfUri: emergency?.uri ?? "",
      side: "scscf",
    },
    numbers: numbers?.numbers,
    sessionTimers: sessionTimers(options),
    scscfs:
      options.scscfFile === ""
        ? [{ uri: scscfUri, capabilities: [], priority: 0, weight: 1 }]
        : readScscfs(options.scscfFile),
    cx: hss,
    store: stores.store,
    ...(stores.challenges === undefined ? {} : { challenges: stores.challenges }),
    ...(stores.durable === undefined ? {} : { durable: stores.durable }),
    clock: stores.clock,
    register,
    originate: telling(servers.local, (request, destination, handler) =>
      core.originate(request, destination, handler),
    ),
    operatorCriteria: criteria.initial,
    charging: triggersOf("S-CSCF"),
    icscfCharging: triggersOf("I-CSCF"),
    analytics: analytics?.observer,
    onApplicationServer: (server, state) =>
      log.warn({ server, state, problemId: sproutProblems.applicationServerAway.id }, "application server"),
    onApplicationServerFailure: (server, status) =>
      log.warn(
        { server, status, problemId: sproutProblems.applicationServerFailed.id },
        "application server cannot be reached or failed; one inside sprout is there with its option only",
      ),
  });
  handleCxRequests(diameter, entities.cxRequests);

  // SIP
  // The Via of a pool member names the pool: any member gets the answers when this one is gone.
  const poolNameIn = (uri: string): string | undefined =>
    memberName === undefined ? undefined : parseUri(uri)?.host;
  const guardModules = { mayUse, refused: entities.metrics.refused };
  const icscf = new Guard(entities.icscf, { ...guardModules, own: new OwnUris([icscfUri]) });
  const scscf = new Guard(entities.scscf, { ...guardModules, own: new OwnUris([scscfUri]) });
  const ecscfName = emergency && poolNameIn(emergency.uri);
  const ecscf = emergency && new Guard(emergency.ecscf, { ...guardModules, own: emergency.own });
  const bgcf = breakout && new Guard(breakout.bgcf, { ...guardModules, own: breakout.own });
  const overload = new OverloadControl({
    sides: {
      icscf: { trusted: true, reports: true },
      scscf: { trusted: true, reports: true },
      ...(ecscf === undefined ? {} : { ecscf: { trusted: true, reports: true } }),
      ...(bgcf === undefined ? {} : { bgcf: { trusted: true, reports: true } }),
      ...Object.fromEntries(
        servers.sides.flatMap(({ name, port }) =>
          port === undefined ? [] : [[name, { trusted: true, reports: true }]],
        ),
      ),
    },
    clock,
    targetMs: options.overloadTargetMs,
    floor: options.overloadFloor,
    log,
    answerTargetMs: options.overloadAnswerTargetMs,
    resourcePriorities: readResourcePriorities(
      options.resourcePriorityFile,
      (problem, cause) =>
        new SproutError(
          { code: "SPROUT_PRIORITY_FILE", file: options.resourcePriorityFile, problem },
          { cause },
        ),
    ),
    register,
    metricsPrefix: "ims_sprout",
  });
  const locator = new SipLocator({
    dns: dnsQueries(resolver),
    clock,
    supported: secure === undefined ? ["TCP", "UDP"] : ["TCP", "UDP", "TLS"],
  });
  pools?.onChange(() => locator.targetsChanged());
  const sipSides = [
    ["icscf", options.icscfPort],
    ["scscf", options.scscfPort],
    ...(ecscf === undefined ? [] : [["ecscf", options.ecscfPort] as const]),
    ...(bgcf === undefined ? [] : [["bgcf", options.bgcfPort] as const]),
    ...servers.sides.flatMap(({ name, port }) => (port === undefined ? [] : [[name, port] as const])),
  ] as const;
  const core = new ProxyCore({
    sides: [
      { name: "icscf", entity: icscf, strict: false, answers: mayUse, sentBy: poolNameIn(icscfUri) },
      { name: "scscf", entity: scscf, strict: false, answers: mayUse, sentBy: poolNameIn(scscfUri) },
      ...(ecscf === undefined
        ? []
        : [{ name: "ecscf", entity: ecscf, strict: false, answers: mayUse, sentBy: ecscfName }]),
      ...(bgcf === undefined ? [] : [{ name: "bgcf", entity: bgcf, strict: false, answers: mayUse }]),
      ...servers.sides.map(({ name, guard, port }) => ({
        ...{ name, entity: guard, strict: false },
        ...(port === undefined ? {} : { answers: mayUse }),
      })),
    ],
    poolKey: options.gruuKey === "" ? undefined : createSecretKey(Buffer.from(options.gruuKey, "hex")),
    onHopChange: ({ key, state }) =>
      log.warn({ hop: key, state, problemId: sipProblems.nextHopDown.id }, "next hop changed its state"),
    locator,
    clock,
    transport: (handler) =>
      new NodeTransportLayer({
        handler: overload.watch(handler),
        clock,
        log,
        pacer,
        limits: trustedLimits,
        network: modules.network,
        secure: secure && Object.fromEntries(sipSides.map(([side]) => [side, secure])),
      }),
    counters: entities.metrics.sip,
    overload,
    trail: trail && new SipTrail(trail),
    onDefect: (error, request) => {
      entities.metrics.defect();
      log.error(
        { err: error, method: request.method, callId: request.callId, problemId: runtimeProblems.defect.id },
        "procedure failed",
      );
    },
  });

  sipGauges(register, "ims_sprout", () => core);
  modules.live?.follow<number>("overloadTargetMs", (ms) => overload.retarget(ms));
  modules.live?.follow<number>("overloadFloor", (floor) => {
    overload.refloor(floor);
    return true;
  });

  const ports: Record<string, number> = {};
  return {
    async start() {
      watchPeers(health, { diameter, core, overload, pools });
      await stores.start();
      await analytics?.start();
      watchProcedures(health, { entities, criteria, options });
      watchFile(alarms, `${options.sharedIfcFile} ${options.fallbackIfcFile}`.trim(), criteria);
      criteria.start();
      numbers?.start();
      breakout?.start();
      emergency?.start();
      hssPeers.start();
      diameter.start();
      for (const [side, port] of sipSides)
        for (const protocol of ["TCP", "UDP"] as const) {
          const point = await core.transport.listen({ side, protocol, host: options.host, port });
          ports[`${side}-${protocol.toLowerCase()}`] = point.port;
          if (side === "scscf" && protocol === "UDP") overload.start(point);
        }
      if (!(await diameter.whenConnected(HSS_WAIT_MS)))
        log.warn(
          { peers: hssPeers.names, problemId: sproutProblems.hssUnreachable.id },
          "no HSS is connected yet",
        );
      entities.start();
      serving = true;
    },
    quiesce(signal) {
      icscf.quiesce();
      scscf.quiesce();
      ecscf?.quiesce();
      bgcf?.quiesce();
      for (const { guard } of servers.sides) guard.quiesce();
      const busy = (): number => core.transactions.unanswered;
      const entries = [icscf, scscf, ecscf, bgcf, ...servers.sides.map(({ guard }) => guard)];
      const taken = (): number => entries.reduce((sum, entry) => sum + (entry?.taken ?? 0), 0);
      return whenIdle({ clock, busy, taken, quietMs: QUIET_MS }, signal);
    },
    busy: () => ({ requests: core.transactions.unanswered }),
    async stop() {
      overload.stop();
      criteria.stop();
      numbers?.stop();
      breakout?.stop();
      emergency?.stop();
      await entities.stop();
      hssPeers.stop();
      // An RTR or PPR that comes until then reaches the stores, and what it leads to the UEs.
      await diameter.stop();
      await charging?.stop();
      await servers.stop();
      await core.stop();
      await analytics?.stop();
      await stores.stop();
      coreTls?.stop();
      names.stop();
    },
    ports: () => ports,
    resources: () => entities.resources,
  };
}
