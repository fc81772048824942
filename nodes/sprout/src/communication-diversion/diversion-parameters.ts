import type { CommunicationDiversion, ForwardTo, Rule } from "@ims/ims";
import { parseUri, type Uri } from "@ims/sip";
import type { CallEvent } from "../mmtel/conditions.ts";

export type DiversionParameters =
  | { readonly kind: "service"; readonly service: CommunicationDiversion }
  | { readonly kind: "misconfigured"; readonly problem: string };

const CONDITIONS: ReadonlySet<string> = new Set(["busy", "no-answer", "not-registered", "not-reachable"]);
/** TS 24.604 §4.8: s. */
const SHORTEST_NO_REPLY = 5;
const LONGEST_NO_REPLY = 180;

/**
 * Diversion as the URI of the application server says it: `target`, escaped; `conditions`, any of which is enough, joined by "+",
 * default: always; `no-reply-timer`, s.
 */
export function diversionOfUri({ parameters }: Uri): DiversionParameters {
  const target = unescaped(parameters.get("target") ?? "");
  const scheme = target === undefined ? undefined : parseUri(target)?.scheme;
  if (target === undefined || (scheme !== "sip" && scheme !== "sips" && scheme !== "tel"))
    return misconfigured("target has to be a SIP or tel URI, with %40 for @ and %3B for ;");
  const conditions = (parameters.get("conditions") ?? "").split("+").filter((each) => each !== "");
  const unknown = conditions.find((each) => !CONDITIONS.has(each));
  if (unknown !== undefined)
    return misconfigured(`conditions: ${unknown} is none of ${[...CONDITIONS].join(", ")}`);
  const timer = parameters.get("no-reply-timer");
  const noReplySeconds = timer === undefined ? undefined : Number(timer);
  if (
    noReplySeconds !== undefined &&
    !(
      Number.isInteger(noReplySeconds) &&
      noReplySeconds >= SHORTEST_NO_REPLY &&
      noReplySeconds <= LONGEST_NO_REPLY
    )
  )
    return misconfigured(`no-reply-timer has to be ${SHORTEST_NO_REPLY} to ${LONGEST_NO_REPLY} seconds`);
  const action: ForwardTo = {
    target,
    notifyCaller: true,
    revealIdentityToCaller: true,
    revealServedUserIdentityToCaller: true,
    revealIdentityToTarget: true,
    noReplySeconds,
  };
  const rules: Rule<ForwardTo>[] =
    conditions.length === 0
      ? [{ id: "always", conditions: [], action }]
      : conditions.map((kind) => ({ id: kind, conditions: [{ kind: kind as CallEvent }], action }));
  return { kind: "service", service: { active: true, noReplySeconds, rules } };
}

function misconfigured(problem: string): DiversionParameters {
  return { kind: "misconfigured", problem };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
