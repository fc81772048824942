import { readdirSync, readFileSync } from "node:fs";

/** Threads with which the engine of a process collects and compiles beside the loop (ADR 44). */
export function engineHelpersOf(pid: number | undefined): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).filter(
    (task) => readFileSync(`${tasks}/${task}/comm`, "utf8").trim() === "V8Worker",
  ).length;
}
