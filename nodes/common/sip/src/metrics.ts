import { LATENCY_SECONDS, type MetricsRegister, SET_UP_SECONDS } from "@ims/runtime";
import type { Hop } from "./failover/hop.ts";
import { SIP_METHODS } from "./message/methods.ts";
import { KNOWN_STATUSES } from "./message/status.ts";
import type { ProxyCounters } from "./proxy/proxy-options.ts";

const methods = [...SIP_METHODS, "other"] as const;
const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "6xx"] as const;
const known: ReadonlySet<string> = new Set(SIP_METHODS);

/** Status codes of refusals, each by its number; those without a meaning of their own by their class. */
export const failureCauses: readonly string[] = [
  ...KNOWN_STATUSES.filter((status) => status >= 300).map(String),
  "other3xx",
  "other4xx",
  "other5xx",
  "other6xx",
];
const namedCauses: ReadonlySet<string> = new Set(failureCauses);

/** The label value of a status code from 300 on. */
export function failureCause(status: number): string {
  const code = String(status);
  if (namedCauses.has(code)) return code;
  return status < 400 ? "other3xx" : status < 500 ? "other4xx" : status < 600 ? "other5xx" : "other6xx";
}

/**
 * What a node's ProxyCore counts: `<prefix>_sip_*`, labels from closed unions only; an unknown side counts as the first. How long
 * requests take is measured from their arrival to their final answer; a call's two stages on their own.
 */
export function sipCounters<const Side extends string>(
  register: MetricsRegister,
  prefix: string,
  sides: readonly [Side, ...Side[]],
): Required<ProxyCounters> {
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
  const failures = register.counter({
    name: `${prefix}_sip_failures_total`,
    help: "Final SIP responses from 300 on sent by method, status code and side",
    labels: { method: methods, status: failureCauses, side: sides },
  });
  const dropped = register.counter({
    name: `${prefix}_sip_dropped_total`,
    help: "SIP messages dropped by reason and side",
    labels: { reason: ["unreadable", "response", "ack", "stale"], side: sides },
  });
  const latency = register.histogram({
    name: `${prefix}_sip_request_seconds`,
    help: "From a request to its final response, by method and side; of an INVITE it is mostly the time that people take",
    labels: { method: methods, side: sides },
    buckets: LATENCY_SECONDS,
  });
  const setUp = register.histogram({
    name: `${prefix}_sip_call_setup_seconds`,
    help: "From the INVITE of a new call to 180 (ringing) and to its 2xx (answered), by side",
    labels: { stage: ["ringing", "answered"], side: sides },
    buckets: SET_UP_SECONDS,
  });
  const sideLabel = (side: string): Side => sides.find((one) => one === side) ?? sides[0];
  return {
    request: (method, side) => requests.inc({ method: methodLabel(method), side: sideLabel(side) }),
    response: (method, status, side) => {
      responses.inc({ method: methodLabel(method), class: classOf(status), side: sideLabel(side) });
      if (status >= 300)
        failures.inc({ method: methodLabel(method), status: failureCause(status), side: sideLabel(side) });
    },
    answered: (method, side, ms) =>
      latency.observe({ method: methodLabel(method), side: sideLabel(side) }, ms / 1000),
    setUp: (stage, side, ms) => setUp.observe({ stage, side: sideLabel(side) }, ms / 1000),
    dropped: (reason, side) => dropped.inc({ reason, side: sideLabel(side) }),
  };
}

/** What the gauges are read from. */
export interface SipState {
  readonly transactions: { readonly unanswered: number };
  readonly hops: { hops(): Iterable<Pick<Hop, "state" | "openBreakers">> };
}

/** Requests under way, next hops and their breakers: `<prefix>_sip_*`, counted when asked. */
export function sipGauges(register: MetricsRegister, prefix: string, state: () => SipState): void {
  const overHops = (number: (hop: Pick<Hop, "state" | "openBreakers">) => number): number => {
    let sum = 0;
    for (const hop of state().hops.hops()) sum += number(hop);
    return sum;
  };
  register.gauge({
    name: `${prefix}_sip_requests_in_progress`,
    help: "SIP requests received that wait for their final response; calls that ring among them",
    value: () => state().transactions.unanswered,
  });
  register.gauge({
    name: `${prefix}_sip_next_hops`,
    help: "Next hops on trusted sides that requests were sent to",
    value: () => overHops(() => 1),
  });
  register.gauge({
    name: `${prefix}_sip_next_hops_down`,
    help: "Next hops out of service",
    value: () => overHops((hop) => Number(hop.state === "down")),
  });
  register.gauge({
    name: `${prefix}_sip_breakers_open`,
    help: "Circuit breakers of methods at next hops that are open, or let a trial pass",
    value: () => overHops((hop) => hop.openBreakers),
  });
}

function methodLabel(method: string): (typeof methods)[number] {
  return known.has(method) ? (method as (typeof methods)[number]) : "other";
}

function classOf(status: number): (typeof statusClasses)[number] {
  return statusClasses[Math.floor(status / 100) - 1] ?? "5xx";
}
