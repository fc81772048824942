import type { MetricsRegister } from "@ims/runtime";

/** What became of events. */
export interface IntakeCounters {
  event(outcome: "taken" | "repeated" | "unknownSession" | "notDue"): void;
}

export interface SenderCounters {
  record(
    type: "EVENT" | "START" | "INTERIM" | "STOP",
    outcome: "accepted" | "refused" | "postponed" | "unanswered",
  ): void;
}

export interface Metrics {
  readonly intake: IntakeCounters;
  readonly sender: SenderCounters;
  badEvent(): void;
}

export function getMetrics(
  register: MetricsRegister,
  gauges: {
    readonly queued: () => number;
    readonly dead: () => number;
    readonly pending: () => number;
    readonly watched: () => number;
    readonly cdrs: () => number;
  },
): Metrics {
  const events = register.counter({
    name: "ims_ralf_events_total",
    help: "Charging events by what became of them",
    labels: { outcome: ["taken", "repeated", "unknownSession", "notDue", "malformed"] },
  });
  const records = register.counter({
    name: "ims_ralf_accounting_requests_total",
    help: "Accounting requests by record type and how they ended",
    labels: {
      type: ["EVENT", "START", "INTERIM", "STOP"],
      outcome: ["accepted", "refused", "postponed", "unanswered"],
    },
  });
  register.gauge({
    name: "ims_ralf_queued_records",
    help: "Accounting requests without an answer",
    value: gauges.queued,
  });
  register.gauge({
    name: "ims_ralf_dead_letters",
    help: "Accounting requests that the CDF refused for good",
    value: gauges.dead,
  });
  register.gauge({
    name: "ims_ralf_pending_events",
    help: "Charging events being worked on",
    value: gauges.pending,
  });
  register.gauge({
    name: "ims_ralf_watched_sessions",
    help: "Charging sessions whose next date this process looks after",
    value: gauges.watched,
  });
  register.gauge({
    name: "ims_ralf_cdrs_total",
    help: "CDRs written to files",
    type: "counter",
    value: gauges.cdrs,
  });
  return {
    intake: { event: (outcome) => events.inc({ outcome }) },
    sender: { record: (type, outcome) => records.inc({ type, outcome }) },
    badEvent: () => events.inc({ outcome: "malformed" }),
  };
}
