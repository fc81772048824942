import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { obtainCertificates } from "./certificates.ts";
import { clusterConfig, poolsTemplate, siteConfigPath } from "./cluster.ts";
import { edgeConfig, writeNodeEnvironment } from "./edge.ts";
import { startEllis } from "./ellis.ts";
import { hasDataVolume, lineOf, type Places, put } from "./files.ts";
import { writeHomerConfig } from "./homer.ts";
import { managementUrl } from "./local-config.ts";
import { type Member, MemberError } from "./member-file.ts";
import { writePlace } from "./place.ts";
import { waitForFiles, waitForReady } from "./ready.ts";
import { probeOf, waitForSeeds } from "./seeds.ts";
import { obtainHomesteadKeys, obtainManagementToken, siteHasConfig } from "./site-keys.ts";
import { writeTurnConfiguration } from "./turn.ts";
import { type MemberModules, startVellum } from "./vellum.ts";

export interface StartModules extends MemberModules {
  readonly remindMs?: number;
}

const TELL = {
  missing: "nobody has brought",
  remedy:
    "see that sprouts run and are ready, that port 9111 of this machine is open to them, and that the join token is that of the core, and not expired",
};

/** Starts what the role wants, in order, and resolves when the member does its work. Starts nothing before what it needs is there. @throws MemberError */
export async function startMember(member: Member, modules: StartModules): Promise<void> {
  const { places, say } = modules;
  const waiting = {
    say,
    deadline: performance.now() + member.waitSeconds * 1000,
    ...(modules.remindMs === undefined ? {} : { remindMs: modules.remindMs }),
  };
  const seeds = member.seeds ?? [];

  checkDataVolume(places);
  writePlace(member, places);
  if (member.role === "vellum") return await startVellum(member, modules, waiting);
  if (member.role === "ellis") return await startEllis(member, modules, waiting);

  const url = managementUrl(member.role, places.localConfig);
  if (member.role !== "bono") {
    const files = [
      { path: places.pools, what: "the pools file" },
      ...(member.role === "sprout" ? [{ path: places.memcached, what: "the memcached servers" }] : []),
    ];
    await obtainCertificates(member, modules, waiting);
    const shared = { path: siteConfigPath(places), what: "the configuration of the site" };
    // With the files of before the machine starts again without etcd too.
    if (files.some(({ path }) => !existsSync(path))) {
      await waitForSeeds(seeds, probeOf(member, places), waiting);
      if (await siteHasConfig(member, places)) files.push(shared);
    }
    // Until somebody applies one it is that of the user data.
    if (!files.includes(shared) && !existsSync(shared.path)) {
      put(shared.path, `${lineOf(places.userShared)}\n`, 0o640);
      for (const path of [places.cluster, shared.path]) modules.own(path, "tidewater-cluster");
    }
    if (member.role === "homestead") await obtainHomesteadKeys(member, modules);
    writeNodeEnvironment(places, member.role, shared.path, await obtainManagementToken(member, modules));
    put(`${places.run}/pools_template.json`, `${JSON.stringify(poolsTemplate(member.domain))}\n`);
    put(`${places.run}/cluster_config`, clusterConfig(member, places, url));
    await modules.startUnit("tidewater-restart.path");
    await modules.startUnit("tidewater-cluster.service");
    await waitForFiles(files, waiting);
  }
  if (member.role === "bono" && lineOf(places.joinToken) !== "") {
    put(`${places.run}/edge_config`, edgeConfig(member, places, `${url}/health/ready`));
    // First: from now on the edge agent may have bono restarted.
    writeNodeEnvironment(places, "bono", `${places.edge}/shared_config`);
    await modules.startUnit("tidewater-restart.path");
    await modules.startUnit("tidewater-edge-agent.service");
    // It has it from its last life, or the core tells it.
    const told = { path: `${places.edge}/shared_config`, what: "what the core has to tell" };
    await waitForFiles([told], waiting, TELL);
  }
  if (member.role === "homestead" && member.charging === "on") {
    const ralf = managementUrl("ralf", places.ralfConfig);
    await modules.startUnit("tidewater-ralf.service");
    await waitForReady(`${ralf}/health/ready`, "tidewater-ralf.service", waiting);
  }
  if (member.role === "bono" && member.turn === "on") {
    const told = lineOf(places.joinToken) === "" ? places.userShared : `${places.edge}/shared_config`;
    writeTurnConfiguration(member, told, modules);
    await modules.startUnit("tidewater-turn.service");
  }
  const unit = `tidewater-${member.role}.service`;
  await modules.startUnit(unit);
  await waitForReady(`${url}/health/ready`, unit, waiting);
  if (member.role === "homestead" && member.telephony === "on") {
    writeHomerConfig(member, modules);
    const homer = managementUrl("homer", places.homerConfig);
    await modules.startUnit("tidewater-homer.service");
    await waitForReady(`${homer}/health/ready`, "tidewater-homer.service", waiting);
  }
}

/** What is written without its volume is lost with the server, and hides what is on the volume. */
function checkDataVolume(places: Places): void {
  const { data } = places;
  if (!hasDataVolume(places) || statSync(data).dev !== statSync(dirname(data)).dev) return;
  throw new MemberError(
    `the data volume is not mounted at ${data}`,
    "see 'journalctl -u tidewater-data', and whether the volume is attached (openstack server volume list)",
  );
}
