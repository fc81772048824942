import type { MetricsRegister } from "@ims/runtime";
import { SIP_METHODS } from "./message/methods.ts";
import type { ProxyCounters } from "./proxy/proxy-options.ts";

const methods = [...SIP_METHODS, "other"] as const;
const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"] as const;
const known: ReadonlySet<string> = new Set(SIP_METHODS);

/** What a node's ProxyCore counts: `<prefix>_sip_{requests,responses,dropped}_total`, labels from closed unions only; an unknown side counts as the first. */
export function sipCounters<const Side extends string>(
  register: MetricsRegister,
  prefix: string,
  sides: readonly [Side, ...Side[]],
): ProxyCounters {
  const requests = register.counter({
    name: `${prefix}_sip_requests_total`,
    help: "SIP requests received by method and side",
    labels: { method: methods, side: sides },
  });
  const responses = register.counter({
    name: `${prefix}_sip_responses_total`,
    help: "Final SIP responses sent by method, class and side",
    labels: { method: methods, class: statusClasses, side: sides },
  });
  const dropped = register.counter({
    name: `${prefix}_sip_dropped_total`,
    help: "SIP messages dropped by reason and side",
    labels: { reason: ["unreadable", "response", "ack", "stale"], side: sides },
  });
  const sideLabel = (side: string): Side => sides.find((one) => one === side) ?? sides[0];
  return {
    request: (method, side) => requests.inc({ method: methodLabel(method), side: sideLabel(side) }),
    response: (method, status, side) =>
      responses.inc({ method: methodLabel(method), class: classOf(status), side: sideLabel(side) }),
    dropped: (reason, side) => dropped.inc({ reason, side: sideLabel(side) }),
  };
}

function methodLabel(method: string): (typeof methods)[number] {
  return known.has(method) ? (method as (typeof methods)[number]) : "other";
}

function classOf(status: number): (typeof statusClasses)[number] {
  return statusClasses[Math.floor(status / 100) - 1] ?? "5xx";
}
