import { join } from "node:path";
import { type RunningSipp, type SippResult, startSipp } from "../../support/sipp.ts";
import { bufferArgs } from "../load.ts";
import { percentile } from "../round.ts";
import { domain, type SystemUnderTest } from "../system.ts";
import type { User } from "../users.ts";

const CALLER_PORT = 5060;
export const HOLD_MS = 500;
/** What is in progress when the last call was offered may take so long. */
export const DRAIN_MS = 20_000;

/** Offered load for some seconds, and what came of it. Rates per second, times in ms. */
export type Step = {
  readonly name: string;
  readonly offered: number;
  /** Calls that were set up and ended, per second of offering. */
  readonly goodput: number;
  readonly refused: number;
  /** Neither completed nor refused properly. */
  readonly failed: number;
  /** Of the calls that were answered, those that could be ended. */
  readonly inDialog: number;
  readonly setupP50: number;
  readonly setupP95: number;
  readonly refusalP95: number;
  readonly retransmissions: number;
  readonly complaints: string;
};

export type Callers = {
  readonly system: SystemUnderTest;
  readonly callers: readonly User[];
  readonly routes: ReadonlyMap<string, string>;
};

export function startStep({ system, callers, routes }: Callers, rate: number, seconds: number): RunningSipp {
  let cells = 0;
  const csv = callers.flatMap(({ address, name }) => {
    const route = routes.get(name)?.split(";");
    if (route === undefined) return [];
    cells = route.length;
    return [[address, name, "-", name.replace("a", "b"), ...route]];
  });
  const count = Math.round(rate * seconds);
  return startSipp({
    scenario: join(import.meta.dirname, "caller.xml"),
    target: system.target,
    csv,
    fill: { ROUTE: Array.from({ length: cells }, (_, index) => `[field${index + 4}]`).join(";") },
    keys: { domain, port: String(CALLER_PORT) },
    args: [
      ...["-t", "ui", "-ip_field", "0", "-i", "127.0.0.1", "-p", String(CALLER_PORT)],
      ...bufferArgs,
      ...["-r", String(rate), "-m", String(count), "-l", String(count), "-d", String(HOLD_MS)],
    ],
    timeoutMs: seconds * 1000 + HOLD_MS + DRAIN_MS,
    traceMessages: false,
  });
}

export function stepOf(name: string, result: SippResult, rate: number, seconds: number): Step {
  const times = (rtd: string): readonly number[] => result.responseTimes.get(rtd) ?? [];
  const completed = times("3").length;
  const refused = times("4").length;
  const offered = Math.max(result.stats.created, Math.round(rate * seconds));
  return {
    name,
    offered: rate,
    goodput: Math.round(completed / seconds),
    refused,
    failed: offered - completed - refused,
    inDialog: times("2").length === 0 ? 1 : completed / times("2").length,
    setupP50: percentile(times("1"), 0.5),
    setupP95: percentile(times("1"), 0.95),
    refusalP95: percentile(times("4"), 0.95),
    retransmissions: result.stats.retransmissions,
    complaints: result.errors.slice(0, 500),
  };
}
