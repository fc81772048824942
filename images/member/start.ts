import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import { writeCassandra } from "./cassandra.ts";
import { clusterConfig, poolsTemplate } from "./cluster.ts";
import { admitEdges, edgeConfig, tokenOf, writeBonoEnvironment } from "./edge.ts";
import { etcdStart, etcdYaml } from "./etcd-member.ts";
import { type Places, put } from "./files.ts";
import { managementUrl } from "./local-config.ts";
import { type Member, MemberError } from "./member-file.ts";
import { waitForFiles, waitForPort, waitForReady } from "./ready.ts";
import { probeEtcd, seedUrl, waitForSeeds } from "./seeds.ts";

export interface StartModules {
  readonly places: Places;
  /** A line for the console. */
  readonly say: (line: string) => void;
  /** Starts a unit and returns when systemd has; rejects when it cannot. */
  readonly startUnit: (unit: string) => Promise<void>;
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
  const probe = (seed: string): Promise<string | undefined> => probeEtcd(seedUrl(seed));
  const seeds = member.seeds ?? [];

  checkDataVolume(places);
  if (member.role === "vellum") {
    if (seeds.includes(member.address)) {
      const start = await etcdStart(member, holdsSomething(places.etcdData));
      put(`${places.run}/etcd.yaml`, etcdYaml(member, start, places.etcdData));
      await modules.startUnit("tidewater-etcd.service");
    }
    put(`${places.run}/memcached.env`, memcachedEnvironment(member));
    await modules.startUnit("tidewater-memcached.service");
    await waitForSeeds(seeds, probe, waiting);
    const problem = await admitEdges(member, places);
    if (problem !== undefined) say(problem);
    put(`${places.run}/cluster_config`, clusterConfig(member, places, ""));
    await modules.startUnit("tidewater-cluster.service");
    const withJars = existsSync(places.cassandraJars);
    if (!withJars && member.cassandra === "on")
      throw new MemberError(
        "this member is to run Cassandra, and the image is without it",
        "build the image with --cassandra (docs/operations/images.md), or name a cluster of your own: parameter cassandra_servers",
      );
    if (withJars && member.cassandra !== "off" && seeds.includes(member.address)) {
      writeCassandra(member, places);
      await modules.startUnit("tidewater-cassandra.service");
      await waitForPort(member.address, 9042, "tidewater-cassandra.service", waiting);
    }
    return;
  }

  const url = managementUrl(member.role, places.localConfig);
  if (member.role !== "bono") {
    const files = [
      { path: places.pools, what: "the pools file" },
      ...(member.role === "sprout" ? [{ path: places.memcached, what: "the memcached servers" }] : []),
    ];
    // With the files of before the machine starts again without etcd too.
    if (files.some(({ path }) => !existsSync(path))) await waitForSeeds(seeds, probe, waiting);
    put(`${places.run}/pools_template.json`, `${JSON.stringify(poolsTemplate(member.domain))}\n`);
    put(`${places.run}/cluster_config`, clusterConfig(member, places, `${url}/metrics`));
    await modules.startUnit("tidewater-cluster.service");
    await waitForFiles(files, waiting);
  }
  if (member.role === "bono" && tokenOf(places.joinToken) !== "") {
    put(`${places.run}/edge_config`, edgeConfig(member, places, `${url}/health/ready`));
    await modules.startUnit("tidewater-restart.path");
    await modules.startUnit("tidewater-edge-agent.service");
    // It has it from its last life, or the core tells it.
    const told = { path: `${places.edge}/shared_config`, what: "what the core has to tell" };
    await waitForFiles([told], waiting, TELL);
    writeBonoEnvironment(places);
  }
  if (member.role === "homestead" && member.charging === "on") {
    const ralf = managementUrl("ralf", places.ralfConfig);
    await modules.startUnit("tidewater-ralf.service");
    await waitForReady(`${ralf}/health/ready`, "tidewater-ralf.service", waiting);
  }
  const unit = `tidewater-${member.role}.service`;
  await modules.startUnit(unit);
  await waitForReady(`${url}/health/ready`, unit, waiting);
}

/** What is written without its volume is lost with the server, and hides what is on the volume. */
function checkDataVolume({ dataVolume, data }: Places): void {
  const wanted = existsSync(dataVolume) && readFileSync(dataVolume, "utf8").trim() !== "";
  if (!wanted || statSync(data).dev !== statSync(dirname(data)).dev) return;
  throw new MemberError(
    `the data volume is not mounted at ${data}`,
    "see 'journalctl -u tidewater-data', and whether the volume is attached (openstack server volume list)",
  );
}

function memcachedEnvironment({ address, memcachedMegabytes }: Member): string {
  const megabytes = memcachedMegabytes ?? Math.max(64, Math.floor(totalmem() / 2 ** 21));
  return `ADDRESS=${address}\nMEGABYTES=${megabytes}\n`;
}

function holdsSomething(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}
