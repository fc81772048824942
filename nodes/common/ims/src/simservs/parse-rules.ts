import { attributeOf, childrenNamed, type XmlElement } from "../xml/xml-element.ts";
import { conditionsOf } from "./parse-conditions.ts";
import { booleanOf, SimservsRefused } from "./refused.ts";
import {
  type Allow,
  COMMON_POLICY_NAMESPACE,
  type CommunicationBarring,
  type CommunicationDiversion,
  type ForwardTo,
  type Rule,
  SIMSERVS_NAMESPACE,
} from "./simservs.ts";

/** Each is looked at for each call. */
const MAX_RULES = 100;
/** TS 24.604 §4.8: s. */
const SHORTEST_NO_REPLY = 5;
const LONGEST_NO_REPLY = 180;
const MAX_TARGET = 512;

/** NoReplyTimer and the rules with forward-to: TS 24.604 §4.9. Throws SimservsRefused. */
export function diversionOf(element: XmlElement, active: boolean): CommunicationDiversion {
  return {
    active,
    noReplySeconds: noReplyOf(element),
    rules: rulesetOf(element, ["NoReplyTimer"], (actions) => forwardTo(actions)),
  };
}

/** Rules with allow: TS 24.611 §4.9. Throws SimservsRefused. */
export function barringOf(element: XmlElement, active: boolean): CommunicationBarring {
  return { active, rules: rulesetOf(element, [], allowOf) };
}

function rulesetOf<Action>(
  element: XmlElement,
  others: readonly string[],
  actionOf: (actions: XmlElement) => Action,
): readonly Rule<Action>[] {
  for (const each of element.children)
    if (each.namespace === SIMSERVS_NAMESPACE && !others.includes(each.local))
      throw new SimservsRefused(each, `not known in ${element.local}`);
  const rulesets = childrenNamed(element, COMMON_POLICY_NAMESPACE, "ruleset");
  const [ruleset, second] = rulesets;
  if (second !== undefined) throw new SimservsRefused(second, "a second ruleset");
  if (ruleset === undefined) return [];
  const ids = new Set<string>();
  const rules: Rule<Action>[] = [];
  for (const each of ruleset.children) {
    if (each.namespace !== COMMON_POLICY_NAMESPACE || each.local !== "rule")
      throw new SimservsRefused(each, "only rule may stand here");
    const rule = ruleOf(each, actionOf);
    if (ids.has(rule.id)) throw new SimservsRefused(each, "a second rule with this id", "uniqueness-failure");
    ids.add(rule.id);
    rules.push(rule);
  }
  if (rules.length > MAX_RULES)
    throw new SimservsRefused(ruleset, `more than ${MAX_RULES} rules`, "constraint-failure");
  return rules;
}

function ruleOf<Action>(element: XmlElement, actionOf: (actions: XmlElement) => Action): Rule<Action> {
  const id = attributeOf(element, "id") ?? "";
  if (!/^[^\s:<>"]{1,128}$/.test(id))
    throw new SimservsRefused(element, "a rule needs an id, without spaces and colons");
  for (const each of element.children)
    if (
      each.namespace === COMMON_POLICY_NAMESPACE &&
      !["conditions", "actions", "transformations"].includes(each.local)
    )
      throw new SimservsRefused(each, "not known in rule");
  const [conditions, again] = childrenNamed(element, COMMON_POLICY_NAMESPACE, "conditions");
  if (again !== undefined) throw new SimservsRefused(again, "conditions twice");
  const [actions, more] = childrenNamed(element, COMMON_POLICY_NAMESPACE, "actions");
  if (actions === undefined || more !== undefined)
    throw new SimservsRefused(element, "a rule needs actions, once");
  return { id, conditions: conditionsOf(conditions), action: actionOf(actions) };
}

function allowOf(actions: XmlElement): Allow {
  const allow = only(actions, "allow");
  if (allow === undefined) throw new SimservsRefused(actions, "allow is missing");
  return { allow: booleanOf(allow) };
}

const FORWARD_TO: ReadonlySet<string> = new Set([
  "target",
  "notify-caller",
  "reveal-identity-to-caller",
  "reveal-served-user-identity-to-caller",
  "notify-served-user",
  "notify-served-user-on-outbound-call",
  "reveal-identity-to-target",
]);

function forwardTo(actions: XmlElement): ForwardTo {
  const element = only(actions, "forward-to");
  if (element === undefined) throw new SimservsRefused(actions, "forward-to is missing");
  for (const each of element.children)
    if (each.namespace === SIMSERVS_NAMESPACE && !FORWARD_TO.has(each.local))
      throw new SimservsRefused(each, "not known in forward-to");
  const target = only(element, "target");
  if (target === undefined) throw new SimservsRefused(element, "target is missing");
  const said = (name: string, otherwise = true): boolean => {
    const each = only(element, name);
    return each === undefined ? otherwise : booleanOf(each);
  };
  return {
    target: targetOf(target),
    notifyCaller: said("notify-caller"),
    revealIdentityToCaller: said("reveal-identity-to-caller"),
    revealServedUserIdentityToCaller: said("reveal-served-user-identity-to-caller"),
    revealIdentityToTarget: said("reveal-identity-to-target"),
    ...(said("notify-served-user", false) ? { notifyServedUser: true } : {}),
    ...(said("notify-served-user-on-outbound-call", false) ? { notifyServedUserOnOutboundCall: true } : {}),
    noReplySeconds: noReplyOf(actions),
  };
}

/** A call is not diverted to an emergency service (TS 24.604 §4.9), nor to anything that is no user. */
function targetOf(element: XmlElement): string {
  const target = element.text.trim();
  const isUri =
    /^sips?:[^\s<>"\\^`{|}\x7f-\uffff]+$/i.test(target) ||
    /^tel:(?:\+[0-9().-]*[0-9][0-9().-]*|[0-9*#A-F().-]+)(?:;[^\s<>"\\^`{|}\x7f-\uffff]+)?$/i.test(target);
  if (!isUri || target.length > MAX_TARGET)
    throw new SimservsRefused(element, `"${target.slice(0, 80)}" is no SIP or tel URI`, "constraint-failure");
  return target;
}

function noReplyOf(element: XmlElement): number | undefined {
  const timer = only(element, "NoReplyTimer");
  if (timer === undefined) return undefined;
  const text = timer.text.trim();
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= SHORTEST_NO_REPLY && seconds <= LONGEST_NO_REPLY))
    throw new SimservsRefused(timer, `write ${SHORTEST_NO_REPLY} to ${LONGEST_NO_REPLY} seconds`);
  return seconds;
}

/** A child of the simservs name space that may stand there once. */
function only(element: XmlElement, local: string): XmlElement | undefined {
  const [first, second] = childrenNamed(element, SIMSERVS_NAMESPACE, local);
  if (second !== undefined) throw new SimservsRefused(second, `${local} twice`);
  return first;
}
