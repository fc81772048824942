import type { RegisterOperation } from "./operations.ts";

/** A search that takes more steps than this is given up: it says so instead of running for hours. */
const MOST_STEPS = 200_000;

export type Linearizability =
  | { readonly kind: "linearizable" }
  | { readonly kind: "violated"; readonly stuckAt: RegisterOperation }
  | { readonly kind: "undecided"; readonly steps: number };

/**
 * Whether the registrations of one AoR look as if each had taken effect at one instant between its REGISTER and its answer
 * (Herlihy and Wing), starting from the devices bound at first. A 200 tells the whole set, so every answer is a read too.
 * An operation of unknown outcome may have taken effect at any later time or never; one that was refused has not.
 */
export function linearizable(
  operations: readonly RegisterOperation[],
  initially: readonly string[],
): Linearizability {
  const ordered = operations
    .flatMap(attemptsOf)
    .filter(({ outcome, purpose }) => outcome === "ok" || (outcome === "unknown" && purpose !== "fetch"))
    .toSorted((a, b) => a.began - b.began);
  const tried = new Set<string>();
  let furthest = -1;
  let stuckAt: RegisterOperation | undefined;
  let steps = 0;
  const stack: Position[] = [{ first: 0, beyond: [], devices: [...initially].sort() }];
  for (let here = stack.pop(); here !== undefined; here = stack.pop()) {
    if (++steps > MOST_STEPS) return { kind: "undecided", steps };
    const open = ordered.findIndex(
      (one, index) => index >= here.first && one.outcome === "ok" && !here.beyond.includes(index),
    );
    if (open < 0) return { kind: "linearizable" };
    if (here.first + here.beyond.length > furthest) {
      furthest = here.first + here.beyond.length;
      stuckAt = ordered[open];
    }
    for (const index of candidates(ordered, here)) {
      const one = ordered[index];
      if (one === undefined) continue;
      const devices = effectOf(one, here.devices);
      if (one.outcome === "ok" && one.seen !== undefined && !same(devices, one.seen)) continue;
      const next = advance({ ...here, devices }, index, ordered.length);
      const key = `${next.first}|${next.beyond.join(",")}|${next.devices.join(",")}`;
      if (tried.has(key)) continue;
      tried.add(key);
      stack.push(next);
    }
  }
  if (stuckAt === undefined) return { kind: "linearizable" };
  return { kind: "violated", stuckAt };
}

/** A procedure in which REGISTERs stayed without an answer is as many operations: any of them may have been done. */
function attemptsOf(one: RegisterOperation): RegisterOperation[] {
  if (one.unanswered === undefined || one.purpose === "fetch") return [one];
  const { unanswered, asked, ...rest } = one;
  // The effect of the same REGISTER sent again is the same: one that may happen at any time stands for all of them.
  return [
    ...unanswered.slice(0, 1).map((began) => ({ ...rest, began, outcome: "unknown" as const })),
    { ...rest, began: asked ?? one.began },
  ];
}

/** All before `first` have taken effect or never will; of those after it, only the ones in `beyond`. */
interface Position {
  readonly first: number;
  readonly beyond: readonly number[];
  readonly devices: readonly string[];
}

/** What may come next: whatever began before every operation still to come has ended. */
function candidates(ordered: readonly RegisterOperation[], { first, beyond }: Position): number[] {
  let earliestEnd = Number.POSITIVE_INFINITY;
  const found: number[] = [];
  for (let index = first; index < ordered.length; index++) {
    const one = ordered[index];
    if (one === undefined || beyond.includes(index)) continue;
    if (one.began > earliestEnd) break;
    found.push(index);
    if (one.outcome === "ok") earliestEnd = Math.min(earliestEnd, one.ended);
  }
  // Pushed last, tried first: the order in which they began is nearly always right.
  return found.filter((index) => (ordered[index]?.began ?? 0) <= earliestEnd).reverse();
}

function advance(here: Position, taken: number, length: number): Position {
  const beyond = new Set([...here.beyond, taken]);
  let first = here.first;
  while (first < length && beyond.delete(first)) first++;
  return { first, beyond: [...beyond].sort((a, b) => a - b), devices: here.devices };
}

function effectOf(one: RegisterOperation, devices: readonly string[]): readonly string[] {
  if (one.purpose === "fetch") return devices;
  const others = devices.filter((device) => device !== one.device);
  return one.purpose === "remove" ? others : [...others, one.device].sort();
}

function same(sorted: readonly string[], seen: readonly string[]): boolean {
  return sorted.length === seen.length && [...seen].sort().every((device, index) => device === sorted[index]);
}
