import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import {
  type EtcdClient,
  leavingKey,
  nodetoolControl,
  RingAgent,
  RingManager,
  type RingOperation,
} from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { freePort, memoryLogger } from "@ims/runtime/testing";
import { CassandraNode, cassandraInstallation, nodetoolArguments } from "@ims/tidewater";
import cassandra from "cassandra-driver";
import { fastFolder, whyNoCassandra } from "../../support/cassandra.ts";
import { clientOf, cluster, register, skip, until } from "./support.ts";

const clock = systemClock();
const network = `127.${randomInt(130, 220)}.${randomInt(1, 250)}`;
const ROWS = 200;

/** A machine with a Cassandra and the agent beside it. */
async function machine(t: TestContext, client: EtcdClient, number: number, folder: string) {
  const host = `${network}.${number}`;
  const name = `cassandra-${number}`;
  const own = join(folder, host);
  const jmxPort = await freePort();
  const installation = cassandraInstallation();
  const { java, classPath } = installation;
  const log = memoryLogger();
  let node: CassandraNode | undefined;
  const control = nodetoolControl({
    nodetool: [java, ...nodetoolArguments(own, classPath, jmxPort)],
    markFile: join(own, "in-ring"),
    everyMs: 100,
    async launch({ seeds, enters }) {
      const ring = { seeds, ...(typeof enters === "object" ? { replaces: enters.replaces } : {}) };
      const configuration = { host, hosts: [host], folder: own, cqlPort: 9042, storagePort: 7000 };
      node ??= new CassandraNode(installation, { ...configuration, ring, jmxPort }, 256);
      node.start();
      await node.waitUntilReady();
    },
    async discard() {
      await node?.kill();
      node = undefined;
      rmSync(own, { recursive: true, force: true });
    },
  });
  const registration = await register(t, client, { pool: "cassandra", name, addresses: [host], state: "up" });
  const agent = new RingAgent({
    client,
    clock,
    log,
    root: "/site",
    name,
    id: `${host}:7000`,
    control,
    lease: () => registration.lease,
    onLeaving: (leaving) => registration.change({ state: leaving ? "draining" : "up" }),
    everyMs: 100,
  });
  await agent.start();
  t.after(() => agent.stop());
  t.after(() => node?.kill());
  return {
    host,
    /** The machine is gone: no lease, no agent, no Cassandra. */
    async die() {
      client.close();
      await Promise.all([agent.stop(), node?.kill()]);
    },
    problems: () => log.lines.filter(({ level }) => level === "error").map((line) => JSON.stringify(line)),
  };
}

describe("cluster manager for Cassandra, with real ones", { skip: skip || whyNoCassandra() || false }, () => {
  test("nodes join, clean up, die and are replaced, leave by request: one operation at a time, no row lost", async (t) => {
    const folder = mkdtempSync(join(fastFolder(), "ring-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { endpoints, leader } = await cluster(t);
    const client = clientOf(t, endpoints, { tryMs: 500, watchCheckMs: 500 });
    const rules = { minimum: 2, batchMs: 500, failAfterMs: 1500, retryMs: 500 };
    const managers = await Promise.all(
      [1, 2].map(async () => {
        const own = clientOf(t, endpoints, { tryMs: 500, watchCheckMs: 500 });
        const log = memoryLogger();
        const manager = new RingManager({ client: own, clock, log, root: "/site", rules, everyMs: 100 });
        await manager.start();
        t.after(() => manager.stop());
        return { manager, log };
      }),
    );
    const document = () => managers[0]?.manager.document;
    const rings: Awaited<ReturnType<typeof machine>>[] = [];
    const settled = (...hosts: string[]) =>
      until(
        `the ring is ${hosts.join(", ")}`,
        () =>
          document()?.operation === undefined &&
          (document()?.nodes ?? [])
            .map(({ id, state, due }) => `${id} ${state} ${due}`)
            .sort()
            .join() === hosts.map((host) => `${host}:7000 normal nothing`).join(),
        120_000,
      ).catch((error) =>
        assert.fail(
          `${error}\n${JSON.stringify(document())}\n${rings.flatMap((one) => one.problems()).join("\n")}`,
        ),
      );

    const dying = clientOf(t, endpoints);
    const [one, two] = await Promise.all([machine(t, client, 1, folder), machine(t, dying, 2, folder)]);
    rings.push(one, two);
    await settled(one.host, two.host);
    const session = new cassandra.Client({
      contactPoints: [one.host],
      localDataCenter: "datacenter1",
      queryOptions: { consistency: cassandra.types.consistencies.quorum },
      socketOptions: { readTimeout: 20_000 },
    });
    t.after(() => session.shutdown());
    for (const [keyspace, copies] of [
      ["system_distributed", 1],
      ["system_traces", 1],
      ["kept", 2],
    ] as const) {
      const replication = `{'class': 'SimpleStrategy', 'replication_factor': ${copies}}`;
      const verb = keyspace === "kept" ? "CREATE" : "ALTER";
      await session.execute(`${verb} KEYSPACE ${keyspace} WITH replication = ${replication}`);
    }
    await session.execute("CREATE TABLE kept.rows (k int PRIMARY KEY, v text)");
    for (let k = 0; k < ROWS; k++)
      await session.execute("INSERT INTO kept.rows (k, v) VALUES (?, ?)", [k, `v${k}`], { prepare: true });
    const count = async (): Promise<number> => {
      const query = "SELECT k FROM kept.rows";
      const consistency = cassandra.types.consistencies.all;
      return (await session.execute(query, [], { prepare: true, consistency })).rowLength;
    };

    const three = await machine(t, client, 3, folder);
    rings.push(three);
    await settled(one.host, two.host, three.host);
    assert.equal(await count(), ROWS);

    await (await leader()).kill();
    await two.die();
    await settled(one.host, three.host);
    assert.equal(await count(), ROWS);

    const four = await machine(t, client, 4, folder);
    rings.push(four);
    await settled(one.host, three.host, four.host);
    await client.put(leavingKey("/site", "cassandra-3"), "");
    await settled(one.host, four.host);
    assert.equal(await count(), ROWS);

    // Operations in their order; one that was tried again, such as a removal before Cassandra itself was sure, counts once.
    const begun = managers
      .flatMap(({ log }) => log.lines)
      .map((line) => line["operation"] as RingOperation | undefined)
      .filter((operation) => operation !== undefined)
      .sort((a, b) => a.task - b.task)
      .map(({ kind, on }) => `${kind} ${on.slice(network.length + 1, -":7000".length)}`);
    assert.deepEqual(
      begun.filter((operation, i) => operation !== begun[i - 1]),
      [
        ...["bootstrap 1", "bootstrap 2", "cleanup 1", "bootstrap 3", "cleanup 1", "cleanup 2"],
        ...["removenode 1", "bootstrap 4", "cleanup 1", "cleanup 3", "decommission 3"],
      ],
    );
  });
});
