import type { MetricsRegister } from "@ims/runtime";
import { type ProxyCounters, SIP_METHODS } from "@ims/sip";
import type { IcscfCounters } from "./icscf/modules.ts";
import type { ScscfCounters } from "./scscf/modules.ts";

const methods = [...SIP_METHODS, "other"] as const;
const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"] as const;
const sides = ["icscf", "scscf"] as const;

/** Counters of sprout. */
export interface Metrics {
  readonly sip: ProxyCounters;
  readonly icscf: IcscfCounters;
  readonly scscf: ScscfCounters;
  /** A request that no functional entity saw. */
  refused(reason: "foreignPeer" | "quiescing"): void;
  defect(): void;
}

export function getMetrics(
  register: MetricsRegister,
  gauges: { readonly pendingChallenges: () => number; readonly watchedSets: () => number },
): Metrics {
  const requests = register.counter({
    name: "ims_sprout_sip_requests_total",
    help: "SIP requests received by method and side",
    labels: { method: methods, side: sides },
  });
  const responses = register.counter({
    name: "ims_sprout_sip_responses_total",
    help: "Final SIP responses sent by method, class and side",
    labels: { method: methods, class: statusClasses, side: sides },
  });
  const dropped = register.counter({
    name: "ims_sprout_sip_dropped_total",
    help: "SIP messages dropped by reason and side",
    labels: { reason: ["unreadable", "response", "ack"], side: sides },
  });
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
    labels: { outcome: ["initial", "refreshed", "removed", "lapsed", "refused"] },
  });
  const sessions = register.counter({
    name: "ims_sprout_scscf_requests_total",
    help: "Initial requests at the S-CSCF by session case and outcome",
    labels: { session_case: ["originating", "terminating"], outcome: ["routed", "refused"] },
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
  return {
    sip: {
      request: (method, side) => requests.inc({ method: methodLabel(method), side: sideLabel(side) }),
      response: (method, status, side) =>
        responses.inc({ method: methodLabel(method), class: classOf(status), side: sideLabel(side) }),
      dropped: (reason, side) => dropped.inc({ reason, side: sideLabel(side) }),
    },
    icscf: { request: (kind, outcome) => icscf.inc({ kind, outcome }) },
    scscf: {
      authentication: (outcome) => authentications.inc({ outcome }),
      registration: (outcome) => registrations.inc({ outcome }),
      session: (sessionCase, outcome) => sessions.inc({ session_case: sessionCase, outcome }),
    },
    refused: (reason) => refused.inc({ reason }),
    defect: () => defects.inc({}),
  };
}

const known: ReadonlySet<string> = new Set(SIP_METHODS);

function methodLabel(method: string): (typeof methods)[number] {
  return known.has(method) ? (method as (typeof methods)[number]) : "other";
}

function sideLabel(side: string): (typeof sides)[number] {
  return side === "icscf" ? "icscf" : "scscf";
}

function classOf(status: number): (typeof statusClasses)[number] {
  return statusClasses[Math.floor(status / 100) - 1] ?? "5xx";
}
