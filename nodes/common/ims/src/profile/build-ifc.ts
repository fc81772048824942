import type {
  InitialFilterCriteria,
  ServicePointTrigger,
  TriggerCondition,
  TriggerPoint,
} from "../ifc/initial-filter-criteria.ts";
import { leaf, wrap } from "./element.ts";

/** A ServiceProfile of filter criteria alone, as `parseFilterCriteriaSet` reads it. */
export function buildFilterCriteriaSet(criteria: readonly InitialFilterCriteria[]): string {
  const content = criteria.map((each) => buildInitialFilterCriteria(each)).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ServiceProfile>${content}</ServiceProfile>\n`;
}

/** InitialFilterCriteria element in schema order: TS 29.228 annex E. */
export function buildInitialFilterCriteria(criteria: InitialFilterCriteria): string {
  const server = criteria.applicationServer;
  return wrap(
    "InitialFilterCriteria",
    leaf("Priority", criteria.priority) +
      (criteria.trigger === undefined ? "" : triggerPoint(criteria.trigger)) +
      wrap(
        "ApplicationServer",
        leaf("ServerName", server.serverName) +
          leaf("DefaultHandling", server.defaultHandling === "terminate" ? 1 : 0) +
          leaf("ServiceInfo", server.serviceInfo) +
          wrap(
            "Extension",
            (server.includeRegisterRequest ? "<IncludeRegisterRequest/>" : "") +
              (server.includeRegisterResponse ? "<IncludeRegisterResponse/>" : ""),
          ),
      ) +
      leaf("ProfilePartIndicator", criteria.profilePart && (criteria.profilePart === "registered" ? 0 : 1)),
  );
}

function triggerPoint(trigger: TriggerPoint): string {
  const spts = trigger.groups.flatMap((group, id) => group.map((each) => servicePointTrigger(each, id)));
  return wrap("TriggerPoint", leaf("ConditionTypeCNF", trigger.form === "cnf" ? 1 : 0) + spts.join(""));
}

function servicePointTrigger({ negated, condition }: ServicePointTrigger, group: number): string {
  return wrap(
    "SPT",
    leaf("ConditionNegated", negated ? 1 : 0) + leaf("Group", group) + conditionOf(condition),
  );
}

function conditionOf(condition: TriggerCondition): string {
  switch (condition.kind) {
    case "requestUri":
      return leaf("RequestURI", condition.pattern);
    case "method": {
      const types = condition.registrationTypes.map((type) => leaf("RegistrationType", type)).join("");
      return leaf("Method", condition.method) + wrap("Extension", types);
    }
    case "sipHeader":
      return wrap("SIPHeader", leaf("Header", condition.header) + leaf("Content", condition.content));
    case "sessionCase":
      return leaf("SessionCase", condition.sessionCase);
    case "sessionDescription":
      return wrap("SessionDescription", leaf("Line", condition.line) + leaf("Content", condition.content));
  }
}
