import type { AtSize, MemoryFigures } from "./run.ts";

/** What the peer takes for a registered subscriber, measured beside ours (test/performance/README.md). */
const PEER = { resident: 14_400, live: 2_900 } as const;
/** Cost of a registration at the larger size, as a ratio to that at the smaller one. */
const MOST_GROWTH = 1.15;

/** Bytes of one registered subscriber, and how the cost of a registration grows with their number. */
export function memoryText({ sizes, cassandra, plan }: MemoryFigures): string {
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined) return "nothing was measured";
  const more = last.registered - first.registered;
  const slope = (of: (at: AtSize) => number): number => Math.round((of(last) - of(first)) / more);
  const parts = Object.keys(first.footprint.resident);
  const lines = [
    `bytes of one registered subscriber, between ${first.registered} and ${last.registered}, after collections of garbage`,
  ];
  let [resident, live] = [0, 0];
  for (const part of parts) {
    const bytes = slope(({ footprint }) => footprint.resident[part] ?? 0);
    const alive = slope(({ footprint }) => footprint.live[part] ?? 0);
    resident += bytes;
    live += alive;
    lines.push(`  ${part}: ${bytes} resident, ${alive} live`);
  }
  if (first.footprint.memcached !== undefined) {
    const bytes = slope(({ footprint }) => footprint.memcached?.resident ?? 0);
    const items = slope(({ footprint }) => footprint.memcached?.bytes ?? 0);
    resident += bytes;
    live += items;
    lines.push(`  memcached, two copies: ${bytes} resident, ${items} in items`);
  }
  lines.push(
    `  together: ${resident} resident, ${live} live (Kamailio IMS: ${PEER.resident} and ${PEER.live})`,
  );
  for (const name of Object.keys(last.footprint.files).sort())
    lines.push(`  on disk, ${name}: ${slope(({ footprint }) => footprint.files[name] ?? 0)}`);
  if (cassandra !== undefined)
    for (const [table, bytes] of Object.entries(cassandra).sort(([, a], [, b]) => b - a))
      if (bytes / last.registered >= 1)
        lines.push(
          `  on disk, Cassandra ${table}: ${Math.round(bytes / last.registered)} (one copy, of all)`,
        );
  const [before, after] = [micros(first), micros(last)];
  lines.push(
    `cost of a registration at ${plan.regRate}/s: ${Math.round(before)} us with ${first.registered} registered, ${Math.round(after)} us with ${last.registered}: ${(after / before).toFixed(2)} (${MOST_GROWTH} at most)`,
    `  other load, cores: ${first.otherCores.toFixed(2)} and ${last.otherCores.toFixed(2)} at most`,
  );
  if (first.failed + last.failed > 0)
    lines.push(
      `  failed: ${first.failed} and ${last.failed} registrations; what they cost is counted for the others`,
    );
  for (const part of parts)
    lines.push(`  ${part}: ${Math.round(micros(first, part))} and ${Math.round(micros(last, part))} us`);
  return lines.join("\n");
}

/** Median of the measurements: of one process, or of all. */
function micros({ registrationMicros }: AtSize, part?: string): number {
  const values = registrationMicros
    .map((one) =>
      part === undefined ? Object.values(one).reduce((sum, value) => sum + value, 0) : (one[part] ?? 0),
    )
    .toSorted((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
