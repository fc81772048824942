import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import cassandra from "cassandra-driver";
import { holdsSomething, type Places, put } from "./files.ts";
import { type Member, MemberError } from "./member-file.ts";
import type { Waiting } from "./seeds.ts";

/** seat: at its own place in the ring, as it left it or as the ring begins. replace: with what the others hold for the one before it there. */
export type CassandraStart = "seat" | "replace";

export interface Ring {
  /** etcd knows that Cassandra has served at this address. */
  readonly hasServed: () => Promise<boolean>;
  /** What the node of another seed says. Undefined: it does not answer. */
  readonly knows: (seed: string, address: string) => Promise<boolean | undefined>;
}

/**
 * How the Cassandra of this machine is to start. With an empty disk it takes the place of the dead one at its address when a node of the
 * ring knows that one; such a node is waited for when the ring had it. A ring that begins knows nobody. @throws MemberError
 */
export async function startOfCassandra(
  { address, seeds = [] }: Pick<Member, "address" | "seeds">,
  places: Places,
  ring: Ring,
  waiting: Waiting,
): Promise<CassandraStart> {
  const { cassandraData, cassandraUnfinished } = places;
  // Once it has served Cassandra knows its place itself.
  if (holdsSomething(`${cassandraData}/data`) && !existsSync(cassandraUnfinished)) return "seat";
  const others = seeds.filter((seed) => seed !== address);
  const start = others.length === 0 ? "seat" : await place(address, others, ring, waiting);
  // Data that is there after a start that was broken off is a part only, and no reason to serve with it.
  put(cassandraUnfinished, `${start}\n`);
  return start;
}

async function place(
  address: string,
  others: readonly string[],
  { hasServed, knows }: Ring,
  { say, deadline, everyMs = 2000, remindMs = 30_000 }: Waiting,
): Promise<CassandraStart> {
  let hadData: boolean | undefined;
  for (let spoke = Number.NEGATIVE_INFINITY; ; await sleep(everyMs)) {
    const answers = await Promise.all(others.map((seed) => knows(seed, address)));
    if (answers.includes(true)) return "replace";
    if (answers.includes(false)) return "seat";
    // Alone it would serve without what it held. Asked again and again, since an operator may have it forgotten.
    hadData = await hasServed().catch((error: unknown) => {
      if (hadData === undefined) throw error;
      return hadData;
    });
    if (!hadData) return "seat";
    if (performance.now() > deadline)
      throw new MemberError(
        `Cassandra has lost its disk, and no other node of the ring answers (${others.join(", ")})`,
        "see why Cassandra does not run on the other seeds; where all have lost their disks 'etcdctl del --prefix /tidewater/cassandra-seats/' lets the ring begin anew",
      );
    if (performance.now() - spoke > remindMs) {
      spoke = performance.now();
      say(`waiting for another node of Cassandra, to take from it what was lost here: ${others.join(", ")}`);
    }
  }
}

/** Whether the node at `seed` knows one at `address`, dead or alive: it has it among its peers. */
export async function knowsPeer(seed: string, address: string): Promise<boolean | undefined> {
  const client = new cassandra.Client({
    contactPoints: [seed],
    localDataCenter: "datacenter1",
    pooling: { warmup: false },
    socketOptions: { connectTimeout: 3000, readTimeout: 3000 },
  });
  try {
    await client.connect();
    const peer = cassandra.types.InetAddress.fromString(address).toString();
    return client.hosts.keys().some((host) => host.replace(/:[0-9]+$/, "") === peer);
  } catch {
    return undefined;
  } finally {
    await client.shutdown();
  }
}
