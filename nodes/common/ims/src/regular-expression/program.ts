import type { Expression } from "./parse.ts";

const MAX_STEPS = 2000;

export const Op = { set: 0, split: 1, jump: 2, start: 3, end: 4, accept: 5, save: 6 } as const;

/** One step of a compiled expression; `next` and `other` are indices into the program. */
export type Step =
  | { readonly op: 0; readonly has: (code: number) => boolean; next: number }
  | { readonly op: 1; next: number; other: number }
  | { readonly op: 2 | 3 | 4; next: number }
  | { readonly op: 5 }
  | { readonly op: 6; next: number; readonly slot: number };

export type Program = readonly Step[];

class TooLarge extends Error {}

/**
 * Lays the tree out as a program (Thompson's construction). Undefined when repetition expands it too far. Groups up to `captures`
 * note where they begin and end, in slots 2n and 2n + 1.
 */
export function assemble(tree: Expression, captures = 0): Program | undefined {
  const program: Step[] = [];
  try {
    // Empty groups repeat without adding a step, so the walk is bounded by itself first.
    if (visits(tree) > MAX_STEPS) return undefined;
    emit(program, tree, captures);
    push(program, { op: Op.accept });
    return program;
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

function visits(node: Expression): number {
  if (node.kind === "sequence") return node.parts.reduce((sum, part) => sum + visits(part), 1);
  if (node.kind === "choice") return node.options.reduce((sum, option) => sum + visits(option), 1);
  if (node.kind === "group") return visits(node.of);
  if (node.kind !== "repeat") return 1;
  return 1 + visits(node.of) * (node.max === Number.POSITIVE_INFINITY ? node.min + 1 : Math.max(node.max, 1));
}

function push(program: Step[], step: Step): void {
  if (program.length >= MAX_STEPS) throw new TooLarge();
  program.push(step);
}

function emit(program: Step[], node: Expression, captures: number): void {
  switch (node.kind) {
    case "set":
      push(program, { op: Op.set, has: node.has, next: program.length + 1 });
      return;
    case "start":
    case "end":
      push(program, { op: node.kind === "start" ? Op.start : Op.end, next: program.length + 1 });
      return;
    case "sequence":
      for (const part of node.parts) emit(program, part, captures);
      return;
    case "choice":
      return emitChoice(program, node.options, captures);
    case "group":
      return emitGroup(program, node, captures);
    case "repeat":
      return emitRepeat(program, node, captures);
  }
}

function emitChoice(program: Step[], options: readonly Expression[], captures: number): void {
  const exits: { next: number }[] = [];
  for (const [index, option] of options.entries()) {
    if (index === options.length - 1) {
      emit(program, option, captures);
      break;
    }
    const split = { op: Op.split, next: program.length + 1, other: 0 };
    push(program, split);
    emit(program, option, captures);
    const exit = { op: Op.jump, next: 0 };
    push(program, exit);
    exits.push(exit);
    split.other = program.length;
  }
  for (const exit of exits) exit.next = program.length;
}

function emitGroup(
  program: Step[],
  { of, index }: Extract<Expression, { kind: "group" }>,
  captures: number,
): void {
  if (index > captures) return emit(program, of, captures);
  push(program, { op: Op.save, next: program.length + 1, slot: 2 * index });
  emit(program, of, captures);
  push(program, { op: Op.save, next: program.length + 1, slot: 2 * index + 1 });
}

function emitRepeat(program: Step[], node: Extract<Expression, { kind: "repeat" }>, captures: number): void {
  for (let i = 0; i < node.min; i++) emit(program, node.of, captures);
  if (node.max === Number.POSITIVE_INFINITY) {
    const split = { op: Op.split, next: program.length + 1, other: 0 };
    const top = program.length;
    push(program, split);
    emit(program, node.of, captures);
    push(program, { op: Op.jump, next: top });
    split.other = program.length;
    return;
  }
  const splits: { other: number }[] = [];
  for (let i = node.min; i < node.max; i++) {
    const split = { op: Op.split, next: program.length + 1, other: 0 };
    push(program, split);
    splits.push(split);
    emit(program, node.of, captures);
  }
  for (const split of splits) split.other = program.length;
}
