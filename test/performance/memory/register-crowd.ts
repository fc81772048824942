import type { User } from "../users.ts";
import { Pace, Steady } from "./pace.ts";
import { type Nuisance, Registering, type Setting } from "./registering.ts";

const TICK_MS = 50;

export interface CrowdOptions extends Omit<Setting, "before"> {
  /** Number of the first UE, and of the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly memberOf: (number: number) => User;
  /** How often the one with this number registered before. Default: never. */
  readonly before?: (number: number) => number;
  /** UEs that register at the same time, those that were told to come back later not counted; each has a socket. */
  readonly atOnce: number;
  /** Registrations begun a second, at most: as many as the core serves (`Pace`). */
  readonly rate: number;
  /** That rate all the time, whatever the core says to it. */
  readonly steady?: boolean;
  readonly progress?: (registered: number) => void;
}

export interface CrowdResult extends Nuisance {
  registered: number;
  failed: number;
  /** The first failure. */
  problem: string | undefined;
  seconds: number;
  /** Milliseconds from the first request of each that registered to its 200. */
  readonly tookMs: number[];
}

/** All but single times. */
export type CrowdFigures = Omit<CrowdResult, "tookMs">;

/**
 * Registers a crowd, each UE once and challenged: more UEs than SIPp can have sockets for. For filling a core and for keeping it busy, not for
 * measuring what it does: SIPp is the judge of rates.
 */
export async function registerCrowd(options: CrowdOptions): Promise<CrowdResult> {
  const { from, to, memberOf, before = () => 0, atOnce, rate, steady = false } = options;
  const began = performance.now();
  const result: CrowdResult = {
    ...{ registered: 0, failed: 0, problem: undefined, seconds: 0 },
    ...{ retransmissions: 0, refusals: 0, tookMs: [] },
  };
  const busy = new Set<Registering>();
  const pace = steady ? new Steady(rate, began) : new Pace(rate, began);
  let next = from;
  let resting = 0;
  await new Promise<void>((resolve) => {
    const begin = (): void => {
      const now = performance.now();
      while (next < to && busy.size - resting < atOnce && pace.take(now)) {
        const since = now;
        const one: Registering = new Registering(memberOf(next), {
          setting: { target: options.target, domain: options.domain, before: before(next) },
          nuisance: result,
          rests: (rests) => {
            resting += rests ? 1 : -1;
          },
          done: (ended) => {
            busy.delete(one);
            if (ended.kind === "registered") {
              result.registered += 1;
              result.tookMs.push(performance.now() - since);
            } else {
              result.failed += 1;
              result.problem ??= ended.problem;
            }
            begin();
          },
        });
        busy.add(one);
        next += 1;
      }
      if (next >= to && busy.size === 0) {
        clearInterval(timer);
        resolve();
      }
    };
    let ticks = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      for (const one of busy) one.tick(now);
      pace.tell(result.refusals + result.retransmissions, now);
      begin();
      ticks += 1;
      if (ticks % (10_000 / TICK_MS) === 0) options.progress?.(result.registered);
    }, TICK_MS);
    begin();
  });
  result.seconds = (performance.now() - began) / 1000;
  return result;
}
