import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";

const SPIN = `const end = Date.now() + Number(process.argv[2]); while (Date.now() < end && process.ppid === Number(process.argv[1])) for (let i = 0; i < 1e7; i++);`;

/** Keeps the processors of a virtual machine awake. */
export interface Awake {
  readonly pids: readonly number[];
  end(): void;
}

/** Nobody keeps them awake. */
export const asleep: Awake = { pids: [], end: () => undefined };

/**
 * A virtual processor without work sleeps, and to wake it costs whoever sends something to a process there a fifth of all its time: the core
 * seems slower when the load generator has less to do. A process that runs on each processor when nobody else wants it (SCHED_IDLE) prevents
 * that and takes nothing from anybody. It ends by itself after `atMostMs`, whatever becomes of who started it. Not beside processes that are held to a share
 * (`holdTo`): Linux 6.18 then gives a processor to nobody else for 20 to 40 s, also at `nice 19`, with everybody there ready to run.
 */
export function keepAwake(atMostMs: number): Awake {
  const spinning: ChildProcess[] = Array.from({ length: availableParallelism() }, (_, processor) =>
    spawn(
      "chrt",
      [
        ...["--idle", "0", "taskset", "-c", String(processor)],
        ...[process.execPath, "-e", SPIN, String(process.pid), String(atMostMs)],
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
