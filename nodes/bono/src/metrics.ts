import type { MetricsRegister } from "@ims/runtime";
import { type ProxyCounters, sipCounters } from "@ims/sip";
import type { PcscfCounters } from "./pcscf/modules.ts";

/** "peer": of the IBCF. */
const sides = ["access", "core", "peer"] as const;
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
  "alternativeService",
  "emergencyOnly",
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
    readonly calls: () => number;
  },
): Metrics {
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
  const events = register.counter({
    name: "ims_bono_registration_events_total",
    help: "Subscriptions to registrations and notifications of them",
    labels: { outcome: ["subscribed", "refused", "notified", "malformed"] },
  });
  const released = register.counter({
    name: "ims_bono_released_calls_total",
    help: "Calls that the P-CSCF ended because their UE was deregistered",
    labels: {},
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
  register.gauge({
    name: "ims_bono_calls",
    help: "Calls that were answered and not ended, of UEs with a flow here; a call between two of them is one",
    value: gauges.calls,
  });
  const begun = registrations.bind({ outcome: "registered" });
  const ended = registrations.bind({ outcome: "deregistered" });
  return {
    sip: sipCounters(register, "ims_bono", sides),
    pcscf: {
      registered: () => begun.inc(),
      deregistered: () => ended.inc(),
      refused: (reason) => refused.inc({ reason }),
      released: () => released.inc({}),
      registrationEvent: (outcome) => events.inc({ outcome }),
    },
    defect: () => defects.inc({}),
  };
}
