import { type Bound, checkBindings } from "./bindings.ts";
import { checkCalls, checkRegistrations, type FaultRecord } from "./calls.ts";
import type { History } from "./operations.ts";
import type { Violation } from "./violation.ts";

/** Everything a history may be refused for, given what was done to the core meanwhile. Pure. */
export function checkHistory(
  history: History,
  faults: readonly FaultRecord[],
  initially: Bound,
): Violation[] {
  return [
    ...checkBindings(history, initially),
    ...checkRegistrations(history.registers, faults),
    ...checkCalls(history, faults),
  ];
}
