import { type Account, accountOf, attribute } from "./attribute.ts";
import type { Allocated, Frame } from "./frames.ts";
import type { Step } from "./steps.ts";
import type { ThreadTimes } from "./threads.ts";

/** What one process spent on a slice of load. */
export interface Slice {
  readonly operations: number;
  readonly times: ThreadTimes;
}

export interface ProfiledSlice extends Slice {
  readonly frames: Frame<number>;
}

/** What a process did under the same load: without a profiler, with one, and with its allocations counted. */
export interface Observed {
  readonly plain: readonly Slice[];
  readonly profiled: readonly ProfiledSlice[];
  readonly allocations: Allocations;
}

export interface Allocations {
  readonly operations: number;
  readonly seconds: number;
  readonly frames: Frame<Allocated>;
  /** What the process allocates anyway, without load. */
  readonly idle: { readonly seconds: number; readonly frames: Frame<Allocated> };
}

/** Of one operation: microseconds of a processor, objects and bytes allocated. */
export interface Spent extends Allocated {
  readonly micros: number;
}

/** A function of the project with what it asks of the engine and of Node, not what functions of the project do for it. */
export interface FunctionSpent extends Spent {
  readonly functionName: string;
  readonly file: string;
}

export interface PartBudget {
  /** Microseconds of one operation, all threads, as without the profiler. */
  readonly micros: number;
  readonly steps: Readonly<Partial<Record<Step, Spent>>>;
  /** The step of that name by threads, microseconds. */
  readonly helpers: Readonly<Record<string, number>>;
  /** Share of `micros` that the kernel took, whatever the step. */
  readonly kernelShare: number;
  /** By how much the profiler raises the cost of an operation, its own thread included: 1 is not at all. */
  readonly profilerCost: number;
  /** Functions, the dearest first. */
  readonly functions: readonly FunctionSpent[];
  /** Where the main thread's time goes by function, microseconds of one operation; what costs nothing is left out. */
  readonly frames: Frame<number>;
}

/**
 * The budget of a process. Shares are those of the profiled slices, microseconds those of the slices without the profiler. Samples tell time of the
 * clock: where there is more of it than the main thread ran, it waited for a processor and all steps are reduced alike; where there is less, the
 * rest is what the kernel does between asleep and awake.
 */
export function budgetOf({ plain, profiled, allocations }: Observed): PartBudget {
  const tree = withoutSleep(merged(profiled.map(({ frames }) => frames)));
  const sampled = total(tree);
  const times = sumOf(profiled);
  const main = times.main * 1e6;
  const reduced = sampled > main ? main / sampled : 1;
  const perOperation = micros(sumOf(plain)) / operationsOf(plain);
  // From microseconds of all profiled slices to those of one operation without a profiler.
  const scale = perOperation / micros(times);

  const spent = new Map<Step, { micros: number; objects: number; bytes: number }>();
  const of = (step: Step): { micros: number; objects: number; bytes: number } => {
    let found = spent.get(step);
    if (found === undefined) {
      found = { micros: 0, objects: 0, bytes: 0 };
      spent.set(step, found);
    }
    return found;
  };
  attribute(tree, ({ self }, account) => {
    if (account !== "asleep" && self > 0) of(account).micros += self * reduced * scale;
  });
  of("poll").micros = Math.max(0, main - sampled) * scale;
  of("helpers").micros = times.others * 1e6 * scale;
  for (const { frames: allocated, weight } of weighed(allocations))
    attribute(allocated, ({ self }, account) => {
      if (self.objects === 0) return;
      const step = of(account === "asleep" ? "engine" : account);
      step.objects += self.objects * weight;
      step.bytes += self.bytes * weight;
    });
  const plainTimes = sumOf(plain);
  const frames = scaled(tree, reduced * scale);
  return {
    micros: perOperation,
    steps: Object.fromEntries(spent),
    functions: functionsOf(frames, allocations),
    helpers: eachOf(plainTimes.byName, operationsOf(plain)),
    kernelShare: plainTimes.kernelTicks / Math.max(1, plainTimes.ticks),
    profilerCost: (micros(times) + times.sampler * 1e6) / operationsOf(profiled) / perOperation,
    frames,
  };
}

/** Seconds of so many operations as microseconds of one. */
function eachOf(seconds: Readonly<Record<string, number>>, operations: number): Record<string, number> {
  const each: Record<string, number> = {};
  for (const [name, spent] of Object.entries(seconds)) each[name] = (spent * 1e6) / operations;
  return each;
}

/** A tree and how much each of its figures counts. */
interface Weighed {
  readonly frames: Frame<Allocated>;
  readonly weight: number;
}

/** Of one operation: what was allocated under load, without what would have been allocated meanwhile anyway. */
function weighed({ operations, seconds, frames, idle }: Allocations): Weighed[] {
  return [
    { frames, weight: 1 / operations },
    { frames: idle.frames, weight: -seconds / idle.seconds / operations },
  ];
}

function functionsOf(frames: Frame<number>, allocations: Allocations): FunctionSpent[] {
  const found = new Map<string, { -readonly [Key in keyof FunctionSpent]: FunctionSpent[Key] }>();
  const walk = <Value>(
    frame: Frame<Value>,
    above: { readonly functionName: string; readonly file: string; readonly account: Account },
    add: (to: { micros: number; objects: number; bytes: number }, self: Value) => void,
  ): void => {
    const account = accountOf(frame, above.account);
    const isOwn = frame.file.startsWith("nodes/") || (frame.file === "" && account !== above.account);
    const owner = isOwn ? { functionName: frame.functionName, file: frame.file, account } : above;
    const key = `${owner.functionName}\n${owner.file}`;
    let spent = found.get(key);
    if (spent === undefined) {
      spent = { functionName: owner.functionName, file: owner.file, micros: 0, objects: 0, bytes: 0 };
      found.set(key, spent);
    }
    add(spent, frame.self);
    for (const child of frame.children) walk(child, owner, add);
  };
  const nobody = { functionName: "(nobody)", file: "", account: "engine" } as const;
  walk(frames, nobody, (to, self) => {
    to.micros += self;
  });
  for (const { frames: allocated, weight } of weighed(allocations))
    walk(allocated, nobody, (to, { objects, bytes }) => {
      to.objects += objects * weight;
      to.bytes += bytes * weight;
    });
  return [...found.values()]
    .filter(({ micros, objects }) => micros >= 0.05 || objects >= 0.05)
    .sort((a, b) => b.micros - a.micros);
}

function micros({ main, others }: ThreadTimes): number {
  return (main + others) * 1e6;
}

function operationsOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { operations }) => sum + operations, 0);
}

function sumOf(slices: readonly Slice[]): ThreadTimes {
  const sum = (of: Exclude<keyof ThreadTimes, "byName">): number =>
    slices.reduce((all, { times }) => all + times[of], 0);
  const byName: Record<string, number> = {};
  for (const { times } of slices)
    for (const [name, seconds] of Object.entries(times.byName)) byName[name] = (byName[name] ?? 0) + seconds;
  return {
    main: sum("main"),
    others: sum("others"),
    sampler: sum("sampler"),
    byName,
    kernelTicks: sum("kernelTicks"),
    ticks: sum("ticks"),
  };
}

/** One tree of several: what has the same name in the same place is one frame. Children are in the order of their names. */
export function merged(frames: readonly Frame<number>[]): Frame<number> {
  const groups = new Map<string, Frame<number>[]>();
  for (const child of frames.flatMap(({ children }) => children)) {
    const key = `${child.functionName}\n${child.file}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [child]);
    else group.push(child);
  }
  const ordered = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    functionName: frames[0]?.functionName ?? "(root)",
    file: frames[0]?.file ?? "",
    self: frames.reduce((sum, { self }) => sum + self, 0),
    children: ordered.map(([, group]) => merged(group)),
  };
}

function withoutSleep(root: Frame<number>): Frame<number> {
  const asleep = new Set<Frame<number>>();
  attribute(root, (frame, account) => {
    if (account === "asleep") asleep.add(frame);
  });
  const awake = (frame: Frame<number>): Frame<number> => ({
    ...frame,
    self: asleep.has(frame) ? 0 : frame.self,
    children: frame.children.map(awake),
  });
  return awake(root);
}

function scaled(frame: Frame<number>, by: number): Frame<number> {
  return { ...frame, self: frame.self * by, children: frame.children.map((child) => scaled(child, by)) };
}

/** Of a frame and all below it. */
export function total({ self, children }: Frame<number>): number {
  return children.reduce((sum, child) => sum + total(child), self);
}
