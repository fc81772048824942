import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Lab } from "./lab-settings.ts";

/** Start of a process, in ticks since the machine's: with the id it tells a process from a later one. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The process of that name, if the lab started it and it lives. */
export function pidOf({ folder }: Pick<Lab, "folder">, name: string): number | undefined {
  const file = join(folder, "pid", name);
  if (!existsSync(file)) return undefined;
  const [pid = "", start] = readFileSync(file, "utf8").split(" ");
  return start !== undefined && startOf(Number(pid)) === start ? Number(pid) : undefined;
}

/** Starts a process of its own group, with its output in log/<name>.out, unless it runs already. */
export function startProcess(
  lab: Lab,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  if (pidOf(lab, name) !== undefined) return;
  const output = openSync(join(lab.folder, "log", `${name}.out`), "a", 0o600);
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", output, output],
    cwd: lab.folder,
    env: { ...process.env, ...env },
  });
  child.on("error", (error) => process.stderr.write(`${name}: ${error.message}\n`));
  child.unref();
  const { pid } = child;
  if (pid === undefined) return;
  writeFileSync(join(lab.folder, "pid", name), `${pid} ${startOf(pid) ?? ""}`);
}

/** Runs a command to its end; an exit code other than 0 is an error that shows the end of the output. */
export async function runToEnd(
  lab: Lab,
  name: string,
  command: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<string> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd: lab.folder, env: { ...process.env, ...options.env } });
  let output = "";
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exit) => resolve(exit ?? 1));
  });
  writeFileSync(join(lab.folder, "log", `${name}.out`), output, { flag: "a" });
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${output.split("\n").slice(-15).join("\n")}`);
  return output;
}

/** Asks until the answer is not undefined; the error of the last try is the cause when time is up. */
export async function until<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`, { cause });
    await delay(300);
  }
}

export function listening(host: string, port: number, seconds = 90): Promise<true> {
  return until(`a listener on ${host}:${port}`, seconds, () => {
    const socket = connect({ host, port });
    return new Promise<true | undefined>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(undefined));
    }).finally(() => socket.destroy());
  });
}

/** Ends what the lab started, by process id, wave after wave; what does not end within a few seconds is killed. */
export async function stopProcesses(
  lab: Pick<Lab, "folder">,
  waves: readonly (readonly string[])[],
): Promise<void> {
  for (const wave of waves)
    await Promise.all(
      wave.map(async (name) => {
        const pid = pidOf(lab, name);
        if (pid === undefined) return;
        send(pid, "SIGTERM");
        const gone = (): true | undefined => (pidOf(lab, name) === undefined ? true : undefined);
        await until(name, 8, gone).catch(() => send(pid, "SIGKILL"));
        // What it started is of its group.
        send(-pid, "SIGKILL");
      }),
    );
  rmSync(join(lab.folder, "pid"), { recursive: true, force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
