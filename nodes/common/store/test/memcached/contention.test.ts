import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MemcachedStore } from "@ims/store";
import type { MemcachedProcess } from "../../../../../test/support/memcached.ts";
import { firstFault, type Operation } from "./history.ts";
import { pause, servers, skip, storeOn, until } from "./support.ts";

const TABLE = "aor";
const KEY = "sip:a@example.com";

/** Reads, appends and deletes until told to stop; everything it saw goes into `history`. */
async function work(
  store: MemcachedStore,
  writer: number,
  history: Operation[],
  going: () => boolean,
): Promise<void> {
  for (let i = 1; going(); i++) {
    await pause(Math.random() * 4);
    const start = performance.now();
    const read = await store.get(TABLE, KEY);
    if (read.kind === "unavailable") continue;
    const list = read.kind === "found" ? (JSON.parse(Buffer.from(read.value).toString()) as number[]) : [];
    history.push({ kind: "read", start, end: performance.now(), list, outcome: "done" });
    const began = performance.now();
    // Short lives: the lists stay small, and tombstones are met.
    const removes = read.kind === "found" && list.length > 40;
    const next = [...list, writer * 1_000_000 + i];
    const result = removes
      ? await store.delete(TABLE, KEY, { ifVersion: read.version })
      : await store.put(TABLE, KEY, Buffer.from(JSON.stringify(next)), {
          ifVersion: read.kind === "found" ? read.version : "absent",
          ttlSeconds: 600,
        });
    const outcome =
      result.kind === "stored" ? "done" : result.kind === "contention" ? "contention" : "unknown";
    const end = performance.now();
    history.push({
      kind: removes ? "delete" : "append",
      start: began,
      end,
      list: removes ? list : next,
      outcome,
    });
  }
}

async function historyWhile(
  stores: readonly MemcachedStore[],
  nemesis: () => Promise<void>,
): Promise<Operation[]> {
  const history: Operation[] = [];
  let going = true;
  const workers = stores.flatMap((store, i) =>
    [0, 1].map((j) => work(store, 1 + i * 2 + j, history, () => going)),
  );
  try {
    await nemesis();
  } finally {
    going = false;
    await Promise.all(workers);
  }
  return history;
}

describe("memcached store, several nodes on one entry", { skip }, () => {
  const start = async (t: Parameters<typeof servers>[0]) => {
    const on = await servers(t, 2);
    const stores = await Promise.all([1, 2, 3].map(() => storeOn(t, on, { deadlineMs: 500 })));
    const settled = async (): Promise<void> => {
      const allUp = () => stores.every((store) => store.servers().every(({ up }) => up));
      await until(
        "all see all, and alike",
        async () => allUp() && (await stores[0]?.resync())?.complete === true,
        30_000,
      );
    };
    return { on: on as [MemcachedProcess, MemcachedProcess], stores, settled };
  };
  const done = (history: readonly Operation[], kind: Operation["kind"]): number =>
    history.filter((one) => one.kind === kind && one.outcome === "done").length;

  test("what they see is linearizable", async (t) => {
    const { stores } = await start(t);
    const history = await historyWhile(stores, () => pause(2_000));
    assert.equal(firstFault(history), undefined);
    assert.ok(
      done(history, "append") > 100 && done(history, "delete") > 1,
      `${done(history, "append")} appends`,
    );
    assert.deepEqual(
      history.filter(({ outcome }) => outcome === "unknown"),
      [],
    );
    assert.equal(
      stores.reduce((sum, { counters }) => sum + counters.unavailable, 0),
      0,
    );
  });

  test("what they see is linearizable while the servers are killed, frozen and started again in turn", async (t) => {
    const { on, stores, settled } = await start(t);
    t.after(() => {
      for (const server of on) server.thaw();
    });
    const history = await historyWhile(stores, async () => {
      for (const server of [...on, ...on]) {
        await pause(150);
        await server.kill();
        await pause(150);
        await server.restart();
        await settled();
        server.freeze();
        await pause(900);
        server.thaw();
        await settled();
      }
    });
    assert.equal(firstFault(history), undefined);
    assert.ok(done(history, "append") > 100, `${done(history, "append")} appends`);
  });
});
