import type { MetricsRegister } from "@ims/runtime";

export const OUTCOMES = [
  "served",
  "created",
  "changed",
  "removed",
  "unchanged",
  "challenged",
  "forbidden",
  "notFound",
  "conflict",
  "precondition",
  "refused",
  "unavailable",
  "failed",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface HomerCounters {
  request(point: "ut" | "core", outcome: Outcome): void;
}

/** Counters of homer. */
export function getMetrics(register: MetricsRegister): HomerCounters {
  const requests = register.counter({
    name: "ims_homer_requests_total",
    help: "XCAP requests by where they came in and how they ended",
    labels: { point: ["ut", "core"], outcome: OUTCOMES },
  });
  return { request: (point, outcome) => requests.inc({ point, outcome }) };
}
