import type { Effort } from "../regular-expression/extended.ts";
import { compileCondition } from "./condition.ts";
import type { Condition, EvaluatedRequest } from "./evaluated-request.ts";
import type { InitialFilterCriteria } from "./initial-filter-criteria.ts";

/** Filter criteria ready to be evaluated many times. */
export type CompiledCriteria = {
  readonly criteria: InitialFilterCriteria;
  matches(request: EvaluatedRequest, effort?: Effort): boolean;
};

/** What one request may cost, some milliseconds: thousands of times what the criteria of a real profile take. */
const STEPS_OF_A_REQUEST = 400_000;

/** A fresh allowance for the criteria of one request. */
export function effortOfRequest(): Effort {
  return { steps: STEPS_OF_A_REQUEST };
}

/**
 * Compiles the filter criteria of a service profile, by priority (TS 23.218 §5.2.2, TS 29.228 §B.2.2). Evaluation takes
 * time linear in the request, whatever the expressions, and is given up when the effort is spent. A condition whose expression
 * is malformed never holds, negated or not.
 */
export function compileFilterCriteria(
  criteria: readonly InitialFilterCriteria[],
): readonly CompiledCriteria[] {
  return [...criteria].sort((one, other) => one.priority - other.priority).map(compile);
}

/** The first criteria from position `from` on that match: the next application server of the chain, with its position. */
export function nextMatching(
  compiled: readonly CompiledCriteria[],
  request: EvaluatedRequest,
  from = 0,
  effort = effortOfRequest(),
): { readonly criteria: InitialFilterCriteria; readonly position: number } | undefined {
  for (let position = from; position < compiled.length; position++) {
    const one = compiled[position];
    if (one?.matches(request, effort)) return { criteria: one.criteria, position };
  }
  return undefined;
}

function compile(criteria: InitialFilterCriteria): CompiledCriteria {
  const trigger = compileTrigger(criteria);
  const part = criteria.profilePart;
  return {
    criteria,
    matches: (request, effort = effortOfRequest()) =>
      (part === undefined || (part === "registered") === request.registered) && trigger(request, effort),
  };
}

function compileTrigger({ trigger }: InitialFilterCriteria): Condition {
  // No trigger point, or an empty one: every request.
  if (trigger === undefined || trigger.groups.length === 0) return () => true;
  const groups = trigger.groups.map((group) => group.map(compileCondition));
  return trigger.form === "cnf"
    ? (request, effort) => groups.every((group) => group.some((holds) => holds(request, effort)))
    : (request, effort) => groups.some((group) => group.every((holds) => holds(request, effort)));
}
