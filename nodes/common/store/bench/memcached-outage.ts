/**
 * What operations see while one of two memcached is killed, comes back empty, is frozen and wakes up: failures and the
 * slowest operation near each event, from three nodes with updates at a steady rate.
 * Run: sh scripts/node nodes/common/store/bench/memcached-outage.ts
 */

import { systemClock } from "@ims/runtime";
import { memcachedStore, parseServers, update } from "@ims/store";
import { startMemcached } from "../../../../test/support/memcached.ts";

const ENTRIES = 2_000;
const RATE_MS = 4; // each node starts an update this often: 750 a second in all
const ROUNDS = 5;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const key = (i: number): string => `sip:${i}@example.com`;

const servers = await Promise.all([startMemcached(), startMemcached()]);
const addresses = parseServers(servers.map(({ id }) => id).join(","));
const stores = [1, 2, 3].map(() => memcachedStore({ servers: addresses, clock: systemClock() }));
await Promise.all(stores.map((store) => store.start()));
const counts = Array.from({ length: ENTRIES }, () => 0);
let slowest = 0;
let operations = 0;
let failed = 0;

async function increment(store: (typeof stores)[number]): Promise<void> {
  const i = Math.floor(Math.random() * ENTRIES);
  const start = performance.now();
  const result = await update(store, "bench", key(i), (current) => ({
    kind: "put",
    value: Buffer.from(String(Number(Buffer.from(current ?? []).toString()) + 1)),
    ttlSeconds: 600,
  }));
  slowest = Math.max(slowest, performance.now() - start);
  operations++;
  if (result.kind === "stored") counts[i] = (counts[i] ?? 0) + 1;
  else failed++;
}

const timers = stores.map((store) => setInterval(() => void increment(store), RATE_MS));

interface Seen {
  operations: number;
  failed: number;
  slowest: number[];
}
const rows = new Map<string, Seen>();

async function during(what: string, ms: number, event: () => unknown): Promise<void> {
  slowest = operations = failed = 0;
  await event();
  await pause(ms);
  const row = rows.get(what) ?? { operations: 0, failed: 0, slowest: [] };
  row.operations += operations;
  row.failed += failed;
  row.slowest.push(slowest);
  rows.set(what, row);
}

for (let round = 0; round < ROUNDS; round++)
  for (const server of servers) {
    await during("nothing", 1_000, () => {});
    await during("kill -9", 700, () => server.kill());
    await during("back, empty", 1_500, () => server.restart());
    await stores[0]?.resync();
    await during("SIGSTOP", 1_000, () => server.freeze());
    await during("SIGCONT", 1_500, () => server.thaw());
    await stores[0]?.resync();
  }
for (const timer of timers) clearInterval(timer);
await pause(500);

let lost = 0;
for (const [i, count] of counts.entries()) {
  const read = await stores[0]?.get("bench", key(i));
  if ((read?.kind === "found" ? Number(Buffer.from(read.value).toString()) : 0) < count) lost++;
}
console.log(
  "| one of two servers | updates | failed | slowest, median of the events, ms | worst, ms |\n|---|---|---|---|---|",
);
for (const [what, row] of rows) {
  const sorted = row.slowest.sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  console.log(
    `| ${what} | ${row.operations} | ${row.failed} | ${median.toFixed(0)} | ${(sorted.at(-1) ?? 0).toFixed(0)} |`,
  );
}
console.log(`\nentries with a lost update: ${lost} of ${ENTRIES}`);
await Promise.all(stores.map((store) => store.stop()));
await Promise.all(servers.map((server) => server.kill()));
