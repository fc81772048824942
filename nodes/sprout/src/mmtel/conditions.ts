import type { Condition, Many, Rule } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { isDiverted } from "./history-info.ts";
import type { HomeNetwork, Location } from "./home-network.ts";
import { isAnonymous } from "./privacy.ts";

/** What became of a call so far, of which diversion rules speak. */
export type CallEvent = "busy" | "no-answer" | "not-registered" | "not-reachable";

/** A call as the conditions of rules see it. */
export interface Call {
  readonly request: SipMessage;
  /** Canonical identities of the other party. */
  readonly others: readonly string[];
  readonly location: Location;
  readonly home: HomeNetwork;
  /** ms since 1970. */
  readonly now: number;
}

/** The first rule all of whose conditions hold: TS 24.604 §4.9, TS 24.611 §4.9. */
export function* applying<Action>(
  rules: readonly Rule<Action>[],
  call: Call,
  event?: CallEvent,
): Generator<Rule<Action>> {
  for (const rule of rules)
    if (rule.conditions.every((condition) => holds(condition, rule, rules, call, event))) yield rule;
}

/** Does a rule speak of where the user or the other party is? */
export function needsLocation(rules: readonly Rule<unknown>[]): boolean {
  return rules.some(({ conditions }) =>
    conditions.some(
      ({ kind }) => kind === "roaming" || kind === "international" || kind === "international-exHC",
    ),
  );
}

export function speaksOf(rules: readonly Rule<unknown>[], kind: Condition["kind"]): boolean {
  return rules.some(({ conditions }) => conditions.some((condition) => condition.kind === kind));
}

function holds(
  condition: Condition,
  rule: Rule<unknown>,
  rules: readonly Rule<unknown>[],
  call: Call,
  event: CallEvent | undefined,
): boolean {
  const { request, others, location, home, now } = call;
  switch (condition.kind) {
    case "busy":
    case "no-answer":
    case "not-registered":
    case "not-reachable":
      return condition.kind === event;
    case "anonymous":
      return isAnonymous(request);
    case "communication-diverted":
      return isDiverted(request);
    case "roaming":
      return home.isRoaming(location);
    case "international":
      return home.isInternational(request.requestUri, location);
    case "international-exHC":
      return home.isInternationalExHomeCountry(request.requestUri, location);
    case "media":
      return hasMedia(request, condition.media);
    case "validity":
      return condition.periods.some(({ from, until }) => from <= now && now < until);
    case "identity":
      return others.some((other) => isIncluded(other, condition.one, condition.many));
    // OMA XDM Core: nobody whom another rule names.
    case "other-identity":
      return !rules.some(
        (another) =>
          another !== rule &&
          another.conditions.some(
            (each) =>
              each.kind === "identity" && others.some((other) => isIncluded(other, each.one, each.many)),
          ),
      );
    case "rule-deactivated":
    case "unknown":
      return false;
  }
}

/** RFC 4745 §7.1. */
function isIncluded(identity: string, one: readonly string[], many: readonly Many[]): boolean {
  if (one.includes(identity)) return true;
  const at = identity.lastIndexOf("@");
  const domain = identity.startsWith("sip:")
    ? identity.slice(at < 0 ? 4 : at + 1).replace(/:\d+$/, "")
    : undefined;
  return many.some(
    (each) =>
      (each.domain === undefined || each.domain === domain) &&
      !each.exceptIds.includes(identity) &&
      !(domain !== undefined && each.exceptDomains.includes(domain)),
  );
}

/** A medium that the session description offers and does not refuse (port 0). */
function hasMedia({ body }: SipMessage, media: string): boolean {
  for (const [, type, port] of body.matchAll(/^m=([^ \r\n]{1,64}) ([0-9]{1,5})[ /]/gm))
    if (type?.toLowerCase() === media && port !== "0") return true;
  return false;
}
