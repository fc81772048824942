import { parseExpression } from "./parse.ts";
import { assemble, Op, type Program } from "./program.ts";

/** A POSIX extended regular expression (IEEE 1003.1 §9.4, as TS 23.003 and TS 29.228 annex F ask for). */
export type ExtendedRegularExpression = {
  readonly source: string;
  /** The whole text matches. */
  matches(text: string, effort?: Effort): boolean;
  /** Some part of the text matches. */
  isFoundIn(text: string, effort?: Effort): boolean;
};

/** What may still be spent, in steps of some 10 ns; below 0 every answer is false and says nothing. */
export type Effort = { steps: number };

/**
 * Compiles an expression to a program that is run without backtracking: time is bounded by program size (at most
 * 2,000 steps) times text length, so no provisioned expression can stall a node. Undefined when it is malformed,
 * longer than 512 characters or expands beyond that size.
 */
export function compileExtendedRegularExpression(source: string): ExtendedRegularExpression | undefined {
  const tree = parseExpression(source);
  const program = tree && assemble(tree);
  if (program === undefined) return undefined;
  return {
    source,
    matches: (text, effort) => run(program, text, true, effort),
    isFoundIn: (text, effort) => run(program, text, false, effort),
  };
}

function run(program: Program, text: string, whole: boolean, effort?: Effort): boolean {
  const size = program.length;
  let current = new Uint16Array(size);
  let next = new Uint16Array(size);
  const seen = new Int32Array(size).fill(-1);
  const stack: number[] = [];
  let count = 0;
  let spent = size >> 4;

  const add = (list: Uint16Array, from: number, at: number): boolean => {
    stack.push(from);
    let accepted = false;
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      spent++;
      if (seen[pc] === at) continue;
      seen[pc] = at;
      const step = program[pc];
      if (step === undefined) continue;
      if (step.op === Op.split) stack.push(step.other, step.next);
      else if (step.op === Op.jump) stack.push(step.next);
      else if (step.op === Op.start) at === 0 && stack.push(step.next);
      else if (step.op === Op.end) at === text.length && stack.push(step.next);
      else if (step.op === Op.accept) accepted ||= !whole || at === text.length;
      else list[count++] = pc;
    }
    return accepted;
  };

  if (add(current, 0, 0)) return true;
  for (let i = 0; i < text.length; i++) {
    const live = count;
    if (effort !== undefined) {
      effort.steps -= spent + live;
      if (effort.steps < 0) return false;
      spent = 0;
    }
    const code = text.charCodeAt(i);
    count = 0;
    for (let k = 0; k < live; k++) {
      const step = program[current[k] ?? 0];
      if (step?.op === Op.set && step.has(code) && add(next, step.next, i + 1)) return true;
    }
    if (!whole && add(next, 0, i + 1)) return true;
    if (count === 0 && whole) return false;
    [current, next] = [next, current];
  }
  return false;
}
