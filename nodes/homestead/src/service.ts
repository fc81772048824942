import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DiameterNode } from "@ims/diameter";
import { cx } from "@ims/diameter/cx";
import { openPools, type Service, type ServiceModules } from "@ims/runtime";
import { randomChallenges } from "./aka/random.ts";
import { serveCx } from "./cx/cx-server.ts";
import { cxPeers } from "./cx-peers.ts";
import { HomesteadError } from "./errors.ts";
import { holdsExamples, seedExamples } from "./hss/examples.ts";
import { ProvisionedHss } from "./hss/provisioned-hss.ts";
import { sealingWithKeyFile } from "./hss/sealing.ts";
import { SqliteRepository } from "./hss/sqlite-repository.ts";
import { provisioningServer } from "./http/provisioning-server.ts";
import { exposedAddress, provisioningAddress, provisioningToken } from "./loopback.ts";
import type { HomesteadOptions } from "./options.ts";
import { tlsOptions } from "./tls-options.ts";

/** Homestead: Cx server, built-in HSS and AuC, provisioning API. Throws HomesteadError for what it cannot start with. */
export function createHomestead(options: HomesteadOptions, modules: ServiceModules): Service {
  const { clock, log, register, pacer } = modules;
  const token = provisioningToken(options);
  const exposed = exposedAddress(options);
  if (options.seedExamples && exposed !== undefined) throw examplesExposed(exposed);

  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const sealing = sealingWithKeyFile(join(options.stateDir, "subscribers.key"));
  const repository = new SqliteRepository(join(options.stateDir, "subscribers.db"), sealing);
  const hss = new ProvisionedHss(repository, { cacheSize: options.cacheSize }, { clock, log });
  if (exposed !== undefined && holdsExamples(hss, options.homeDomain)) {
    hss.close();
    throw examplesExposed(exposed);
  }
  register.gauge({
    name: "ims_homestead_subscribers",
    help: "Subscribers provisioned",
    value: () => hss.size,
  });

  const realm = options.diameterRealm || options.homeDomain;
  const tls = tlsOptions(options);
  const isCxPeer = cxPeers(options.host, options.cxPeers);
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
  serveCx(node, { hss, options, nextRand: randomChallenges() });
  const http = provisioningServer(
    {
      address: provisioningAddress(options),
      port: options.provisioningPort,
      token,
      realm: options.homeDomain,
    },
    { hss, node, log },
  );
  const ports: Record<string, number> = {};

  return {
    async start() {
      if (options.seedExamples) seedExamples(hss, options.homeDomain, log);
      ports["diameter"] = await node.listen({ host: options.host, port: options.diameterPort });
      if (tls !== undefined) {
        ports["diameterTls"] = await node.listen({ host: options.host, port: options.diameterTlsPort, tls });
      }
      node.start();
      await http.start();
    },
    async quiesce() {
      hss.flush();
    },
    async stop() {
      await http.stop();
      await node.stop();
      pools?.stop();
      hss.close();
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
