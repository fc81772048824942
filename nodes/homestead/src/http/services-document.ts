import type { Subscriber } from "@ims/api";
import { compileExtendedRegularExpression, type TriggerCondition } from "@ims/ims";
import { noServices, type ServiceData } from "../hss/subscriber.ts";

/** Nothing of its own is said by one value, so that it takes no memory. */
export function servicesOf(given: ServiceData | undefined): ServiceData {
  if (given === undefined) return noServices;
  const { mandatory, optional, serverNames } = given.capabilities;
  const { initialFilterCriteria, sharedIfcSetIds, resourcePriorities = [] } = given;
  const lists = [
    initialFilterCriteria,
    sharedIfcSetIds,
    mandatory,
    optional,
    serverNames,
    resourcePriorities,
  ];
  return lists.every((list) => list.length === 0) ? noServices : given;
}

/** Expressions that could never match, and priorities that say no order. */
export function servicesFault({ initialFilterCriteria }: ServiceData): string | undefined {
  const priorities = new Set<number>();
  for (const { priority, trigger } of initialFilterCriteria) {
    if (priorities.has(priority)) return `services: priority ${priority} is there twice`;
    priorities.add(priority);
    for (const { condition } of trigger?.groups.flat() ?? []) {
      const wrong = patternsOf(condition).find(
        (each) => compileExtendedRegularExpression(each) === undefined,
      );
      if (wrong !== undefined) return `services: ${wrong} is not an extended regular expression`;
    }
  }
  return undefined;
}

function patternsOf(condition: TriggerCondition): readonly string[] {
  switch (condition.kind) {
    case "requestUri":
      return [condition.pattern];
    case "sipHeader":
      return condition.content === undefined ? [condition.header] : [condition.header, condition.content];
    case "sessionDescription":
      return condition.content === undefined ? [condition.line] : [condition.line, condition.content];
    case "method":
    case "sessionCase":
      return [];
  }
}

/** As the contract writes it. */
export function copyOf(services: ServiceData): NonNullable<Subscriber["services"]> {
  return structuredClone(services) as NonNullable<Subscriber["services"]>;
}
