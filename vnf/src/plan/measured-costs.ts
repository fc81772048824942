/** What was measured, and how sure it is. */
export interface Measured {
  readonly value: number;
  /** Smallest and largest seen, or reckoned. */
  readonly from: number;
  readonly to: number;
  readonly source: string;
}

/** What an operation or a subscriber costs a pool. */
export interface PoolCost {
  /** µs of a processor for one REGISTER with its challenge. */
  readonly registration: Measured;
  /** µs for one call, both ends of it here. */
  readonly call: Measured;
  /** Bytes of memory for each registered subscriber. */
  readonly subscriber: Measured;
}

const BENCH = "npm run bench of 2026-11-22, docs/dimensioning.md";
const CROWD = "npm run bench -- --memory 1000000 of 2026-11-23, docs/performance.md";

/**
 * Figures of `npm run bench` with a process for each node, state on disk, UDP, two virtual processors that other work shares. What the stores of
 * pools cost sprout and homestead beside that is reckoned from ADR 6 (memcached, 12 µs a request) and ADR 7 (Cassandra, 50 to 200 µs an operation).
 */
export const measuredCosts: Readonly<Record<"bono" | "sprout" | "homestead", PoolCost>> = {
  bono: {
    registration: { value: 519, from: 370, to: 623, source: BENCH },
    call: { value: 1_088, from: 833, to: 1_575, source: BENCH },
    subscriber: { value: 2_900, from: 1_500, to: 6_300, source: CROWD },
  },
  sprout: {
    registration: { value: 994, from: 565, to: 1_180, source: `${BENCH}; ADR 6, ADR 7` },
    call: { value: 890, from: 570, to: 1_040, source: `${BENCH}; ADR 6` },
    subscriber: { value: 0, from: 0, to: 0, source: "state is in the stores" },
  },
  homestead: {
    registration: { value: 584, from: 325, to: 969, source: `${BENCH}; ADR 7` },
    call: { value: 130, from: 35, to: 290, source: BENCH },
    subscriber: { value: 0, from: 0, to: 0, source: "state is in the stores" },
  },
};

/** Of the working copy of one registration in memcached: the record, and what memcached adds (ADR 6). */
export const MEMCACHED_RECORD_BYTES: Measured = {
  value: 800,
  from: 600,
  to: 1_500,
  source: "ADR 6, docs/operations/memcached.md",
};
/** On as many servers (ADR 6). */
export const MEMCACHED_COPIES = 2;
