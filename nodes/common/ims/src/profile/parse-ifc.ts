import {
  type ApplicationServer,
  type InitialFilterCriteria,
  RegistrationType,
  type ServicePointTrigger,
  SessionCase,
  type TriggerCondition,
  type TriggerPoint,
} from "../ifc/initial-filter-criteria.ts";
import { boolean, integer, oneOf, text } from "./values.ts";
import { child, childrenOf, type Element, XmlRefused } from "./xml.ts";

const MAX_TRIGGERS = 1000;

/**
 * InitialFilterCriteria element: TS 29.228 annex E (tInitialFilterCriteria). `priority`: of criteria that say none; without it they are
 * refused. Throws XmlRefused.
 */
export function parseInitialFilterCriteria(element: Element, priority?: number): InitialFilterCriteria {
  const server = child(element, "ApplicationServer");
  if (server === undefined) throw new XmlRefused("MISSING_ELEMENT", "ApplicationServer");
  const trigger = child(element, "TriggerPoint");
  const part = child(element, "ProfilePartIndicator");
  return {
    priority:
      priority !== undefined && child(element, "Priority") === undefined
        ? priority
        : integer(text(element, "Priority"), "Priority"),
    trigger: trigger && triggerPoint(trigger),
    applicationServer: applicationServer(server),
    profilePart:
      part && (oneOf(element, "ProfilePartIndicator", [0, 1]) === 0 ? "registered" : "unregistered"),
  };
}

function applicationServer(element: Element): ApplicationServer {
  const handling = child(element, "DefaultHandling");
  const extension = child(element, "Extension");
  return {
    serverName: text(element, "ServerName"),
    defaultHandling:
      handling !== undefined && oneOf(element, "DefaultHandling", [0, 1]) === 1 ? "terminate" : "continue",
    serviceInfo: child(element, "ServiceInfo")?.text,
    includeRegisterRequest: child(extension, "IncludeRegisterRequest") !== undefined,
    includeRegisterResponse: child(extension, "IncludeRegisterResponse") !== undefined,
  };
}

function triggerPoint(element: Element): TriggerPoint {
  const spts = childrenOf(element, "SPT");
  if (spts.length > MAX_TRIGGERS) throw new XmlRefused("BAD_VALUE", `more than ${MAX_TRIGGERS} SPT`);
  const groups = new Map<number, ServicePointTrigger[]>();
  for (const spt of spts) {
    const parsed = { negated: boolean(spt, "ConditionNegated"), condition: condition(spt) };
    // An SPT may stand in several groups (TS 29.228 §B.2.2); one without a group is in group 0.
    const ids = childrenOf(spt, "Group").map((each) => integer(each.text, "Group"));
    for (const id of new Set(ids.length === 0 ? [0] : ids)) {
      const group = groups.get(id);
      if (group === undefined) groups.set(id, [parsed]);
      else group.push(parsed);
    }
  }
  const ordered = [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
  return { form: boolean(element, "ConditionTypeCNF") ? "cnf" : "dnf", groups: ordered };
}

function condition(spt: Element): TriggerCondition {
  const uri = child(spt, "RequestURI");
  if (uri !== undefined) return { kind: "requestUri", pattern: uri.text };
  const method = child(spt, "Method");
  if (method !== undefined) {
    const types = childrenOf(child(spt, "Extension"), "RegistrationType");
    return { kind: "method", method: method.text, registrationTypes: types.map(registrationType) };
  }
  const header = child(spt, "SIPHeader");
  if (header !== undefined) {
    return { kind: "sipHeader", header: text(header, "Header"), content: child(header, "Content")?.text };
  }
  if (child(spt, "SessionCase") !== undefined) {
    return { kind: "sessionCase", sessionCase: oneOf(spt, "SessionCase", Object.values(SessionCase)) };
  }
  const line = child(spt, "SessionDescription");
  if (line !== undefined) {
    return { kind: "sessionDescription", line: text(line, "Line"), content: child(line, "Content")?.text };
  }
  throw new XmlRefused("MISSING_ELEMENT", "the condition of an SPT");
}

function registrationType(element: Element): RegistrationType {
  const found = Object.values(RegistrationType).find((value) => String(value) === element.text);
  if (found === undefined) throw new XmlRefused("BAD_VALUE", "RegistrationType");
  return found;
}
