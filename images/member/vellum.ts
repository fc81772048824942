import { existsSync, rmSync } from "node:fs";
import { totalmem } from "node:os";
import { writeCassandra } from "./cassandra.ts";
import { knowsPeer, startOfCassandra } from "./cassandra-start.ts";
import { type CertificateModules, obtainCertificates, tlsFilesOf } from "./certificates.ts";
import { clusterConfig } from "./cluster.ts";
import { admitTokens } from "./edge.ts";
import { etcdYaml, startOfEtcd } from "./etcd-member.ts";
import { holdsSomething, put } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";
import { waitForPort } from "./ready.ts";
import { probeOf, type Waiting, waitForSeeds } from "./seeds.ts";
import { beginConfiguration, cassandraHasServed, noteCassandraServes } from "./site-keys.ts";

export interface MemberModules extends CertificateModules {
  /** A line for the console. */
  readonly say: (line: string) => void;
  /** Starts a unit and returns when systemd has; rejects when it cannot. */
  readonly startUnit: (unit: string) => Promise<void>;
}

/** etcd on a seed, memcached, etcd-cluster, and Cassandra on a seed whose image has it. @throws MemberError */
export async function startVellum(member: Member, modules: MemberModules, waiting: Waiting): Promise<void> {
  const { places, say } = modules;
  const { seeds = [], address } = member;
  const founding = await obtainCertificates(member, modules, waiting);
  try {
    if (seeds.includes(address)) {
      const start = await startOfEtcd(member, places, holdsSomething(places.etcdData), waiting);
      const yaml = etcdYaml(member, start, places.etcdData, tlsFilesOf("etcd", places));
      put(`${places.run}/etcd.yaml`, yaml);
      await modules.startUnit("tidewater-etcd.service");
    }
    put(`${places.run}/memcached.env`, memcachedEnvironment(member));
    await modules.startUnit("tidewater-memcached.service");
    await waitForSeeds(seeds, probeOf(member, places), waiting);
    const problem = await admitTokens(member, places);
    await beginConfiguration(member, places);
    if (problem === undefined) founding?.done();
    else if (founding === undefined) say(problem);
    else throw new MemberError(problem, "see 'journalctl -u tidewater-etcd'");
  } finally {
    await founding?.close();
  }
  put(`${places.run}/cluster_config`, clusterConfig(member, places, ""));
  await modules.startUnit("tidewater-cluster.service");
  const withJars = existsSync(places.cassandraJars);
  if (!withJars && member.cassandra === "on")
    throw new MemberError(
      "this member is to run Cassandra, and the image is without it",
      "build the image with --cassandra (docs/operations/images.md), or name a cluster of your own: parameter cassandra_servers",
    );
  if (withJars && member.cassandra !== "off" && seeds.includes(address)) {
    await startCassandra(member, modules, waiting);
  }
}

/** Resolves when it serves, for which one that replaces another must have all that was lost. @throws MemberError */
async function startCassandra(member: Member, { places, say, startUnit }: MemberModules, waiting: Waiting) {
  const unit = "tidewater-cassandra.service";
  const ring = { hasServed: () => cassandraHasServed(member, places), knows: knowsPeer };
  const start = await startOfCassandra(member, places, ring, waiting);
  if (start === "replace") say("Cassandra has lost its disk: it takes from the others what it held");
  writeCassandra(member, places, start);
  await startUnit(unit);
  await waitForPort(member.address, 9042, unit, waiting);
  rmSync(places.cassandraUnfinished, { force: true });
  if (start === "replace") writeCassandra(member, places, "seat");
  await noteCassandraServes(member, places);
}

function memcachedEnvironment({ address, memcachedMegabytes }: Member): string {
  const megabytes = memcachedMegabytes ?? Math.max(64, Math.floor(totalmem() / 2 ** 21));
  return `ADDRESS=${address}\nMEGABYTES=${megabytes}\n`;
}
