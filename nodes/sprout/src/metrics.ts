import type { MetricsRegister } from "@ims/runtime";
import { type ProxyCounters, sipCounters } from "@ims/sip";
import type { IcscfCounters } from "./icscf/modules.ts";
import type { ScscfCounters } from "./scscf/modules.ts";
import type { NotifierCounters } from "./scscf/notifier.ts";
import type { RegistrationStoreCounters } from "./store/copies.ts";

const sides = ["scscf", "icscf", "ecscf", "bgcf", "mmtel"] as const;

/** Counters of sprout. */
export interface Metrics {
  readonly sip: ProxyCounters;
  readonly icscf: IcscfCounters;
  readonly scscf: ScscfCounters;
  readonly notifier: NotifierCounters;
  readonly store: RegistrationStoreCounters;
  /** A request that no functional entity saw. */
  refused(reason: "foreignPeer" | "quiescing"): void;
  defect(): void;
}

export function getMetrics(
  register: MetricsRegister,
  gauges: {
    readonly pendingChallenges: () => number;
    readonly watchedSets: () => number;
    readonly unsettledSets: () => number;
    readonly calendarShards: () => number;
    readonly calendarLag: () => number;
    readonly serversAway: () => number;
  },
): Metrics {
  const icscf = register.counter({
    name: "ims_sprout_icscf_requests_total",
    help: "Requests at the I-CSCF by kind and outcome",
    labels: { kind: ["registration", "session"], outcome: ["routed", "refused", "reselected"] },
  });
  const authentications = register.counter({
    name: "ims_sprout_authentications_total",
    help: "REGISTER requests by what their authentication came to",
    labels: { outcome: ["challenged", "stale", "accepted", "refused", "resynchronised", "trusted"] },
  });
  const registrations = register.counter({
    name: "ims_sprout_registrations_total",
    help: "Changes of registrations at the S-CSCF",
    labels: { outcome: ["initial", "refreshed", "repeated", "removed", "lapsed", "refused"] },
  });
  const copies = register.counter({
    name: "ims_sprout_registration_copies_total",
    help: "Registrations whose working and durable copies had to be treated apart because a store was away or had lost them",
    labels: { outcome: ["rebuilt", "direct", "deferred", "refused", "settled", "dropped"] },
  });
  const bad = register.counter({
    name: "ims_sprout_bad_records_total",
    help: "Records met in the working copy that are of a later release or unreadable",
    labels: { kind: ["newer", "unreadable"] },
  });
  const sessions = register.counter({
    name: "ims_sprout_scscf_requests_total",
    help: "Initial requests at the S-CSCF by session case and outcome",
    labels: { session_case: ["originating", "terminating"], outcome: ["routed", "refused"] },
  });
  const applicationServers = register.counter({
    name: "ims_sprout_application_servers_total",
    help: "Requests that met filter criteria, and third-party registrations, by what became of them",
    labels: {
      outcome: [
        "forwarded",
        "silent",
        "failed",
        "skipped",
        "continued",
        "retargeted",
        "forged",
        "unmatched",
        "registered",
        "registrationFailed",
        "deregistering",
      ],
    },
  });
  const subscriptions = register.counter({
    name: "ims_sprout_reg_event_subscriptions_total",
    help: "SUBSCRIBE requests for the registration event package by what became of them",
    labels: { outcome: ["begun", "refreshed", "ended", "refused"] },
  });
  const notifications = register.counter({
    name: "ims_sprout_reg_event_notifications_total",
    help: "NOTIFY requests of the registration event package; again: because it is not known that the one before arrived",
    labels: { outcome: ["sent", "again", "arrived", "lost", "refused"] },
  });
  const refused = register.counter({
    name: "ims_sprout_refused_total",
    help: "Requests refused before any functional entity saw them",
    labels: { reason: ["foreignPeer", "quiescing"] },
  });
  const defects = register.counter({
    name: "ims_sprout_defects_total",
    help: "Requests answered 500 because a procedure failed",
    labels: {},
  });
  register.gauge({
    name: "ims_sprout_pending_challenges",
    help: "Initial registrations challenged here and not answered yet",
    value: gauges.pendingChallenges,
  });
  register.gauge({
    name: "ims_sprout_watched_registrations",
    help: "Implicit registration sets whose lapse this process watches",
    value: gauges.watchedSets,
  });
  register.gauge({
    name: "ims_sprout_unsettled_registrations",
    help: "Implicit registration sets whose copies differ until a store is back",
    value: gauges.unsettledSets,
  });
  register.gauge({
    name: "ims_sprout_calendar_shards",
    help: "Shards of the expiry calendar that this process looks after",
    value: gauges.calendarShards,
  });
  register.gauge({
    name: "ims_sprout_calendar_lag_minutes",
    help: "How far the expiry calendar of this process is behind",
    value: gauges.calendarLag,
  });
  register.gauge({
    name: "ims_sprout_application_servers_away",
    help: "Application servers that do not answer and are passed over",
    value: gauges.serversAway,
  });
  return {
    sip: sipCounters(register, "ims_sprout", sides),
    icscf: { request: (kind, outcome) => icscf.inc({ kind, outcome }) },
    scscf: {
      authentication: (outcome) => authentications.inc({ outcome }),
      registration: (outcome) => registrations.inc({ outcome }),
      session: (sessionCase, outcome) => sessions.inc({ session_case: sessionCase, outcome }),
      applicationServer: (outcome) => applicationServers.inc({ outcome }),
      subscription: (outcome) => subscriptions.inc({ outcome }),
    },
    notifier: { notify: (outcome) => notifications.inc({ outcome }) },
    store: { copy: (outcome) => copies.inc({ outcome }), bad: (kind) => bad.inc({ kind }) },
    refused: (reason) => refused.inc({ reason }),
    defect: () => defects.inc({}),
  };
}
