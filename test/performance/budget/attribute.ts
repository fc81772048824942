import type { Frame } from "./frames.ts";
import { type Step, stepOf } from "./steps.ts";

/** Where no time of a processor is spent: the loop waits in the kernel, or stands still to let messages gather. */
export type Account = Step | "asleep";

/** V8 names what is not in any function so. A Map: functions are called `toString`, too. */
const BESIDE: ReadonlyMap<string, Account> = new Map([
  ["(garbage collector)", "collect"],
  ["(idle)", "asleep"],
  ["(program)", "engine"],
  ["(root)", "engine"],
]);

/**
 * Tells `visit` of every frame and its account: that of the nearest function of the project which it is, or which called it, so that a hash, a
 * look-up in a Map or a system call belongs to who asked for it. What nobody of the project called is the engine's.
 */
export function attribute<Value>(
  root: Frame<Value>,
  visit: (frame: Frame<Value>, account: Account) => void,
): void {
  const walk = (frame: Frame<Value>, inherited: Account): void => {
    const account = accountOf(frame, inherited);
    visit(frame, account);
    for (const child of frame.children) walk(child, account);
  };
  walk(root, "engine");
}

/** The account of a frame below one of account `inherited`. */
export function accountOf({ file, functionName }: Frame<unknown>, inherited: Account): Account {
  if (file === "") return BESIDE.get(functionName) ?? inherited;
  return stepOf(file, functionName) ?? inherited;
}
