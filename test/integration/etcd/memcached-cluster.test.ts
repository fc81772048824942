import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ClusterManager, type EtcdClient, ServersFileAgent, type ServersFileReader } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { followServersFile, type MemcachedStore, memcachedStore, readServersFile } from "@ims/store";
import { type MemcachedProcess, memcachedMissing, startMemcached } from "../../support/memcached.ts";
import { clientOf, cluster, folder, read, register, skip, until } from "./support.ts";

const clock = systemClock();

async function server(t: TestContext): Promise<MemcachedProcess> {
  const started = await startMemcached();
  t.after(() => started.kill());
  return started;
}

function registerServer(
  t: TestContext,
  client: EtcdClient,
  number: number,
  { host, port }: MemcachedProcess,
) {
  return register(t, client, {
    pool: "memcached",
    name: `memcached-${number}`,
    addresses: [host],
    ports: { "11211": port },
    state: "up",
  });
}

async function manager(t: TestContext, client: EtcdClient): Promise<ClusterManager> {
  const rules = { minimum: 2, batchMs: 500, failAfterMs: 500 };
  const started = new ClusterManager({
    client,
    clock,
    log: memoryLogger(),
    root: "/site",
    rules,
    everyMs: 100,
  });
  await started.start();
  t.after(() => started.stop());
  return started;
}

/** A node that uses the cluster, as sprout does: a store that follows the file which the agent writes. */
async function user(t: TestContext, client: EtcdClient, number: number): Promise<MemcachedStore> {
  const path = join(folder(t), "memcached.json");
  const log = memoryLogger();
  const own = await register(t, client, {
    pool: "sprout",
    name: `sprout-${number}`,
    addresses: [`192.0.2.${number}`],
    state: "up",
  });
  let follower: ReturnType<typeof followServersFile> | undefined;
  const reader: ServersFileReader = {
    look({ servers, next }) {
      // The list of servers alone does not tell: that of [a, b, c] is that of [a, b, c] about to become [b, c], too.
      const adopted = log.lines.findLast(({ msg }) => msg === "memcached servers");
      const same =
        JSON.stringify([adopted?.["servers"], adopted?.["next"]]) === JSON.stringify([servers, next]);
      return Promise.resolve(
        !same || follower === undefined ? "unread" : follower.synchronized ? "synchronized" : "read",
      );
    },
  };
  const agent = new ServersFileAgent({
    client,
    clock,
    log,
    root: "/site",
    name: `sprout-${number}`,
    path,
    reader,
    lease: () => own.lease,
    everyMs: 50,
  });
  await agent.start();
  t.after(() => agent.stop());
  await until("the servers file is there", () => read(path) !== "");
  const opened = memcachedStore({ ...readServersFile(path), clock, log });
  follower = followServersFile({ path, store: opened, clock, log, everyMs: 30, settleMs: 300 });
  await opened.start();
  await follower.start();
  t.after(() => follower?.stop());
  t.after(() => opened.stop());
  return opened;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("cluster manager for memcached on three real etcds", {
  skip: skip || memcachedMissing() || false,
}, () => {
  test("two servers become four, then two others, one dies and is replaced: no entry is lost, three managers agree", async (t) => {
    const { endpoints, members, leader } = await cluster(t);
    const client = clientOf(t, endpoints, { tryMs: 700 });
    const managers = await Promise.all(
      members.map(({ url }) => manager(t, clientOf(t, `${url},${endpoints}`, { tryMs: 700 }))),
    );
    const [a, b, c, d, e] = (await Promise.all([1, 2, 3, 4, 5].map(() => server(t)))) as [
      MemcachedProcess,
      MemcachedProcess,
      MemcachedProcess,
      MemcachedProcess,
      MemcachedProcess,
    ];
    const first = await Promise.all([registerServer(t, client, 1, a), registerServer(t, client, 2, b)]);
    const [one, two] = (await Promise.all([user(t, client, 1), user(t, client, 2)])) as [
      MemcachedStore,
      MemcachedStore,
    ];
    for (let i = 0; i < 200; i++) {
      const put = await one.put("aor", `${i}`, bytes(`${i}`), { ifVersion: "absent", ttlSeconds: 600 });
      assert.equal(put.kind, "stored");
    }
    const stable = (...servers: MemcachedProcess[]) =>
      until(
        `${servers.map(({ id }) => id)} are in force`,
        () =>
          managers.every(({ document }) => {
            const ids = document?.nodes.map(({ id, state }) => `${id} ${state}`).sort();
            return (
              document?.phase === "stable" && `${ids}` === `${servers.map(({ id }) => `${id} normal`).sort()}`
            );
          }),
        30_000,
      );
    const allFound = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) assert.equal((await two.get("aor", `${i}`)).kind, "found", `entry ${i}`);
    };
    await stable(a, b);
    const step = managers[0]?.document?.step ?? 0;

    const dying = clientOf(t, endpoints);
    await Promise.all([registerServer(t, dying, 3, c), registerServer(t, client, 4, d)]);
    await stable(a, b, c, d);
    assert.equal(managers[0]?.document?.step, step + 2, "both came in with one exchange");
    await allFound();

    await (await leader()).kill();
    for (const registration of first) await registration.quiesce();
    await stable(c, d);
    await Promise.all([a.kill(), b.kill()]);
    await allFound();

    await c.kill();
    dying.close();
    await registerServer(t, client, 5, e);
    await stable(d, e);
    await allFound();
    await d.kill();
    await allFound();
  });
});
