import type { MetricsRegister } from "@ims/runtime";
import type { IbcfCounters } from "./modules.ts";

const refusals = [
  "foreignPeer",
  "foreignRoute",
  "forgedToken",
  "register",
  "noPeer",
  "loop",
  "method",
  "body",
  "media",
  "quiescing",
] as const;

/** Counters of the IBCF: there only where there is one. */
export function getIbcfMetrics(
  register: MetricsRegister,
  gauges: { readonly targetsDown: () => number },
): IbcfCounters {
  const requests = register.counter({
    name: "ims_bono_ibcf_requests_total",
    help: "Requests at the IBCF by direction and outcome",
    labels: { direction: ["exit", "entry"], outcome: ["routed", "refused"] },
  });
  const refused = register.counter({
    name: "ims_bono_ibcf_refused_total",
    help: "Requests that the IBCF refused itself, by reason",
    labels: { reason: refusals },
  });
  const failovers = register.counter({
    name: "ims_bono_ibcf_failovers_total",
    help: "Requests that were sent to the next target of a peer",
    labels: {},
  });
  register.gauge({
    name: "ims_bono_ibcf_targets_down",
    help: "Targets of peers that do not answer",
    value: gauges.targetsDown,
  });
  return {
    request: (direction, outcome) => requests.inc({ direction, outcome }),
    refused: (reason) => refused.inc({ reason }),
    failover: () => failovers.inc({}),
  };
}
