import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The command line program. */
export const PROGRAM = join(import.meta.dirname, "../../nodes/tidewater/bin/tidewater.ts");

/** That of another checkout, or this one's. */
export function programIn(checkout: string | undefined): string {
  return checkout === undefined ? PROGRAM : join(checkout, "nodes/tidewater/bin/tidewater.ts");
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line program to its end. */
export function runProgram(
  args: readonly string[],
  { input = "", timeoutMs }: { readonly input?: string; readonly timeoutMs: number },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** The line of JSON by which `tidewater up --json` says that it is ready. `output`: what it wrote so far, for the error. */
export function readyLine<Line extends object>(
  child: ChildProcess,
  { output, withinMs }: { readonly output: () => string; readonly withinMs: number },
): Promise<Line> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the core was not ready in time\n${output()}`)), withinMs);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`tidewater up ended with ${code}\n${output()}`));
    });
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      const parsed = JSON.parse(line) as { ready?: boolean } & Line;
      if (parsed.ready !== true) return;
      clearTimeout(late);
      resolve(parsed);
    });
  });
}

/** SIGTERM, and SIGKILL when that has not ended it within `hardMs`. */
export function endProgram(child: ChildProcess, hardMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const hard = setTimeout(() => child.kill("SIGKILL"), hardMs);
    child.once("exit", () => {
      clearTimeout(hard);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
