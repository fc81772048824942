import type { MetricsRegister } from "@ims/runtime";

export const RESOURCES = [
  "accounts",
  "account",
  "password",
  "session",
  "numbers",
  "number",
  "sipPassword",
  "simservs",
  "ifcs",
  "listed",
  "gab",
  "ranges",
  "turn",
  "phone",
  "staff",
  "subscribers",
  "audit",
  "core",
  "pages",
  "other",
] as const;
export type Resource = (typeof RESOURCES)[number];

export const OUTCOMES = ["served", "redirected", "refused", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface EllisCounters {
  request(resource: Resource, status: number): void;
}

/** Counters of ellis. */
export function getMetrics(register: MetricsRegister): EllisCounters {
  const requests = register.counter({
    name: "ims_ellis_requests_total",
    help: "Requests by what they were for and how they ended",
    labels: { resource: RESOURCES, outcome: OUTCOMES },
  });
  return { request: (resource, status) => requests.inc({ resource, outcome: outcomeOf(status) }) };
}

function outcomeOf(status: number): Outcome {
  if (status >= 500) return "failed";
  if (status >= 400) return "refused";
  return status >= 300 ? "redirected" : "served";
}
