/**
 * CPU of this process for an operation on a real memcached: our client, the npm package `memcached`, and the store with two
 * replicas. In turn, several rounds in one run, the median of the rounds.
 * Run: sh scripts/node nodes/common/store/bench/memcached.ts
 */

import { systemClock } from "@ims/runtime";
import { memcachedStore, parseServers, update } from "@ims/store";
import Memcached from "memcached";
import { startMemcached } from "../../../../test/support/memcached.ts";
import { metaGet, metaSet } from "../src/memcached/commands.ts";
import { Connection } from "../src/memcached/connection.ts";

const OPERATIONS = 6_000;
const ROUNDS = 7;
const VALUE = "x".repeat(600);
const BYTES = Buffer.from(VALUE);
const KEYS = Array.from(
  { length: 500 },
  (_, i) => `r/aor/sip:650555${String(i).padStart(4, "0")}@example.com`,
);
const key = (i: number): string => KEYS[i % KEYS.length] as string;

type Operation = (i: number) => Promise<unknown>;

async function cpuUs(operation: Operation, concurrency: number): Promise<number> {
  let next = 0;
  const before = process.cpuUsage();
  const worker = async (): Promise<void> => {
    while (next < OPERATIONS) await operation(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const used = process.cpuUsage(before);
  return (used.user + used.system) / OPERATIONS;
}

const [one, two] = await Promise.all([startMemcached(), startMemcached()]);
const clock = systemClock();

const connection = new Connection(
  { host: one.host, port: one.port, clock, deadlineMs: 2_000, maxPending: 1_000 },
  () => {},
);
const ask = async (command: (opaque: number) => string, data?: Buffer): Promise<void> => {
  const opaque = connection.nextOpaque();
  const reply = await connection.request(opaque, command(opaque), data);
  if (reply.code !== "HD" && reply.code !== "VA") throw new Error(reply.code);
};

const npm = new Memcached(one.id, { poolSize: 10, timeout: 2_000 });
const call = (run: (done: (error: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    run((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });

const store = memcachedStore({ servers: parseServers(`${one.id},${two.id}`), clock });
await store.start();

const subjects: Record<string, Operation> = {
  "our client, set": (i) => ask((opaque) => metaSet(key(i), BYTES.length, "600", "any", opaque), BYTES),
  "npm memcached, set": (i) => call((done) => npm.set(`n${key(i)}`, VALUE, 600, done)),
  "our client, get": (i) => ask((opaque) => metaGet(key(i), opaque)),
  "npm memcached, get": (i) => call((done) => npm.gets(`n${key(i)}`, done)),
  "store on two replicas, get": (i) => store.get("bench", key(i)),
  "store on two replicas, update": (i) =>
    update(store, "bench", key(i), () => ({ kind: "put", value: BYTES, ttlSeconds: 600 }), { attempts: 100 }),
};

for (const [name, operation] of Object.entries(subjects)) {
  if (name.endsWith("get")) continue;
  await cpuUs(operation, 8);
}
const figures = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++)
  for (const [name, operation] of Object.entries(subjects))
    for (const concurrency of [1, 32]) {
      const row = `${name}, ${concurrency} at a time`;
      figures.set(row, [...(figures.get(row) ?? []), await cpuUs(operation, concurrency)]);
    }

console.log("| operation, 600 bytes | median CPU µs | least | most |\n|---|---|---|---|");
for (const [row, all] of figures) {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (i: number): string => (sorted[i] ?? 0).toFixed(1);
  console.log(`| ${row} | ${at(ROUNDS >> 1)} | ${at(0)} | ${at(ROUNDS - 1)} |`);
}

await store.stop();
npm.end();
connection.close();
await Promise.all([one.kill(), two.kill()]);
