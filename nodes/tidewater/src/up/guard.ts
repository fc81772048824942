import { type ChildProcess, spawn } from "node:child_process";

/** Kills `pid` when the pipe to us breaks: for programs that would outlive a killed parent. End the guard with its ward. */
export function guardOf(pid: number): ChildProcess {
  const guard = spawn("sh", ["-c", 'read -r _; kill -9 "$1"', "guard", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.unref();
  guard.on("error", () => undefined);
  return guard;
}
