import { setTimeout as delay } from "node:timers/promises";
import type { RunningSipp, SippResult } from "../support/sipp.ts";
import { cpuSeconds, machineBusySeconds } from "./proc.ts";
import type { SystemUnderTest } from "./system.ts";

// Work that a message starts after its answer (timers, batched writes) belongs to it.
const SETTLE_MS = 1000;
const SAMPLE_MS = 250;

export type Measured = {
  readonly wallSeconds: number;
  readonly cpuSecondsByPart: Readonly<Record<string, number>>;
  readonly sippCpuSeconds: number;
  /** Cores that the rest of the machine used: to tell quiet runs from disturbed ones. */
  readonly otherCores: number;
  readonly results: readonly SippResult[];
};

/** Runs `steps` one after the other and measures from before the first to a second after the last. */
export async function measure(
  system: SystemUnderTest,
  steps: readonly (() => RunningSipp)[],
  beside: readonly RunningSipp[] = [],
): Promise<Measured> {
  const cpu = (): Map<string, number> =>
    new Map([...system.parts].map(([part, pid]) => [part, cpuSeconds(pid)]));
  const began = performance.now();
  const busyBefore = machineBusySeconds();
  const before = cpu();
  const besideBefore = beside.map(({ pid }) => cpuSeconds(pid));
  const results: SippResult[] = [];
  let sippCpuSeconds = 0;
  for (const step of steps) {
    const running = step();
    let own = 0;
    // The CPU time of a process is gone with it: keep the last sample.
    const sampler = setInterval(() => {
      own = Math.max(own, cpuSeconds(running.pid));
    }, SAMPLE_MS);
    results.push(await running.done);
    clearInterval(sampler);
    sippCpuSeconds += own;
  }
  await delay(SETTLE_MS);
  const wallSeconds = (performance.now() - began) / 1000;
  const after = cpu();
  beside.forEach(({ pid }, index) => {
    sippCpuSeconds += cpuSeconds(pid) - (besideBefore[index] ?? 0);
  });
  const cpuSecondsByPart: Record<string, number> = {};
  let total = sippCpuSeconds;
  for (const [part, seconds] of after) {
    cpuSecondsByPart[part] = seconds - (before.get(part) ?? 0);
    total += seconds - (before.get(part) ?? 0);
  }
  const otherCores = (machineBusySeconds() - busyBefore - total) / wallSeconds;
  return { wallSeconds, cpuSecondsByPart, sippCpuSeconds, otherCores, results };
}
