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
  /** Of a call list. */
  fragments(outcome: "written" | "unknown" | "failed", count: number): void;
  notification(outcome: "taken" | "failed" | "lost"): void;
}

/** Counters of homer. */
export function getMetrics(register: MetricsRegister): HomerCounters {
  const requests = register.counter({
    name: "ims_homer_requests_total",
    help: "XCAP requests by where they came in and how they ended",
    labels: { point: ["ut", "core"], outcome: OUTCOMES },
  });
  const fragments = register.counter({
    name: "ims_homer_call_fragments_total",
    help: "Fragments of call lists by what became of them; unknown: of a public identity that nobody has",
    labels: { outcome: ["written", "unknown", "failed"] },
  });
  const notifications = register.counter({
    name: "ims_homer_call_list_notifications_total",
    help: "Changed call lists by whether the notification URL was told; lost: too many were waiting",
    labels: { outcome: ["taken", "failed", "lost"] },
  });
  return {
    request: (point, outcome) => requests.inc({ point, outcome }),
    fragments: (outcome, count) => fragments.inc({ outcome }, count),
    notification: (outcome) => notifications.inc({ outcome }),
  };
}
