import { randomInt } from "node:crypto";
import type { Clock } from "@ims/runtime";
import type { KvStore } from "@ims/store";
import { z } from "zod";
import { Documents, UNAVAILABLE, type Unavailable } from "../store/documents.ts";
import { type NumberRange, numberAt, overlaps } from "./number-range.ts";

/** Numbers that differ in their last two digits only are taken in one document. */
const BLOCK_DIGITS = 2;
/** Blocks looked at for a free number. */
const MAX_BLOCKS = 300;
const MAX_RANGES = 200;
/** A claim whose account does not have the number by then has been left behind by an ellis that died. */
const SETTLED_MS = 600_000;
/** Such claims looked for when no number is free. */
const MAX_DOUBTED = 50;

const rangesSchema = z.array(z.object({ first: z.string(), count: z.number(), pstn: z.boolean() }));
const blockSchema = z.array(z.object({ number: z.string(), owner: z.string(), at: z.number() }));
type Claim = z.output<typeof blockSchema>[number];

/** Numbers that accounts are given: ranges of them, and which are taken. A number is taken by one account at most. */
export class NumberPool {
  readonly #configured: readonly NumberRange[];
  readonly #ranges: Documents<typeof rangesSchema>;
  readonly #blocks: Documents<typeof blockSchema>;
  readonly #clock: Clock;
  readonly #isKept: (owner: string, number: string) => Promise<boolean>;

  /** `isKept`: whether an account has a number; true while that is not known. */
  constructor(
    configured: readonly NumberRange[],
    { store, clock }: { readonly store: KvStore; readonly clock: Clock },
    isKept: (owner: string, number: string) => Promise<boolean>,
  ) {
    this.#configured = configured;
    this.#ranges = new Documents(store, "ellis-ranges", rangesSchema);
    this.#blocks = new Documents(store, "ellis-numbers", blockSchema);
    this.#clock = clock;
    this.#isKept = isKept;
  }

  /** All ranges, those of the configuration first. */
  async ranges(): Promise<readonly NumberRange[] | Unavailable> {
    const stored = await this.#ranges.get("ranges");
    return stored === UNAVAILABLE ? UNAVAILABLE : [...this.#configured, ...(stored ?? [])];
  }

  async addRange(range: NumberRange): Promise<"added" | "overlaps" | "tooMany" | Unavailable> {
    if (this.#configured.some((each) => overlaps(each, range))) return "overlaps";
    let refused: "overlaps" | "tooMany" | undefined;
    const result = await this.#ranges.change("ranges", (before = []) => {
      refused = before.some((each) => overlaps(each, range))
        ? "overlaps"
        : before.length >= MAX_RANGES
          ? "tooMany"
          : undefined;
      return refused === undefined ? [...before, { ...range }] : "keep";
    });
    return result === UNAVAILABLE ? UNAVAILABLE : (refused ?? "added");
  }

  /** Its numbers are given out no more; those that are taken stay so. */
  async removeRange(first: string): Promise<"removed" | "configured" | "unknown" | Unavailable> {
    if (this.#configured.some((each) => each.first === first)) return "configured";
    const result = await this.#ranges.change("ranges", (before = []) =>
      before.some((each) => each.first === first) ? before.filter((each) => each.first !== first) : "keep",
    );
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return result === "changed" ? "removed" : "unknown";
  }

  /** A free number, chosen at random, now taken by the account. `not`: numbers that were tried. */
  async take(
    owner: string,
    { pstn, not }: { readonly pstn: boolean; readonly not: ReadonlySet<string> },
  ): Promise<{ readonly number: string } | "none" | Unavailable> {
    const all = await this.ranges();
    if (all === UNAVAILABLE) return UNAVAILABLE;
    const ranges = all.filter((range) => range.pstn === pstn);
    const total = ranges.reduce((sum, { count }) => sum + count, 0);
    if (total === 0) return "none";
    const doubted: Claim[] = [];
    let looked = 0;
    for (const numbers of blocksFrom(ranges, randomInt(total), total)) {
      if (looked++ >= MAX_BLOCKS) break;
      const taken = await this.#takeIn(owner, numbers, not, doubted);
      if (taken !== "none") return taken;
    }
    return this.#takeLost(owner, doubted, not);
  }

  /** Takes that number, or name, whether it is in a range or not. */
  async claim(owner: string, number: string): Promise<"taken" | "inUse" | Unavailable> {
    const taken = await this.#takeIn(owner, [number], new Set(), []);
    if (taken === UNAVAILABLE) return UNAVAILABLE;
    return taken === "none" ? "inUse" : "taken";
  }

  /** Gives a number back; one that somebody else has stays. */
  async release(owner: string, number: string): Promise<"released" | Unavailable> {
    const result = await this.#blocks.change(blockOf(number), (before = []) => {
      const after = before.filter((claim) => claim.number !== number || claim.owner !== owner);
      if (after.length === before.length) return "keep";
      return after.length === 0 ? undefined : after;
    });
    return result === UNAVAILABLE ? UNAVAILABLE : "released";
  }

  async #takeIn(
    owner: string,
    numbers: readonly string[],
    not: ReadonlySet<string>,
    doubted: Claim[],
  ): Promise<{ readonly number: string } | "none" | Unavailable> {
    const [first] = numbers;
    if (first === undefined) return "none";
    const now = this.#clock.now();
    let chosen: string | undefined;
    let old: readonly Claim[] = [];
    const result = await this.#blocks.change(blockOf(first), (before = []) => {
      const taken = new Set(before.map(({ number }) => number));
      const free = numbers.filter((number) => !taken.has(number) && !not.has(number));
      chosen = free.length === 0 ? undefined : free[randomInt(free.length)];
      old = before.filter(({ number, at }) => at < now - SETTLED_MS && numbers.includes(number));
      return chosen === undefined ? "keep" : [...before, { number: chosen, owner, at: now }];
    });
    if (result === UNAVAILABLE) return UNAVAILABLE;
    if (chosen !== undefined) return { number: chosen };
    doubted.push(...old.slice(0, MAX_DOUBTED - doubted.length));
    return "none";
  }

  /** When nothing is free: what an ellis has taken and died before its account had it. */
  async #takeLost(
    owner: string,
    doubted: readonly Claim[],
    not: ReadonlySet<string>,
  ): Promise<{ readonly number: string } | "none" | Unavailable> {
    for (const { number, owner: other } of doubted) {
      if (not.has(number) || (await this.#isKept(other, number))) continue;
      if ((await this.release(other, number)) === UNAVAILABLE) return UNAVAILABLE;
      const taken = await this.#takeIn(owner, [number], not, []);
      if (taken !== "none") return taken;
    }
    return "none";
  }
}

/** The numbers of the ranges, block by block, beginning with that of the number at `start` and around. */
function* blocksFrom(ranges: readonly NumberRange[], start: number, total: number): Generator<string[]> {
  let index = start;
  let seen = 0;
  while (seen < total) {
    let within = index % total;
    const range = ranges.find(({ count }) => {
      if (within < count) return true;
      within -= count;
      return false;
    });
    if (range === undefined) return;
    const numbers = [numberAt(range, within)];
    const block = blockOf(numbers[0] ?? "");
    // Back to where the block begins at the first one, so that none is left out and none comes twice.
    let before = within - 1;
    if (seen === 0)
      for (; before >= 0 && blockOf(numberAt(range, before)) === block; before--)
        numbers.push(numberAt(range, before));
    let after = within + 1;
    for (; after < range.count && blockOf(numberAt(range, after)) === block; after++)
      numbers.push(numberAt(range, after));
    yield numbers;
    index += after - within;
    seen += numbers.length;
  }
}

/** Names have a document each. */
function blockOf(number: string): string {
  return /^\+?[0-9]{3,15}$/.test(number) ? `numbers ${number.slice(0, -BLOCK_DIGITS)}` : `name ${number}`;
}
