import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningSipp } from "../../support/sipp.ts";
import { serviceRoutes, startCallees, startCalls, startRegistrations } from "../load.ts";
import { type Measured, measure } from "../meter.ts";
import { type SystemUnderTest, startOurs } from "../system.ts";
import { usersOf } from "../users.ts";
import { type Allocated, type Frame, framesOfAllocations, framesOfCpu } from "./frames.ts";
import { startAllocations, startCpuProfile, stopAllocations, stopCpuProfile } from "./profiles.ts";
import { type Allocations, budgetOf, type PartBudget, type ProfiledSlice, type Slice } from "./reckon.ts";
import { threadTimes, timesBetween } from "./threads.ts";

export interface BudgetPlan {
  readonly regRate: number;
  readonly callRate: number;
  readonly warmupSeconds: number;
  /** Of each slice of load; a procedure has four, every other one with the profiler. */
  readonly seconds: number;
  /** Between two samples. */
  readonly everyMicros: number;
}

export interface ProcedureBudget {
  readonly procedure: "registration" | "call";
  readonly rate: number;
  readonly failed: number;
  /** Cores that the rest of the machine used, at most. */
  readonly otherCores: number;
  readonly parts: Readonly<Record<string, PartBudget>>;
}

export interface BudgetOptions {
  readonly plan: BudgetPlan;
  /** More arguments for `tidewater up`. */
  readonly up: readonly string[];
  readonly say: (line: string) => void;
  /** The core is in it while it runs, for whoever has to end it early. */
  readonly running: Set<SystemUnderTest>;
}

const SLICES = ["plain", "profiled", "plain", "profiled"] as const;
/** While allocations are counted a process is many times slower: few operations, and so slowly that none is repeated. */
const COUNTED = { registration: { count: 200, rate: 10 }, call: { count: 60, rate: 3 } } as const;
/** Without load, counted to be taken off. */
const IDLE_MS = 10_000;
const MICROS = 1000n;

/** Puts a freshly started core under SIPp's load and tells what each process spends on a registration and on a call, by step. */
export async function runBudget({ plan, up, say, running }: BudgetOptions): Promise<ProcedureBudget[]> {
  const warm = Math.max(1, Math.ceil((plan.regRate * plan.warmupSeconds) / 2));
  const each = plan.regRate * plan.seconds;
  const fresh = SLICES.length * each + COUNTED.registration.count;
  const system = await startOurs([...usersOf("a", warm), ...usersOf("b", warm), ...usersOf("c", fresh)], {
    args: up,
  });
  running.add(system);
  const folder = mkdtempSync(join(tmpdir(), "budget-"));
  try {
    say(`warm-up, ${2 * warm} registrations`);
    const { regRate, callRate } = plan;
    const first = await startRegistrations({
      system,
      users: usersOf("a", warm),
      role: "caller",
      rate: regRate,
    }).done;
    await startRegistrations({ system, users: usersOf("b", warm), role: "callee", rate: regRate }).done;
    const routes = serviceRoutes(first);
    if (routes.size === 0) throw new Error(`no UE could register: ${first.errors.slice(0, 800)}`);

    let taken = 0;
    const register = (count: number, rate: number) => () => {
      const users = usersOf("c", count, taken);
      taken += count;
      return startRegistrations({ system, users, role: "caller", rate });
    };
    const registration = await observe("registration", {
      ...{ system, folder, say, rate: regRate },
      load: register(each, regRate),
      counted: register(COUNTED.registration.count, COUNTED.registration.rate),
    });

    const allSeconds = plan.warmupSeconds + (SLICES.length + 2) * (plan.seconds + 30);
    const callees = startCallees(usersOf("b", warm), allSeconds * 1000 + 300_000);
    try {
      await delay(1000);
      const callers = usersOf("a", warm).filter(({ name }) => routes.has(name));
      const called = callers.map(({ name }) => ({ address: "", name: name.replace("a", "b"), password: "" }));
      const call = (rate: number, count: number) => () =>
        startCalls({ system, callers, callees: called, routes, rate, count });
      if (plan.warmupSeconds > 0) {
        say(`warm-up, ${callRate * plan.warmupSeconds} calls`);
        await call(callRate, callRate * plan.warmupSeconds)().done;
      }
      const calls = await observe("call", {
        ...{ system, folder, say, rate: callRate },
        load: call(callRate, callRate * plan.seconds),
        counted: call(COUNTED.call.rate, COUNTED.call.count),
      });
      return [registration, calls];
    } finally {
      await callees.finish(1000);
    }
  } finally {
    await system.stop();
    running.delete(system);
    rmSync(folder, { recursive: true, force: true });
  }

  async function observe(
    procedure: ProcedureBudget["procedure"],
    setting: Setting,
  ): Promise<ProcedureBudget> {
    const observed = new Map<string, { plain: Slice[]; profiled: ProfiledSlice[] }>(
      [...system.parts.keys()].map((part) => [part, { plain: [], profiled: [] }]),
    );
    let failed = 0;
    let otherCores = 0;
    for (const [index, kind] of SLICES.entries()) {
      say(`${procedure}, slice ${index + 1} of ${SLICES.length}, ${kind}`);
      const slice = await (kind === "plain" ? plainSlice(setting) : profiledSlice(setting, plan.everyMicros));
      failed += slice.failed;
      otherCores = Math.max(otherCores, slice.otherCores);
      for (const [part, one] of slice.plain) observed.get(part)?.plain.push(one);
      for (const [part, one] of slice.profiled) observed.get(part)?.profiled.push(one);
    }
    say(`${procedure}, ${COUNTED[procedure].count} with their allocations counted`);
    const counted = await countedSlice(setting);
    const parts: Record<string, PartBudget> = {};
    for (const [part, { plain, profiled }] of observed) {
      const allocations = counted.get(part);
      if (allocations === undefined) throw new Error(`no allocations of ${part}`);
      parts[part] = budgetOf({ plain, profiled, allocations });
    }
    return { procedure, rate: setting.rate, failed, otherCores, parts };
  }
}

interface Setting {
  readonly system: SystemUnderTest;
  readonly folder: string;
  readonly rate: number;
  readonly load: () => RunningSipp;
  readonly counted: () => RunningSipp;
}

interface Taken {
  readonly plain: ReadonlyMap<string, Slice>;
  readonly profiled: ReadonlyMap<string, ProfiledSlice>;
  readonly failed: number;
  readonly otherCores: number;
}

interface TimedLoad {
  readonly slices: ReadonlyMap<string, Slice>;
  /** Microseconds of the monotonic clock. */
  readonly from: number;
  readonly to: number;
  readonly failed: number;
  readonly otherCores: number;
}

async function plainSlice(setting: Setting): Promise<Taken> {
  const { slices, failed, otherCores } = await timedLoad(setting);
  return { plain: slices, profiled: new Map(), failed, otherCores };
}

async function profiledSlice(setting: Setting, everyMicros: number): Promise<Taken> {
  const { system, folder } = setting;
  for (const pid of system.parts.values()) await startCpuProfile(pid, everyMicros);
  const { slices, from, to, failed, otherCores } = await timedLoad(setting);
  const profiled = new Map<string, ProfiledSlice>();
  for (const [part, slice] of slices) {
    const profile = await stopCpuProfile(system.parts.get(part) ?? 0, folder);
    profiled.set(part, { ...slice, frames: framesOfCpu(profile, from, to) });
  }
  return { plain: new Map(), profiled, failed, otherCores };
}

async function timedLoad({ system, load }: Setting): Promise<TimedLoad> {
  const times = (): Map<string, ReturnType<typeof threadTimes>> =>
    new Map([...system.parts].map(([part, pid]) => [part, threadTimes(pid)]));
  const monotonic = (): number => Number(process.hrtime.bigint() / MICROS);
  const before = times();
  const from = monotonic();
  const measured = await measure(system, [load], system.beside);
  const to = monotonic();
  const after = times();
  const operations = done(measured);
  const slices = new Map<string, Slice>();
  for (const [part, then] of before) {
    const now = after.get(part);
    if (now !== undefined) slices.set(part, { operations, times: timesBetween(then, now) });
  }
  const failed = measured.results.reduce((sum, { stats }) => sum + stats.failed, 0);
  return { slices, from, to, failed, otherCores: measured.otherCores };
}

async function countedSlice({ system, folder, counted }: Setting): Promise<Map<string, Allocations>> {
  let operations = 0;
  const loaded = await allocationsDuring({ system, folder }, async () => {
    operations = done(await measure(system, [counted]));
  });
  const idle = await allocationsDuring({ system, folder }, () => delay(IDLE_MS));
  const allocations = new Map<string, Allocations>();
  for (const [part, frames] of loaded.frames) {
    const without = idle.frames.get(part);
    if (without === undefined) throw new Error(`no allocations of ${part} without load`);
    allocations.set(part, {
      ...{ operations, seconds: loaded.seconds, frames },
      idle: { seconds: idle.seconds, frames: without },
    });
  }
  return allocations;
}

async function allocationsDuring(
  { system, folder }: Pick<Setting, "system" | "folder">,
  work: () => Promise<void>,
): Promise<{ readonly seconds: number; readonly frames: Map<string, Frame<Allocated>> }> {
  for (const pid of system.parts.values()) await startAllocations(pid);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const frames = new Map<string, Frame<Allocated>>();
  for (const [part, pid] of system.parts)
    frames.set(part, framesOfAllocations(await stopAllocations(pid, folder)));
  return { seconds, frames };
}

function done({ results }: Measured): number {
  const operations = results.reduce((sum, { stats }) => sum + stats.successful, 0);
  if (operations === 0)
    throw new Error(`nothing succeeded: ${results.map(({ errors }) => errors.slice(0, 800)).join("")}`);
  return operations;
}
