import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "../inspected.ts";

/** As V8 tells of a function. */
export interface CallFrame {
  readonly functionName: string;
  /** Empty for what is not JavaScript. */
  readonly url: string;
}

/** `Profiler.Profile` of the inspector's protocol. Times are microseconds of the machine's monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  /** From the sample before (of the first: from the start). */
  readonly timeDeltas: readonly number[];
}

export interface AllocationNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children: readonly AllocationNode[];
}

/** `HeapProfiler.SamplingHeapProfile` of the inspector's protocol. */
export interface AllocationProfile {
  readonly head: AllocationNode;
  readonly samples: readonly { readonly size: number; readonly nodeId: number }[];
}

/** The session is the process's own: the port of its inspector is closed while it runs under load. */
const SESSION = 'globalThis[Symbol.for("tidewater.budget")]';

const started = (commands: readonly (readonly [string, object])[]): string => `{
  const { Session } = process.getBuiltinModule("node:inspector");
  const session = (${SESSION} = new Session());
  session.connect();
  let failed;
  for (const [method, params] of ${JSON.stringify(commands)})
    session.post(method, params, (error) => void (failed ??= error ?? undefined));
  if (failed) throw new Error(failed.message);
}`;

const stopped = (method: string, file: string): string => `{
  let failed;
  ${SESSION}.post(${JSON.stringify(method)}, {}, (error, result) => {
    if (error) failed = error;
    else process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify(result.profile), { mode: 0o600 });
  });
  ${SESSION}.disconnect();
  delete ${SESSION};
  if (failed) throw new Error(failed.message);
}`;

/** Samples the stack of the main thread of a process every so many microseconds until `stopCpuProfile`. */
export async function startCpuProfile(pid: number, everyMicros: number): Promise<void> {
  const commands = [
    ["Profiler.enable", {}],
    ["Profiler.setSamplingInterval", { interval: everyMicros }],
    ["Profiler.start", {}],
  ] as const;
  await inspect(pid, ({ evaluate }) => evaluate(started(commands)));
}

/** What was sampled since `startCpuProfile`; it passes through a file in `folder`. */
export function stopCpuProfile(pid: number, folder: string): Promise<CpuProfile> {
  return stop(pid, folder, "Profiler.stop");
}

/** Notes every object that JavaScript of a process allocates, collected ones too, until `stopAllocations`. The process is several times slower meanwhile. */
export async function startAllocations(pid: number): Promise<void> {
  // An interval of a byte: no allocation is passed over, so nothing is extrapolated.
  const params = {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  await inspect(pid, ({ evaluate }) => evaluate(started([["HeapProfiler.startSampling", params]])));
}

export function stopAllocations(pid: number, folder: string): Promise<AllocationProfile> {
  return stop(pid, folder, "HeapProfiler.stopSampling");
}

async function stop<Profile>(pid: number, folder: string, method: string): Promise<Profile> {
  const file = join(folder, `profile-${pid}.json`);
  await inspect(pid, ({ evaluate }) => evaluate(stopped(method, file)));
  const profile = JSON.parse(readFileSync(file, "utf8")) as Profile;
  rmSync(file);
  return profile;
}
