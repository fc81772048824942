import { attributeOf, childrenNamed, type XmlElement } from "../xml/xml-element.ts";
import { barringOf, diversionOf } from "./parse-rules.ts";
import { booleanOf, SimservsRefused } from "./refused.ts";
import {
  type IdentityRestriction,
  SIMSERVS_NAMESPACE,
  type Simservs,
  type SimservsResult,
} from "./simservs.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The services of TS 24.623 that a subscriber sets, by element; false: there is none of that name. */
function take(into: Mutable<Simservs>, element: XmlElement, active: boolean): boolean {
  switch (element.local) {
    case "originating-identity-presentation":
      into.originatingIdentityPresentation = active;
      return true;
    case "originating-identity-presentation-restriction":
      into.originatingIdentityRestriction = restrictionOf(element, active);
      return true;
    case "terminating-identity-presentation":
      into.terminatingIdentityPresentation = active;
      return true;
    case "terminating-identity-presentation-restriction":
      into.terminatingIdentityRestriction = restrictionOf(element, active);
      return true;
    case "communication-diversion":
      into.communicationDiversion = diversionOf(element, active);
      return true;
    case "incoming-communication-barring":
      into.incomingBarring = barringOf(element, active);
      return true;
    case "outgoing-communication-barring":
      into.outgoingBarring = barringOf(element, active);
      return true;
    case "communication-waiting":
      into.communicationWaiting = active;
      return true;
    default:
      return false;
  }
}

/** Reads the root element of a simservs document: TS 24.623. Elements of other name spaces are passed over. Never throws. */
export function parseSimservs(root: XmlElement): SimservsResult {
  try {
    return { kind: "simservs", simservs: read(root) };
  } catch (error) {
    if (!(error instanceof SimservsRefused)) throw error;
    return { kind: "wrong", fault: error.fault, reason: error.message, place: error.place };
  }
}

function read(root: XmlElement): Simservs {
  if (root.local !== "simservs" || root.namespace !== SIMSERVS_NAMESPACE)
    throw new SimservsRefused(root, `the root has to be simservs of ${SIMSERVS_NAMESPACE}`);
  const simservs: Mutable<Simservs> = {};
  const seen = new Set<string>();
  for (const element of root.children) {
    if (element.namespace !== SIMSERVS_NAMESPACE) continue;
    const { local } = element;
    // Services of others may stand in an element of that name (TS 24.623).
    if (local === "extensions") continue;
    if (seen.has(local)) throw new SimservsRefused(element, "this service stands there twice");
    seen.add(local);
    const said = attributeOf(element, "active");
    if (!take(simservs, element, said === undefined ? true : booleanOf(element, said)))
      throw new SimservsRefused(element, "no such service");
  }
  return simservs;
}

/** TS 24.607 §4.9, TS 24.608 §4.9. */
function restrictionOf(element: XmlElement, active: boolean): IdentityRestriction {
  for (const each of element.children)
    if (each.namespace === SIMSERVS_NAMESPACE && each.local !== "default-behaviour")
      throw new SimservsRefused(each, `not known in ${element.local}`);
  const [behaviour, second] = childrenNamed(element, SIMSERVS_NAMESPACE, "default-behaviour");
  if (second !== undefined) throw new SimservsRefused(second, "default-behaviour twice");
  if (behaviour === undefined) return { active, restricted: true };
  const text = behaviour.text.trim();
  if (text !== "presentation-restricted" && text !== "presentation-not-restricted")
    throw new SimservsRefused(behaviour, "write presentation-restricted or presentation-not-restricted");
  return { active, restricted: text === "presentation-restricted" };
}
