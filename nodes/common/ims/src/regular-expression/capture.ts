import type { Effort } from "./extended.ts";
import { Op, type Program } from "./program.ts";

/** Where the whole expression (slots 0 and 1) and its groups (2n and 2n + 1) match; -1: not at all. */
export type Captures = readonly number[];

/** Groups that a substitution can name (RFC 3402 §3.2). */
export const MAX_GROUPS = 9;

const SLOTS = 2 * MAX_GROUPS + 2;

interface Thread {
  readonly pc: number;
  readonly slots: readonly number[];
}

/**
 * The leftmost match, of those the longest (IEEE 1003.1 §9.1); groups are greedy. All alternatives go on side by side, at most one
 * for each step of the program, so that time is bounded by program size times text length. Undefined without a match or effort.
 */
export function capture(program: Program, text: string, effort: Effort): Captures | undefined {
  const seen = new Int32Array(program.length).fill(-1);
  let best: number[] | undefined;

  const add = (list: Thread[], first: Thread, at: number): void => {
    const stack = [first];
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      effort.steps--;
      const { pc, slots } = thread;
      const step = program[pc];
      if (step === undefined || seen[pc] === at) continue;
      seen[pc] = at;
      if (step.op === Op.split) stack.push({ pc: step.other, slots }, { pc: step.next, slots });
      else if (step.op === Op.jump) stack.push({ pc: step.next, slots });
      else if (step.op === Op.start) at === 0 && stack.push({ pc: step.next, slots });
      else if (step.op === Op.end) at === text.length && stack.push({ pc: step.next, slots });
      else if (step.op === Op.save) {
        effort.steps--;
        stack.push({ pc: step.next, slots: slots.with(step.slot, at) });
      } else if (step.op === Op.accept) {
        if (best === undefined || (best[0] === slots[0] && (best[1] ?? 0) < at))
          best = [...slots.with(1, at)];
      } else list.push(thread);
    }
  };

  let current: Thread[] = [];
  for (let at = 0; at <= text.length; at++) {
    if (best === undefined) {
      const slots = new Array<number>(SLOTS).fill(-1);
      slots[0] = at;
      add(current, { pc: 0, slots }, at);
    }
    if (effort.steps < 0) return undefined;
    const code = text.charCodeAt(at);
    const next: Thread[] = [];
    for (const { pc, slots } of current) {
      const step = program[pc];
      // Who began further right than the best match has lost.
      if (best !== undefined && slots[0] !== best[0]) continue;
      if (at < text.length && step?.op === Op.set && step.has(code))
        add(next, { pc: step.next, slots }, at + 1);
    }
    current = next;
  }
  return effort.steps < 0 ? undefined : best;
}
