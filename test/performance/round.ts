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

/** UEs of one SIPp, at most: it has a socket for each, of 20,000 files. */
const MOST_UES = 15_000;
/** UEs of a group that call or are called in each phase, at most: all callees of both phases are in one SIPp. */
const MOST_CALLING = 7_000;
/** UEs of a group: each has an address of its own in a network of 250 times 250. */
const MOST_OF_GROUP = 62_500;

/** UE pairs for the warm-up, and those that are measured: each registers once, so that it is challenged. @throws Error when there are too many */
export function sizesOf({ seconds, regRate, warmupSeconds }: Plan): Sizes {
  const half = (duration: number): number => Math.max(1, Math.ceil((regRate * duration) / 2));
  const sizes = { warmup: half(warmupSeconds), pairs: half(seconds) };
  if (sizes.pairs > MOST_UES || sizes.warmup + sizes.pairs > MOST_OF_GROUP)
    throw new Error(
      `${regRate} registrations/s for ${warmupSeconds} and ${seconds} s are more UEs than there can be: ${MOST_UES} to measure with, ${MOST_OF_GROUP} in all, of each of two groups`,
    );
  return sizes;
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
  const register = (group: "a" | "b", count: number, from: number) => () =>
    startRegistrations({
      system,
      users: usersOf(group, count, from, system.lane),
      role: group === "a" ? "caller" : "callee",
      rate: plan.regRate,
    });
  const routes = new Map<string, string>();
  const learn = (result: SippResult | undefined): void => {
    if (result !== undefined) for (const [name, route] of serviceRoutes(result)) routes.set(name, route);
  };

  for (const group of ["a", "b"] as const)
    for (let from = 0; from < warmup; from += MOST_UES) {
      const result = await register(group, Math.min(MOST_UES, warmup - from), from)().done;
      if (group === "a") learn(result);
    }
  const before = memory(system);
  await meet();
  const registered = await measure(
    system,
    [register("a", pairs, warmup), register("b", pairs, warmup)],
    system.beside,
  );
  learn(registered.results[0]);
  const after = memory(system);

  const callSeconds = plan.seconds + plan.warmupSeconds;
  const calling = { warmup: Math.min(MOST_CALLING, warmup), pairs: Math.min(MOST_CALLING, pairs) };
  const callees = startCallees(
    [...usersOf("b", calling.warmup, 0, system.lane), ...usersOf("b", calling.pairs, warmup, system.lane)],
    callSeconds * 1000 + 120_000,
    { lane: system.lane },
  );
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
    if (plan.warmupSeconds > 0) await calls(0, calling.warmup, plan.warmupSeconds)().done;
    await meet();
    const called = await measure(
      system,
      [calls(warmup, calling.pairs, plan.seconds)],
      [callees, ...system.beside],
    );
    const registration = operation(system, registered, registrationExchanges);
    return {
      system: system.name,
      version: system.version,
      registration,
      call: operation(system, called, callExchanges),
      registered: registration.ok,
      bytesPerSubscriber: growth(system, before, after, registration.ok),
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
