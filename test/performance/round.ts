import { setTimeout as delay } from "node:timers/promises";
import type { SippResult } from "../support/sipp.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "./load.ts";
import { type Measured, measure } from "./meter.ts";
import { memoryOf } from "./proc.ts";
import type { SystemName, SystemUnderTest } from "./system.ts";
import { usersOf } from "./users.ts";

/** Rates per second, durations in seconds. */
export type Plan = {
  readonly seconds: number;
  readonly regRate: number;
  readonly callRate: number;
  readonly warmupSeconds: number;
};

export type Operation = {
  readonly ok: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** CPU microseconds (user and system) of one operation, without the HSS. */
  readonly cpuMicros: number;
  readonly hssCpuMicros: number;
  readonly cpuMicrosByPart: Readonly<Record<string, number>>;
  readonly sippCpuMicros: number;
  readonly otherCores: number;
  /** Milliseconds by exchange. */
  readonly responseTimes: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>;
  /** The first complaints of SIPp, when something failed. */
  readonly complaints?: string;
};

export type Round = {
  readonly system: SystemName;
  readonly version: string;
  readonly registration: Operation;
  readonly call: Operation;
  readonly registered: number;
  readonly bytesPerSubscriber: { readonly rss: number; readonly pss: number };
  readonly memoryKb: Readonly<Record<string, { readonly rss: number; readonly pss: number }>>;
};

export type Sizes = { readonly warmup: number; readonly pairs: number };

/** UEs of a group in each phase, at most: all callees of both phases have a socket in one SIPp, of 20,000 files at most. At high rates they register again. */
const MOST_UES = 7_000;

/** UE pairs for the warm-up, and those that are measured. */
export function sizesOf(plan: Plan): Sizes {
  const { warmup, measured } = registrationsOf(plan);
  return { warmup: Math.min(MOST_UES, warmup), pairs: Math.min(MOST_UES, measured) };
}

/** Registrations of each group in the warm-up and in the measurement. */
function registrationsOf({ seconds, regRate, warmupSeconds }: Plan): { warmup: number; measured: number } {
  const half = (duration: number): number => Math.max(1, Math.ceil((regRate * duration) / 2));
  return { warmup: half(warmupSeconds), measured: half(seconds) };
}

const registrationExchanges = { "REGISTER-401": "1", "REGISTER-200": "2" };
const callExchanges = { "INVITE-180": "1", "BYE-200": "3" };

/** One round against freshly started systems, all in step: warm-up, registrations, calls. */
export async function runRounds(systems: readonly SystemUnderTest[], plan: Plan): Promise<Round[]> {
  const meet = meetingOf(systems.length);
  return Promise.all(
    systems.map((system) =>
      runRound(system, plan, meet.point).catch((error: unknown) => {
        meet.leave(); // the others shall not wait for one that has failed
        throw error;
      }),
    ),
  );
}

/** Where systems that are measured at once wait for each other, so that they do the same at the same time. */
function meetingOf(count: number): { readonly point: () => Promise<void>; readonly leave: () => void } {
  let present = count;
  let waiting: (() => void)[] = [];
  const goOn = (): void => {
    if (waiting.length < present) return;
    for (const go of waiting) go();
    waiting = [];
  };
  return {
    point: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        goOn();
      }),
    leave: () => {
      present -= 1;
      goOn();
    },
  };
}

async function runRound(system: SystemUnderTest, plan: Plan, meet: () => Promise<void>): Promise<Round> {
  const { warmup, pairs } = sizesOf(plan);
  const registrations = registrationsOf(plan);
  const register = (group: "a" | "b", users: number, from: number, count: number) => () =>
    startRegistrations({
      system,
      count,
      users: usersOf(group, users, from, system.lane),
      role: group === "a" ? "caller" : "callee",
      rate: plan.regRate,
    });
  const routes = new Map<string, string>();
  const learn = (result: SippResult | undefined): void => {
    if (result !== undefined) for (const [name, route] of serviceRoutes(result)) routes.set(name, route);
  };

  learn(await register("a", warmup, 0, registrations.warmup)().done);
  await register("b", warmup, 0, registrations.warmup)().done;
  const before = memory(system);
  await meet();
  const registered = await measure(
    system,
    [
      register("a", pairs, warmup, registrations.measured),
      register("b", pairs, warmup, registrations.measured),
    ],
    system.beside,
  );
  learn(registered.results[0]);
  const after = memory(system);

  const callSeconds = plan.seconds + plan.warmupSeconds;
  const callees = startCallees(usersOf("b", warmup + pairs, 0, system.lane), callSeconds * 1000 + 120_000, {
    lane: system.lane,
  });
  try {
    await delay(1000);
    await meet();
    const calls = (from: number, count: number, seconds: number) => () => {
      const known = usersOf("a", count, from, system.lane).filter(({ name }) => routes.has(name));
      return startCalls({
        system,
        callers: known,
        callees: known.map(({ name }) => ({ address: "", name: name.replace("a", "b"), password: "" })),
        routes,
        rate: plan.callRate,
        count: Math.max(1, plan.callRate * seconds),
      });
    };
    if (routes.size === 0)
      throw new Error(`no UE could register: ${registered.results[0]?.errors.slice(0, 800)}`);
    if (plan.warmupSeconds > 0) await calls(0, warmup, plan.warmupSeconds)().done;
    await meet();
    const called = await measure(system, [calls(warmup, pairs, plan.seconds)], [callees, ...system.beside]);
    const registration = operation(system, registered, registrationExchanges);
    return {
      system: system.name,
      version: system.version,
      registration,
      call: operation(system, called, callExchanges),
      registered: registration.ok,
      // At high rates some register more than once.
      bytesPerSubscriber: growth(system, before, after, Math.min(registration.ok, 2 * pairs)),
      memoryKb: Object.fromEntries(after),
    };
  } finally {
    await callees.finish(1000);
  }
}

type MemoryByPart = Map<string, { rss: number; pss: number }>;

function memory(system: SystemUnderTest): MemoryByPart {
  return new Map(
    [...system.parts].map(([part, pid]) => {
      const { rssKb, pssKb } = memoryOf(pid);
      return [part, { rss: rssKb, pss: pssKb }];
    }),
  );
}

function growth(
  system: SystemUnderTest,
  before: MemoryByPart,
  after: MemoryByPart,
  registered: number,
): { rss: number; pss: number } {
  const total = (of: MemoryByPart, kind: "rss" | "pss"): number =>
    [...of].reduce((sum, [part, kb]) => sum + (system.hss.includes(part) ? 0 : kb[kind]), 0);
  const bytes = (kind: "rss" | "pss"): number =>
    Math.round(((total(after, kind) - total(before, kind)) * 1024) / Math.max(1, registered));
  return { rss: bytes("rss"), pss: bytes("pss") };
}

function operation(
  system: SystemUnderTest,
  measured: Measured,
  exchanges: Readonly<Record<string, string>>,
): Operation {
  const { results } = measured;
  const sum = (pick: (result: SippResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  const ok = sum(({ stats }) => stats.successful);
  const failed = sum(({ stats }) => stats.failed);
  const each = (seconds: number): number => Math.round((seconds / Math.max(1, ok)) * 1e6);
  const parts = Object.entries(measured.cpuSecondsByPart);
  const cpu = (ofHss: boolean): number =>
    parts.reduce((total, [part, seconds]) => total + (system.hss.includes(part) === ofHss ? seconds : 0), 0);
  const complaints = results.map(({ errors }) => errors).join("");
  const responseTimes = Object.entries(exchanges).map(([exchange, rtd]) => {
    const times = results.flatMap((result) => result.responseTimes.get(rtd) ?? []);
    return [exchange, { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }];
  });
  return {
    ok,
    failed,
    retransmissions: sum(({ stats }) => stats.retransmissions),
    cpuMicros: each(cpu(false)),
    hssCpuMicros: each(cpu(true)),
    cpuMicrosByPart: Object.fromEntries(parts.map(([part, seconds]) => [part, each(seconds)])),
    sippCpuMicros: each(measured.sippCpuSeconds),
    otherCores: Math.round(measured.otherCores * 100) / 100,
    responseTimes: Object.fromEntries(responseTimes),
    ...(failed > 0 ? { complaints: complaints.slice(0, 1000) } : {}),
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
