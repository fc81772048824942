import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "../load/wire.ts";

/** How a running process was started: enough to start it again. Its environment may hold keys: never printed. */
export interface StartedAs {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** A process named so that another one with the same number later is not mistaken for it. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startedAt: string;
}

export function identify(pid: number): ProcessId {
  return { pid, startedAt: startedAt(pid) ?? "" };
}

/** Whether exactly this process is there and no zombie. */
export function isAlive({ pid, startedAt: at }: ProcessId): boolean {
  return at !== "" && startedAt(pid) === at;
}

/** Sends a signal to exactly this process; false when it is gone. */
export function signal(id: ProcessId, name: NodeJS.Signals): boolean {
  if (!isAlive(id)) return false;
  try {
    process.kill(id.pid, name);
    return true;
  } catch {
    return false;
  }
}

/** How a process was started, from /proc. */
export function startedAs(pid: number): StartedAs {
  const words = (file: string): string[] =>
    readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").slice(0, -1);
  const env: Record<string, string> = {};
  for (const word of words("environ")) {
    const at = word.indexOf("=");
    if (at > 0 && !word.startsWith("NODE_CHANNEL_")) env[word.slice(0, at)] = word.slice(at + 1);
  }
  return { argv: words("cmdline"), env, cwd: readlinkSync(`/proc/${pid}/cwd`) };
}

export interface StartOptions {
  /** Network namespace to run in; undefined: ours. */
  readonly namespace: string | undefined;
  readonly logFile: string;
  /** Node processes say when they are ready; others are asked at this address. */
  readonly listens: Address | undefined;
  readonly within: number;
  /** Until it listens there the processors are others' first: in earnest it starts on a machine of its own. */
  readonly modestUntil?: Address | undefined;
}

/** Nice value of a process that starts modestly. */
const MODEST = 19;

/** Starts a process as it was started before; resolves when it is ready. */
export async function startAgain(how: StartedAs, options: StartOptions): Promise<ChildProcess> {
  const [program, ...args] = how.argv;
  if (program === undefined) throw new Error("a process without a command line cannot be started again");
  const inside = options.namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${options.namespace}`];
  const [command = program, ...rest] = [...inside, program, ...args];
  const child = spawn(command, rest, {
    env: how.env,
    cwd: how.cwd,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { modestUntil } = options;
  if (modestUntil !== undefined) {
    beModest(child.pid, MODEST);
    void answersAt(modestUntil, child, options.within).then(() => beModest(child.pid, 0));
  }
  const keep = (text: Buffer): void => appendFileSync(options.logFile, text);
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, name) =>
      reject(new Error(`${args[0] ?? program} ended with ${name ?? code} before it was ready`)),
    );
  });
  ended.catch(() => undefined);
  const ready = new Promise<void>((resolve) => {
    child.on("message", (message) => {
      if (typeof message === "object" && message !== null && "ready" in message) resolve();
    });
  });
  const late = delay(options.within, undefined, { ref: false }).then(() => {
    throw new Error(`${args[0] ?? program} was not ready within ${options.within} ms`);
  });
  late.catch(() => undefined);
  const { listens } = options;
  await Promise.race([
    listens === undefined ? ready : answersAt(listens, child, options.within),
    ended,
    late,
  ]);
  return child;
}

/** Priority of all threads of a process. Who may not have it raised again is left as it is. */
function beModest(pid: number | undefined, nice: number): void {
  if (pid === undefined || process.getuid?.() !== 0) return;
  for (const thread of threadsOf(pid))
    try {
      setPriority(thread, nice);
    } catch {
      // It has ended.
    }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Resolves when somebody listens there, when the child that is to has ended, or when time is up. */
async function answersAt(address: Address, child: ChildProcess, within: number): Promise<void> {
  const runs = (): boolean => child.exitCode === null && child.signalCode === null;
  for (const until = performance.now() + within; runs() && performance.now() < until; await delay(50)) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(address.port, address.host);
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
  }
}

/** Resolves when the process is gone, or false after `within` ms. */
export async function gone(id: ProcessId, within: number): Promise<boolean> {
  for (const until = performance.now() + within; performance.now() < until; await delay(10))
    if (!isAlive(id)) return true;
  return !isAlive(id);
}

function startedAt(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
