import { DiameterNode } from "@ims/diameter";
import { cx } from "@ims/diameter/cx";
import { openPools, type Service, type ServiceModules } from "@ims/runtime";
import { randomChallenges } from "./aka/random.ts";
import { serveCx } from "./cx/cx-server.ts";
import { ServingHosts } from "./cx/serving-hosts.ts";
import { cxPeers } from "./cx-peers.ts";
import { HomesteadError } from "./errors.ts";
import { holdsExamples, seedExamples } from "./hss/examples.ts";
import { provisioningServer } from "./http/provisioning-server.ts";
import { exposedAddress, provisioningAddress, provisioningToken } from "./loopback.ts";
import type { HomesteadOptions } from "./options.ts";
import { openSubscribers } from "./subscriber-store.ts";
import { tlsOptions } from "./tls-options.ts";

/** Homestead: Cx server, built-in HSS and AuC, provisioning API. Throws HomesteadError for what it cannot start with. */
export async function createHomestead(options: HomesteadOptions, modules: ServiceModules): Promise<Service> {
  const { clock, log, register, pacer } = modules;
  const token = provisioningToken(options);
  const exposed = exposedAddress(options);
  if (options.seedExamples && exposed !== undefined) throw examplesExposed(exposed);

  const realm = options.diameterRealm || options.homeDomain;
  const tls = tlsOptions(options);
  const isCxPeer = cxPeers(options.host, options.cxPeers);
  const hss = await openSubscribers(options, modules);
  if (exposed !== undefined && (await holdsExamples(hss, options.homeDomain))) {
    await hss.close();
    throw examplesExposed(exposed);
  }
  const pools = options.poolsFile === "" ? undefined : openPools(options.poolsFile, { clock, log });
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
  });
  const servers = new ServingHosts((originHost) => node.isConnected(originHost));
  serveCx(node, { hss, servers, options, nextRand: randomChallenges() });
  const http = provisioningServer(
    {
      address: provisioningAddress(options),
      port: options.provisioningPort,
      token,
      realm: options.homeDomain,
    },
    { subscribers: hss, node, servers, log },
  );
  const ports: Record<string, number> = {};

  return {
    async start() {
      if (options.seedExamples) await seedExamples(hss, options.homeDomain, log);
      ports["diameter"] = await node.listen({ host: options.host, port: options.diameterPort });
      if (tls !== undefined) {
        ports["diameterTls"] = await node.listen({ host: options.host, port: options.diameterTlsPort, tls });
      }
      node.start();
      await http.start();
    },
    async quiesce() {
      await hss.flush();
    },
    async stop() {
      await http.stop();
      await node.stop();
      pools?.stop();
      await hss.close();
    },
    ports: () => ({ ...ports, provisioning: http.port }),
  };
}

function examplesExposed(address: string): HomesteadError {
  return new HomesteadError(
    { code: "EXAMPLES_BEYOND_LOOPBACK", address },
    {
      message: `the example subscribers have a public password and ${address} is not loopback: delete them (tidewater subscriber delete 6505550000@example.com, and 6505550001) or use another --state-dir`,
    },
  );
}
