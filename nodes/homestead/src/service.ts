import { DiameterNode } from "@ims/diameter";
import { cx } from "@ims/diameter/cx";
import {
  HttpAdmission,
  openCoreTls,
  openPools,
  runtimeProblems,
  type Service,
  type ServiceModules,
  watchCertificate,
  watchFile,
} from "@ims/runtime";
import { randomChallenges } from "./aka/random.ts";
import { serveCx } from "./cx/cx-server.ts";
import { ServingHosts } from "./cx/serving-hosts.ts";
import { cxPeers } from "./cx-peers.ts";
import { HomesteadError } from "./errors.ts";
import { seedExamples } from "./hss/examples.ts";
import { provisioningServer } from "./http/provisioning-server.ts";
import { provisioningAddress, provisioningToken } from "./loopback.ts";
import type { HomesteadOptions } from "./options.ts";
import { openSubscribers } from "./subscriber-store.ts";
import { tlsOptions } from "./tls-options.ts";

/** Homestead: Cx server, built-in HSS and AuC, provisioning API. Throws HomesteadError for what it cannot start with. */
export async function createHomestead(options: HomesteadOptions, modules: ServiceModules): Promise<Service> {
  const { clock, log, register, pacer, health } = modules;
  const token = provisioningToken(options);
  const realm = options.diameterRealm || options.homeDomain;
  const tls = tlsOptions(options);
  if (options.coreTls !== "off" && tls !== undefined)
    throw new HomesteadError({ code: "TLS_TWICE", problem: "give --core-tls or --tls-certificate" });
  const isCxPeer = cxPeers(options.host, options.cxPeers);
  const pools = options.poolsFile === "" ? undefined : openPools(options.poolsFile, { clock, log });
  const { alarms } = health;
  const uses = { "cassandra-tls": options.cassandraTls };
  const modulesOfTls = { clock, log, alarms, register, pools, metricsPrefix: "ims_homestead" };
  const coreTls = openCoreTls(options, uses, modulesOfTls);
  const hss = await openSubscribers(options, { ...modules, coreTls }).catch((error: unknown) => {
    coreTls?.stop();
    pools?.stop();
    throw error;
  });
  watchFile(alarms, options.poolsFile, pools, runtimeProblems.poolsFileRefused);
  if (tls !== undefined) watchCertificate({ file: options.tlsCertificate, pem: tls.cert }, { alarms, clock });
  const cxPool = options.cxPool || `sprout.${options.homeDomain}`;
  const node = new DiameterNode({
    originHost: options.diameterHost || `homestead.${options.homeDomain}`,
    originRealm: realm,
    productName: "Tidewater homestead",
    applications: [cx],
    admits: (_identity, remoteAddress) =>
      isCxPeer(remoteAddress) || pools?.isMember(remoteAddress, cxPool) === true,
    clock,
    pacer,
    log,
    register,
    trail: modules.trail,
  });
  const servers = new ServingHosts((originHost) => node.isConnected(originHost));
  serveCx(node, { hss, servers, options, nextRand: randomChallenges() });
  const admission = new HttpAdmission({
    ...{ clock, log, register, metricsPrefix: "ims_homestead" },
    targetMs: options.httpOverloadTargetMs,
    floor: options.httpOverloadFloor,
    connectionsEach: options.httpClientConnections,
  });
  const http = provisioningServer(
    {
      address: provisioningAddress(options),
      port: options.provisioningPort,
      token,
      realm: options.homeDomain,
      admission,
    },
    { subscribers: hss, node, servers, log },
  );
  const ports: Record<string, number> = {};
  let stopSeeding = (): void => undefined;

  return {
    async start() {
      if (options.seedExamples) stopSeeding = await seedExamples(hss, options.homeDomain, modules);
      const { host } = options;
      if (options.coreTls !== "require")
        ports["diameter"] = await node.listen({ host, port: options.diameterPort });
      if (tls !== undefined)
        ports["diameterTls"] = await node.listen({ host, port: options.diameterTlsPort, tls });
      if (coreTls !== undefined && options.coreTls !== "off")
        ports["diameterTls"] = await node.listen({ host, port: options.diameterTlsPort, coreTls });
      node.start();
      admission.start();
      await http.start();
    },
    async quiesce(signal) {
      await node.quiesce(signal);
      await hss.flush();
    },
    busy: () => ({ diameterPeers: node.openPeers }),
    async stop() {
      stopSeeding();
      admission.stop();
      await http.stop();
      await node.stop();
      coreTls?.stop();
      pools?.stop();
      await hss.close();
    },
    ports: () => ({ ...ports, provisioning: http.port }),
  };
}
