import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/** Ends by itself, whatever becomes of who started it. */
const AT_MOST_MS = 1_800_000;
const SPIN = `const end = Date.now() + ${AT_MOST_MS}; while (Date.now() < end && process.ppid === Number(process.argv[1])) for (let i = 0; i < 1e7; i++);`;

/** Keeps the processors of a virtual machine awake. */
export interface Awake {
  readonly pids: readonly number[];
  end(): void;
}

/**
 * A virtual processor without work sleeps, and to wake it costs whoever sends something to a process there a fifth of all its time: the core
 * seems slower when the load generator has less to do. A process that runs on each processor when nobody else wants it (SCHED_IDLE) prevents
 * that and takes nothing from anybody.
 */
export function keepAwake(): Awake {
  const spinning: ChildProcess[] = Array.from({ length: availableParallelism() }, (_, processor) =>
    spawn(
      "chrt",
      [
        ...["--idle", "0", "taskset", "-c", String(processor)],
        ...[process.execPath, "-e", SPIN, String(process.pid)],
      ],
      { stdio: "ignore" },
    ),
  );
  // Without chrt or taskset nothing is kept awake, and the figures are less even.
  for (const child of spinning) child.on("error", () => undefined);
  return {
    pids: spinning.flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
    end: () => {
      for (const child of spinning) child.kill("SIGKILL");
    },
  };
}
