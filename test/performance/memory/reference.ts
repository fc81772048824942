import { setTimeout as delay } from "node:timers/promises";
import { type SippResult, type SippStats, unexpectedStatuses } from "../../support/sipp.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "../load.ts";
import { cpuSeconds, memoryOf } from "../proc.ts";
import { percentile } from "../round.ts";
import type { SystemUnderTest } from "../system.ts";
import { domain } from "../system.ts";
import { type User, usersOf } from "../users.ts";
import { memberOf } from "./crowd.ts";
import { type CrowdFigures, registerCrowd } from "./register-crowd.ts";

/** Clearwater's reference load, of a registered subscriber in an hour. */
export const REFERENCE = { reRegistrations: 2, calls: 0.65 } as const;
/** UEs that call and that are called; everybody else registers. */
const PAIRS = 500;
const AT_ONCE = 2000;
const HOUR_S = 3600;
const ATTEMPTS = 5;
const MOST_LIMITS = 40;

export interface ReferenceOptions {
  readonly system: SystemUnderTest;
  readonly target: { readonly host: string; readonly port: number };
  /** Registered subscribers, numbers of the crowd from 0. */
  readonly subscribers: number;
  readonly seconds: number;
  readonly provision: (users: readonly User[]) => Promise<void>;
  readonly say: (line: string) => void;
}

export interface ReferenceResult {
  readonly subscribers: number;
  readonly seconds: number;
  /** A second. */
  readonly rates: { readonly reRegistrations: number; readonly calls: number };
  readonly crowd: CrowdFigures;
  readonly calls: SippStats;
  /** What ended calls that failed, by how often. */
  readonly unexpected: Readonly<Record<string, number>>;
  /** What the core said of limits for overload, the last ones. */
  readonly limits: readonly string[];
  /** Milliseconds: from the first REGISTER to the 200 of the second, INVITE to 180. */
  readonly times: Readonly<Record<"REGISTER" | "INVITE-180", { readonly p50: number; readonly p99: number }>>;
  /** Processor time in cores, by process. */
  readonly cores: Readonly<Record<string, number>>;
  /** Resident megabytes by process, at the end. */
  readonly residentMb: Readonly<Record<string, number>>;
}

/** What so many registered subscribers do in the busy hour, for a while: they come again to register, and call. */
export async function runReference(options: ReferenceOptions): Promise<ReferenceResult> {
  const { system, target, subscribers, seconds, provision, say } = options;
  const rates = {
    reRegistrations: (subscribers * REFERENCE.reRegistrations) / HOUR_S,
    calls: Math.max(1, Math.round((subscribers * REFERENCE.calls) / HOUR_S)),
  };
  const [callers, callees] = [usersOf("a", PAIRS), usersOf("b", PAIRS)];
  await provision([...callers, ...callees]);
  const first = await registerAll(system, callers, "caller");
  await registerAll(system, callees, "callee");
  const answering = startCallees(callees, (seconds + 120) * 1000);
  try {
    await delay(500);
    const used = (): Map<string, number> =>
      new Map([...system.parts].map(([part, pid]) => [part, cpuSeconds(pid)]));
    const [before, began] = [used(), performance.now()];
    // Not of what comes after the last one has begun: UEs that were told to come later, and calls that are up.
    const spent = delay(seconds * 1000).then(() => ({
      after: used(),
      wall: (performance.now() - began) / 1000,
    }));
    const calling = startCalls({
      ...{ system, callers, callees, routes: serviceRoutes(first) },
      ...{ rate: rates.calls, count: rates.calls * seconds },
    });
    const { tookMs, ...crowd } = await registerCrowd({
      ...{ target, domain, from: 0, to: Math.round(rates.reRegistrations * seconds) },
      memberOf: (number) => memberOf(number % subscribers),
      before: (number) => 1 + Math.floor(number / subscribers),
      ...{ atOnce: AT_ONCE, rate: rates.reRegistrations, steady: true },
      progress: (registered) =>
        say(
          `${registered} registered again, ${calling.stats().successful} calls, ${calling.stats().failed} calls failed`,
        ),
    });
    const called = await calling.done;
    const { after, wall } = await spent;
    const cores = Object.fromEntries(
      [...after].map(([part, total]) => [part, (total - (before.get(part) ?? 0)) / wall]),
    );
    const setUp = called.responseTimes.get("1") ?? [];
    const both = (values: readonly number[]) => ({
      p50: percentile(values, 0.5),
      p99: percentile(values, 0.99),
    });
    return {
      ...{ subscribers, seconds, rates, crowd, calls: called.stats, cores },
      unexpected: Object.fromEntries(unexpectedStatuses(called.errors)),
      limits: limitsIn(system.output?.() ?? ""),
      times: { REGISTER: both(tookMs), "INVITE-180": both(setUp) },
      residentMb: Object.fromEntries(
        [...system.parts].map(([part, pid]) => [part, memoryOf(pid).rssKb / 1024]),
      ),
    };
  } finally {
    await answering.finish(1000);
  }
}

/** All of them, in one go: on a machine that stands still for a moment some are told to come again. */
async function registerAll(
  system: SystemUnderTest,
  users: readonly User[],
  role: "caller" | "callee",
): Promise<SippResult> {
  let problem = "";
  for (let i = 0; i < ATTEMPTS; i++) {
    const result = await startRegistrations({ system, users, role, rate: 50 }).done;
    if (result.exitCode === 0) return result;
    problem = result.errors.slice(0, 800);
    await delay(5_000);
  }
  throw new Error(`the UEs that call could not register: ${problem}`);
}

/** Lines of a log that say when a limit began and when it was over. */
function limitsIn(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.includes('"msg":"overload'))
    .slice(-MOST_LIMITS);
}

/** Failed procedures: what a UE has to do again later is none, and is told apart. */
export function failedIn({ crowd, calls }: ReferenceResult): number {
  return crowd.failed + calls.failed;
}

export function referenceText(result: ReferenceResult): string {
  const { subscribers, seconds, rates, crowd, calls, times, cores, residentMb, unexpected, limits } = result;
  const reasons = Object.entries(unexpected).map(([what, count]) => `${count} by ${what}`);
  const by = (values: Readonly<Record<string, number>>, digits: number): string =>
    Object.entries(values)
      .map(([part, value]) => `${part} ${value.toFixed(digits)}`)
      .join(", ");
  return [
    `${subscribers} registered subscribers, each ${REFERENCE.reRegistrations} registrations and ${REFERENCE.calls} calls an hour, for ${seconds} s: ${rates.reRegistrations.toFixed(0)} and ${rates.calls} a second`,
    `  registrations: ${crowd.registered} in ${crowd.seconds.toFixed(0)} s, ${crowd.failed} failed${crowd.problem === undefined ? "" : ` (${crowd.problem})`}, ${crowd.refusals} told to come later, ${crowd.retransmissions} repeated; p50 ${times.REGISTER.p50.toFixed(0)} ms, p99 ${times.REGISTER.p99.toFixed(0)} ms with the challenge`,
    `  calls: ${calls.successful}, ${[`${calls.failed} failed`, ...reasons].join(", ")}, ${calls.retransmissions} repeated; INVITE to 180 p50 ${times["INVITE-180"].p50.toFixed(0)} ms, p99 ${times["INVITE-180"].p99.toFixed(0)} ms`,
    `  cores: ${by(cores, 2)}; resident MB: ${by(residentMb, 0)}`,
    ...limits.map((line) => `  ${line}`),
  ].join("\n");
}
