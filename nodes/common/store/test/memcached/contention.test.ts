import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { memoryLogger } from "@ims/runtime/testing";
import type { GetResult, MemcachedStore } from "@ims/store";
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
  nemesis: (soFar: readonly Operation[]) => Promise<void>,
): Promise<Operation[]> {
  const history: Operation[] = [];
  let going = true;
  const workers = stores.flatMap((store, i) =>
    [0, 1].map((j) => work(store, 1 + i * 2 + j, history, () => going)),
  );
  try {
    await nemesis(history);
  } finally {
    going = false;
    await Promise.all(workers);
  }
  return history;
}

/** Nobody harms a server that answers within this: what is slow on a busy machine is waited for. */
const PATIENT_MS = 60_000;
/** Time for so many writes, however little of the processors there is. */
const WITHIN_MS = 120_000;

/** What a node finds when all is quiet. */
async function inTheEnd(store: MemcachedStore): Promise<GetResult> {
  let found: GetResult = { kind: "notFound" };
  await until(
    "it answers",
    async () => {
      found = await store.get(TABLE, KEY);
      return found.kind !== "unavailable";
    },
    WITHIN_MS,
  );
  return found;
}

describe("memcached store, several nodes on one entry", { skip }, () => {
  const start = async (t: TestContext, deadlineMs: number) => {
    const on = await servers(t, 2);
    const log = memoryLogger();
    const stores = await Promise.all([1, 2, 3].map(() => storeOn(t, on, { deadlineMs, log })));
    const settled = async (): Promise<void> => {
      const allUp = () => stores.every((store) => store.servers().every(({ up }) => up));
      await until(
        "all see all, and alike",
        async () => allUp() && (await stores[0]?.resync())?.complete === true,
        30_000,
      );
    };
    /** Servers that were away for a node, as often as they were. */
    const away = (): string[] =>
      log.lines.filter(({ msg }) => msg === "memcached is away").map(({ server }) => String(server));
    return { on: on as [MemcachedProcess, MemcachedProcess], stores, settled, away };
  };
  const done = (history: readonly Operation[], kind: Operation["kind"]): number =>
    history.filter((one) => one.kind === kind && one.outcome === "done").length;

  test("what they see is linearizable", async (t) => {
    const { stores, away } = await start(t, PATIENT_MS);
    const history = await historyWhile(stores, async (soFar) => {
      await pause(2_000);
      await until(
        "enough was done",
        () => done(soFar, "append") > 100 && done(soFar, "delete") > 1,
        WITHIN_MS,
      );
    });
    assert.equal(firstFault(history), undefined);
    assert.deepEqual(
      history.filter(({ outcome }) => outcome === "unknown"),
      [],
    );
    assert.equal(
      stores.reduce((sum, { counters }) => sum + counters.unavailable, 0),
      0,
    );
    assert.deepEqual(away(), []);
  });

  test("what they see is linearizable while the servers are killed, frozen and started again in turn", async (t) => {
    const { on, stores, settled, away } = await start(t, 500);
    t.after(() => {
      for (const server of on) server.thaw();
    });
    /** Servers that were away for a node while the other one was harmed: then no order is promised (ADR 6, what can happen, 2). */
    const late: string[] = [];
    const history = await historyWhile(stores, async (soFar) => {
      for (const server of [...on, ...on]) {
        const before = away().length;
        await pause(150);
        await server.kill();
        await pause(150);
        await server.restart();
        await settled();
        server.freeze();
        await pause(900);
        server.thaw();
        await settled();
        late.push(
          ...away()
            .slice(before)
            .filter((id) => id !== server.id),
        );
      }
      await until("enough was done", () => done(soFar, "append") > 100, WITHIN_MS);
    });
    // A machine that has no processor for a server makes it one that hangs.
    if (late.length > 0) t.diagnostic(`away though nobody harmed it: ${late.join(", ")}`);
    else assert.equal(firstFault(history), undefined);
    // In any case they agree in the end.
    const [first, ...others] = await Promise.all(stores.map((store) => inTheEnd(store)));
    for (const other of others) assert.deepEqual(other, first);
  });
});
