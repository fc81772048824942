import assert from "node:assert/strict";
import { test } from "node:test";
import { readChain } from "../../src/memcached/chain-read.ts";
import { newCounters } from "../../src/memcached/counters.ts";
import { placeSeed } from "../../src/memcached/placement.ts";
import { ReplicatedStore } from "../../src/memcached/replicated-store.ts";
import { firstFault, type Operation } from "./history.ts";
import { randomFrom, SimulatedReplica, SimulatedServer, VirtualTime } from "./simulation.ts";

type Fault = "none" | "hang" | "crash" | "cut";

interface Scenario {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly replicas: number;
  readonly clients: number;
  readonly deletes: boolean;
  /** Clocks of the clients differ by up to an hour. */
  readonly skew: boolean;
  /** Servers in use before and after, by number: every client learns each step at its own time. */
  readonly exchange?: { readonly before: readonly number[]; readonly after: readonly number[] };
}

const TABLE = "aor";
const KEY = "a";
const OPERATIONS = 40;

/** Clients work on one entry while one server after the other is hurt; each time the copies are compared before the next. */
async function history(scenario: Scenario): Promise<{ operations: Operation[]; fault: string | undefined }> {
  const random = randomFrom(scenario.seed);
  const time = new VirtualTime();
  const counters = newCounters();
  const servers = Array.from({ length: scenario.replicas }, () => new SimulatedServer());
  const places = servers.map((_, i) => ({ id: `s${i}`, seed: placeSeed(`s${i}`) }));
  const views = Array.from({ length: scenario.clients + 1 }, (_, client) =>
    servers.map((server, i) => {
      const place = places[i] as { id: string; seed: number };
      return new SimulatedReplica(place, server, client, time, random);
    }),
  );
  const all = servers.map((_, i) => i);
  const used = views.map(() => scenario.exchange?.before ?? all);
  const running = views.map(() => 0);
  const chainOf = (client: number): SimulatedReplica[] =>
    (views[client] as SimulatedReplica[]).filter((_, i) => used[client]?.includes(i));
  const stores = views.map((_, client) => {
    const skewMs = scenario.skew ? (client % 3) * 3_600_000 - 3_600_000 : 0;
    const enter = (): (() => void) => {
      running[client] = (running[client] ?? 0) + 1;
      return () => {
        running[client] = (running[client] ?? 0) - 1;
      };
    };
    const replicas = { chain: () => chainOf(client), enter, missed: () => {} };
    return new ReplicatedStore(time.clock(skewMs), replicas, counters);
  });
  const operations: Operation[] = [];
  let number = 0;
  let busy = scenario.clients;

  const work = async (store: ReplicatedStore): Promise<void> => {
    for (let i = 0; i < OPERATIONS; i++) {
      await time.sleep(random() * 12);
      const start = time.now();
      const read = await store.get(TABLE, KEY);
      if (read.kind === "unavailable") continue;
      const list = read.kind === "found" ? (JSON.parse(read.value.toString()) as number[]) : [];
      operations.push({ kind: "read", start, end: time.now(), list, outcome: "done" });
      const choice = random();
      if (choice < 0.3) continue;
      const began = time.now();
      if (scenario.deletes && read.kind === "found" && choice < 0.4) {
        const result = await store.delete(TABLE, KEY, { ifVersion: read.version });
        operations.push({
          kind: "delete",
          start: began,
          end: time.now(),
          list,
          outcome: outcome(result.kind),
        });
        continue;
      }
      const next = [...list, ++number];
      const result = await store.put(TABLE, KEY, Buffer.from(JSON.stringify(next)), {
        ifVersion: read.kind === "found" ? read.version : "absent",
        ttlSeconds: 3_600,
      });
      operations.push({
        kind: "append",
        start: began,
        end: time.now(),
        list: next,
        outcome: outcome(result.kind),
      });
    }
    busy--;
  };

  /** Until all copies are alike once. */
  const compare = async (): Promise<void> => {
    for (;;) {
      await time.sleep(30);
      const read = await readChain(chainOf(scenario.clients), `r/${TABLE}/${KEY}`, counters);
      if (read.kind === "settled" && read.away.length === 0) return;
    }
  };

  /** What setServers does on each node, in the order in which an operator has it done. */
  const exchange = async (before: readonly number[], after: readonly number[]): Promise<void> => {
    for (const step of [all.filter((i) => before.includes(i) || after.includes(i)), after]) {
      await time.sleep(80);
      await Promise.all(
        views.map(async (_, client) => {
          await time.sleep(random() * 100);
          used[client] = step;
          while (running[client] !== 0) await time.sleep(1);
        }),
      );
      await compare();
    }
  };

  const nemesis = async (): Promise<void> => {
    while (busy > 0) {
      await time.sleep(random() * 120);
      const fault = scenario.faults[Math.floor(random() * scenario.faults.length)] ?? "none";
      const server = servers[Math.floor(random() * servers.length)] as SimulatedServer;
      const lasts = random() * 500;
      if (fault === "hang") server.hung = true;
      if (fault === "crash") server.crash();
      if (fault === "cut")
        for (let client = 0; client < scenario.clients; client++)
          if (random() < 0.5) server.cutFrom.add(client);
      await time.sleep(lasts);
      server.hung = false;
      server.running = true;
      server.cutFrom.clear();
      await compare();
      // Everybody sees the server again before another one is hurt.
      await time.sleep(400);
    }
  };

  let broken: unknown;
  const run = (part: Promise<void>): void =>
    void part.catch((error) => {
      broken = error;
    });
  for (const store of stores.slice(0, scenario.clients)) run(work(store));
  run(nemesis());
  if (scenario.exchange !== undefined) run(exchange(scenario.exchange.before, scenario.exchange.after));
  await time.run(() => busy === 0 || broken !== undefined);
  if (broken !== undefined) throw broken;
  return { operations, fault: firstFault(operations) };
}

function outcome(kind: string): Operation["outcome"] {
  return kind === "stored" ? "done" : kind === "contention" ? "contention" : "unknown";
}

const RUNS = Number(process.env["SIMULATED_HISTORIES"] ?? 30);

for (const [title, scenario] of Object.entries({
  "no faults": { faults: ["none"], deletes: true },
  "a replica hangs and wakes up": { faults: ["hang"], deletes: true },
  "a replica dies and comes back empty": { faults: ["crash"], deletes: true },
  "some clients are cut off from a replica": { faults: ["cut"], deletes: true },
  "hang, death and cuts in turn": { faults: ["hang", "crash", "cut"], deletes: true },
  "clocks an hour apart": { faults: ["hang", "crash", "cut"], deletes: true, skew: true },
} satisfies Record<string, { faults: Fault[]; deletes: boolean; skew?: boolean }>))
  test(`one entry stays linearizable, simulated: ${title}`, async () => {
    let done = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const result = await history({ replicas: 2, clients: 4, skew: false, seed, ...scenario });
      assert.equal(result.fault, undefined, `seed ${seed}`);
      done += result.operations.filter(({ kind, outcome: o }) => kind === "append" && o === "done").length;
    }
    assert.ok(done > RUNS * 20, `${done} acknowledged writes are too few to say anything`);
  });

test("one entry stays linearizable on four replicas, as while servers are exchanged, simulated", async () => {
  for (let seed = 1; seed <= RUNS / 2; seed++) {
    const result = await history({
      replicas: 4,
      clients: 4,
      skew: false,
      seed,
      deletes: true,
      faults: ["hang", "crash", "cut"],
    });
    assert.equal(result.fault, undefined, `seed ${seed}`);
  }
});

for (const [title, before, after] of [
  ["one of two", [0, 2], [1, 2]],
  ["both", [0, 1], [2, 3]],
  ["both, the new ones first in order", [2, 3], [0, 1]],
  ["in between", [0, 2], [0, 1]],
] as const)
  test(`one entry stays linearizable while its servers are exchanged, simulated: ${title}`, async () => {
    for (let seed = 1; seed <= RUNS / 2; seed++) {
      const scenario = { clients: 4, replicas: 4, skew: false, deletes: true, exchange: { before, after } };
      const quiet = await history({ ...scenario, seed, faults: ["none"] });
      assert.equal(quiet.fault, undefined, `seed ${seed}`);
      const hurt = await history({ ...scenario, seed, faults: ["hang", "cut"] });
      assert.equal(hurt.fault, undefined, `seed ${seed}, with faults`);
    }
  });
