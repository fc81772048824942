import type { MetricsRegister } from "@ims/runtime";
import { type ProxyCounters, SIP_METHODS } from "@ims/sip";
import type { PcscfCounters } from "./pcscf/modules.ts";

const methods = [...SIP_METHODS, "other"] as const;
const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"] as const;
const sides = ["access", "core"] as const;
const refusals = [
  "notRegistered",
  "foreignDialog",
  "foreignRoute",
  "forgedToken",
  "flowGone",
  "noRoute",
  "sourceLimit",
  "guessLimit",
  "malformed",
  "coreUnreachable",
  "foreignPeer",
  "quiescing",
] as const;

/** Counters of bono. */
export interface Metrics {
  readonly sip: ProxyCounters;
  readonly pcscf: PcscfCounters;
  defect(): void;
}

export function getMetrics(
  register: MetricsRegister,
  gauges: {
    readonly flows: () => number;
    readonly registrations: () => number;
    readonly serverTransactions: () => number;
    readonly clientTransactions: () => number;
  },
): Metrics {
  const requests = register.counter({
    name: "ims_bono_sip_requests_total",
    help: "SIP requests received by method and side",
    labels: { method: methods, side: sides },
  });
  const responses = register.counter({
    name: "ims_bono_sip_responses_total",
    help: "Final SIP responses sent by method, class and side",
    labels: { method: methods, class: statusClasses, side: sides },
  });
  const dropped = register.counter({
    name: "ims_bono_sip_dropped_total",
    help: "SIP messages dropped by reason and side",
    labels: { reason: ["unreadable", "response", "ack"], side: sides },
  });
  const registrations = register.counter({
    name: "ims_bono_registrations_total",
    help: "Registrations that began and ended with a REGISTER over an access flow",
    labels: { outcome: ["registered", "deregistered"] },
  });
  const refused = register.counter({
    name: "ims_bono_refused_total",
    help: "Requests that the P-CSCF refused itself, by reason",
    labels: { reason: refusals },
  });
  const defects = register.counter({
    name: "ims_bono_defects_total",
    help: "Requests answered 500 because a procedure failed",
    labels: {},
  });
  register.gauge({
    name: "ims_bono_registered_flows",
    help: "Access flows with at least one registration",
    value: gauges.flows,
  });
  register.gauge({
    name: "ims_bono_registered_sets",
    help: "Implicit registration sets registered over access flows",
    value: gauges.registrations,
  });
  register.gauge({
    name: "ims_bono_server_transactions",
    help: "Server transactions in memory",
    value: gauges.serverTransactions,
  });
  register.gauge({
    name: "ims_bono_client_transactions",
    help: "Client transactions in memory",
    value: gauges.clientTransactions,
  });
  const begun = registrations.bind({ outcome: "registered" });
  const ended = registrations.bind({ outcome: "deregistered" });
  return {
    sip: {
      request: (method, side) => requests.inc({ method: methodLabel(method), side: sideLabel(side) }),
      response: (method, status, side) =>
        responses.inc({ method: methodLabel(method), class: classOf(status), side: sideLabel(side) }),
      dropped: (reason, side) => dropped.inc({ reason, side: sideLabel(side) }),
    },
    pcscf: {
      registered: () => begun.inc(),
      deregistered: () => ended.inc(),
      refused: (reason) => refused.inc({ reason }),
    },
    defect: () => defects.inc({}),
  };
}

const known: ReadonlySet<string> = new Set(SIP_METHODS);

function methodLabel(method: string): (typeof methods)[number] {
  return known.has(method) ? (method as (typeof methods)[number]) : "other";
}

function sideLabel(side: string): (typeof sides)[number] {
  return side === "core" ? "core" : "access";
}

function classOf(status: number): (typeof statusClasses)[number] {
  return statusClasses[Math.floor(status / 100) - 1] ?? "5xx";
}
