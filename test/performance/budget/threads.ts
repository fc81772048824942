import { readdirSync, readFileSync } from "node:fs";

/** Of V8: it takes the samples. What it costs is the profile's own. */
const SAMPLER = "v8:ProfEvntProc";

/** Seconds of processor time of a process since it began. */
export interface ThreadTimes {
  readonly main: number;
  /** Without the thread that samples. */
  readonly others: number;
  /** Those by the names of the threads. */
  readonly byName: Readonly<Record<string, number>>;
  readonly sampler: number;
  /** All threads: in the kernel, and in all. Counted by ticks of 10 ms: a ratio, not a time. */
  readonly kernelTicks: number;
  readonly ticks: number;
}

/** Throws when the process is gone. */
export function threadTimes(pid: number): ThreadTimes {
  let [main, others, sampler] = [0, 0, 0];
  const byName: Record<string, number> = {};
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const seconds = runSeconds(`/proc/${pid}/task/${id}`);
    const name = nameOf(`/proc/${pid}/task/${id}`);
    if (Number(id) === pid) main += seconds;
    else if (name === SAMPLER) sampler += seconds;
    else {
      others += seconds;
      byName[name] = (byName[name] ?? 0) + seconds;
    }
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, kernel] = [Number(fields[11]), Number(fields[12])];
  return { main, others, sampler, byName, kernelTicks: kernel, ticks: user + kernel };
}

export function timesBetween(before: ThreadTimes, after: ThreadTimes): ThreadTimes {
  const byName: Record<string, number> = {};
  for (const [name, seconds] of Object.entries(after.byName))
    byName[name] = seconds - (before.byName[name] ?? 0);
  return {
    main: after.main - before.main,
    others: after.others - before.others,
    sampler: after.sampler - before.sampler,
    byName,
    kernelTicks: after.kernelTicks - before.kernelTicks,
    ticks: after.ticks - before.ticks,
  };
}

function runSeconds(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  } catch {
    return 0; // the thread ended in between
  }
}

function nameOf(folder: string): string {
  try {
    return readFileSync(`${folder}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
