import type { ChildProcess } from "node:child_process";

export function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** SIGTERM, and SIGKILL when that takes too long. A stopped process (SIGSTOP) is woken up for it. */
export function terminate(child: ChildProcess, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill("SIGKILL"), withinMs);
    child.once("exit", () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill("SIGTERM");
    child.kill("SIGCONT");
  });
}
