import type { Tolerance } from "../placement/cells.ts";
import { scalingSteps } from "../placement/steps.ts";
import type { ScaledPool } from "./scaler-config.ts";

/** What is known when it is decided about a pool. */
export interface Situation {
  readonly size: number;
  /** Sizes the pool can stay at are those of its share. */
  readonly tolerance: Tolerance;
  /** Latest values of the signals, oldest first; undefined where there was no answer. */
  readonly samples: readonly ReadonlyMap<string, number | undefined>[];
  /** What a webhook asks for. */
  readonly asked: "out" | "in" | undefined;
  /** ms since the epoch of the last change. */
  readonly changed: number | undefined;
  readonly now: number;
}

export type Decision =
  | { readonly kind: "hold"; readonly why: string }
  | { readonly kind: "out" | "in"; readonly to: number; readonly why: string };

/** One aligned step up or down, or none. A signal above its bound is enough to grow; to shrink all must agree. */
export function decide(pool: ScaledPool, situation: Situation): Decision {
  const { size, asked, tolerance } = situation;
  const wish = asked === undefined ? wishOf(pool, situation) : { kind: asked, why: "asked by a webhook" };
  if (wish.kind === "hold") return wish;
  const to = wish.kind === "out" ? stepUp(tolerance, size) : stepDown(tolerance, size);
  if (wish.kind === "out" && to > pool.max)
    return hold(`${wish.why}, but ${to} is above the most, ${pool.max}`);
  if (wish.kind === "in" && to < pool.min)
    return hold(`${wish.why}, but ${to} is below the least, ${pool.min}`);
  if (wish.kind === "in" && asked === undefined) {
    const risk = wouldGrowAgain(pool, situation, to);
    if (risk !== undefined) return hold(`${wish.why}, but ${risk}`);
  }
  const wait = pool.cooldown[wish.kind] * 1_000;
  const { changed, now } = situation;
  if (changed !== undefined && now - changed < wait)
    return hold(
      `${wish.why}, but the last change is ${Math.floor((now - changed) / 1_000)} s ago, ${wait / 1_000} s are to pass`,
    );
  return { kind: wish.kind, to, why: wish.why };
}

function wishOf(
  pool: ScaledPool,
  { samples }: Situation,
): { kind: "out" | "in"; why: string } | { kind: "hold"; why: string } {
  const signals = Object.entries(pool.signals);
  const recent = samples.slice(-pool.samples);
  if (signals.length === 0) return hold("nobody asks");
  if (recent.length < pool.samples) return hold(`${recent.length} of ${pool.samples} samples yet`);
  for (const [name, { out }] of signals) {
    const values = recent.map((sample) => sample.get(name));
    if (values.every((value) => value !== undefined && value > out))
      return { kind: "out", why: `${name} is ${shown(values.at(-1))}, above ${out}` };
  }
  for (const [name, signal] of signals) {
    const values = recent.map((sample) => sample.get(name));
    if (values.includes(undefined)) return hold(`${name} is not known`);
    if (!values.every((value) => value !== undefined && value < signal.in))
      return hold(`${name} is ${shown(values.at(-1))}, between ${signal.in} and ${signal.out}`);
  }
  return { kind: "in", why: `${signals.map(([name]) => name).join(" and ")} low` };
}

/** What fewer members would have to carry, if it divides evenly; a tenth is kept as reserve. */
function wouldGrowAgain(pool: ScaledPool, { samples, size }: Situation, to: number): string | undefined {
  const last = samples.at(-1);
  for (const [name, { out }] of Object.entries(pool.signals)) {
    const then = ((last?.get(name) ?? 0) * size) / to;
    if (then > out * 0.9) return `${name} would be ${shown(then)} on ${to} members, near ${out}`;
  }
  return undefined;
}

/** The next size that the templates take: one step of the share. */
export function stepUp({ share }: Tolerance, size: number): number {
  return nextStop(share.denominator, size);
}

export function stepDown(tolerance: Tolerance, size: number): number {
  const q = tolerance.share.denominator;
  if (q === 1) return size - 1;
  const stop = Math.ceil((size + 1) / q) * q - 1 - q;
  // Below the first stop a pool has one cell: any size that is a step is aligned.
  return scalingSteps(tolerance, size, Math.max(1, stop)).at(0) ?? Math.max(1, stop);
}

function nextStop(q: number, size: number): number {
  return q === 1 ? size + 1 : (Math.floor((size + 1) / q) + 1) * q - 1;
}

function hold(why: string): { kind: "hold"; why: string } {
  return { kind: "hold", why };
}

function shown(value: number | undefined): string {
  return value === undefined ? "unknown" : String(Number(value.toPrecision(3)));
}
