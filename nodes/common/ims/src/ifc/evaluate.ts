import { compileCondition } from "./condition.ts";
import type { Condition, EvaluatedRequest } from "./evaluated-request.ts";
import type { InitialFilterCriteria } from "./initial-filter-criteria.ts";

/** Filter criteria ready to be evaluated many times. */
export type CompiledCriteria = {
  readonly criteria: InitialFilterCriteria;
  matches(request: EvaluatedRequest): boolean;
};

/**
 * Compiles the filter criteria of a service profile, by priority (TS 23.218 §5.2.2, TS 29.228 §B.2.2). Evaluation takes
 * time linear in the request, whatever the expressions. A condition whose expression is malformed never holds, negated or not.
 */
export function compileFilterCriteria(
  criteria: readonly InitialFilterCriteria[],
): readonly CompiledCriteria[] {
  return [...criteria].sort((one, other) => one.priority - other.priority).map(compile);
}

/** The first criteria of a lower priority than `after` that match: the next application server of the chain. */
export function nextMatching(
  compiled: readonly CompiledCriteria[],
  request: EvaluatedRequest,
  after = -1,
): InitialFilterCriteria | undefined {
  return compiled.find(({ criteria, matches }) => criteria.priority > after && matches(request))?.criteria;
}

function compile(criteria: InitialFilterCriteria): CompiledCriteria {
  const trigger = compileTrigger(criteria);
  const part = criteria.profilePart;
  return {
    criteria,
    matches: (request) =>
      (part === undefined || (part === "registered") === request.registered) && trigger(request),
  };
}

function compileTrigger({ trigger }: InitialFilterCriteria): Condition {
  // No trigger point, or an empty one: every request.
  if (trigger === undefined || trigger.groups.length === 0) return () => true;
  const groups = trigger.groups.map((group) => group.map(compileCondition));
  return trigger.form === "cnf"
    ? (request) => groups.every((group) => group.some((holds) => holds(request)))
    : (request) => groups.some((group) => group.every((holds) => holds(request)));
}
