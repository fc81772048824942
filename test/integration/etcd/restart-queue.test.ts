import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeQueue, queueKey, RestartAgent, type RestartQueue } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { clientOf, cluster, pause, register, skip, until } from "./support.ts";

describe("restart queue on three real etcds", { skip }, () => {
  test("three members restart one at a time, an etcd dies meanwhile; one that stays ill stops the queue", async (t) => {
    const { endpoints, leader } = await cluster(t);
    const clock = systemClock();
    const key = queueKey("/site", "sprout");
    const restarting = new Set<string>();
    const ill = new Set<string>();
    const order: string[] = [];
    let most = 0;
    for (const number of [1, 2, 3]) {
      const client = clientOf(t, endpoints, { tryMs: 500 });
      const name = `sprout-${number}`;
      await register(t, client, { pool: "sprout", name, addresses: [`192.0.2.${number}`], state: "up" });
      const agent = new RestartAgent({
        client,
        clock,
        log: memoryLogger(),
        root: "/site",
        pool: "sprout",
        name,
        async restart() {
          restarting.add(name);
          most = Math.max(most, restarting.size);
          order.push(name);
          await pause(100);
          restarting.delete(name);
        },
        healthy: () => Promise.resolve(!ill.has(name)),
        steadyMs: 100,
        healthMs: 600,
        everyMs: 50,
      });
      await agent.start();
      t.after(() => agent.stop());
    }
    const client = clientOf(t, endpoints, { tryMs: 500 });
    let queue: RestartQueue = { version: 1, entries: [] };
    const become = (expected: string) =>
      until(expected, async () => {
        const result = await changeQueue(client, key, { kind: "enqueue", names: [] }, clock.now());
        if (result.kind === "unchanged") queue = result.queue;
        return queue.entries.map(({ name, state }) => `${name} ${state}`).join(", ") === expected;
      });
    const names = ["sprout-2", "sprout-3", "sprout-1"];
    await changeQueue(client, key, { kind: "enqueue", names }, clock.now());
    await (await leader()).kill();
    await become("sprout-2 done, sprout-3 done, sprout-1 done");
    assert.equal(most, 1);
    assert.deepEqual(order, names);

    ill.add("sprout-2");
    await changeQueue(client, key, { kind: "enqueue", names }, clock.now());
    await become("sprout-2 failed, sprout-3 queued, sprout-1 queued");
    await pause(300);
    assert.deepEqual(order.slice(3), ["sprout-2"]);
    ill.clear();
    await changeQueue(client, key, { kind: "resume" }, clock.now());
    await become("sprout-2 done, sprout-3 done, sprout-1 done");
    assert.equal(most, 1);
  });

  test("after a scale-in the next change restarts those that stay, though the others stand in the queue", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const clock = systemClock();
    const key = queueKey("/site", "sprout");
    const order: string[] = [];
    const start = async (number: number) => {
      const client = clientOf(t, endpoints);
      const name = `sprout-${number}`;
      const member = { pool: "sprout", name, addresses: [`192.0.2.${number}`], state: "up" as const };
      const registration = await register(t, client, member);
      const agent = new RestartAgent({
        ...{ client, clock, name, log: memoryLogger(), root: "/site", pool: "sprout" },
        async restart() {
          order.push(name);
        },
        healthy: () => Promise.resolve(true),
        ...{ steadyMs: 50, healthMs: 600, everyMs: 50, leftMs: 1000 },
      });
      await agent.start();
      const end = async () => {
        await agent.stop();
        await registration.stop();
      };
      t.after(end);
      return end;
    };
    const client = clientOf(t, endpoints);
    const enqueue = (...names: string[]) => changeQueue(client, key, { kind: "enqueue", names }, clock.now());
    const shown = async () => {
      const result = await enqueue();
      return result.kind === "unchanged"
        ? result.queue.entries.map(({ name, state }) => `${name} ${state}`).join(", ")
        : result.kind;
    };
    const [, , leave] = await Promise.all([start(1), start(2), start(3)]);
    await enqueue("sprout-1", "sprout-2", "sprout-3");
    await until("all have restarted", async () => (await shown()).match(/done/g)?.length === 3);
    await leave?.();
    const left = clock.monotonic();
    // sprout-4 left before its turn.
    await enqueue("sprout-4", "sprout-1", "sprout-2");
    const expected = "sprout-3 done, sprout-4 queued, sprout-1 done, sprout-2 done";
    await until(expected, async () => (await shown()) === expected);
    assert.ok(clock.monotonic() - left >= 1000, "they may be machines that start again");
    assert.deepEqual(order.slice(3), ["sprout-1", "sprout-2"]);
  });
});
