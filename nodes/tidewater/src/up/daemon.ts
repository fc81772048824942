import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { guardOf } from "./guard.ts";
import { ended, terminate } from "./pools/child.ts";

const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 3_000;
const PROBE_EVERY_MS = 50;
/** What a daemon said last, of which its last line is the reason when it ends, characters. */
const REMEMBERED = 4_000;
/** Debian puts daemons where users do not look. */
const FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", "/usr/sbin"];

/** A program of this machine that runs beside the core: coturn, rtpengine. */
export interface Daemon {
  readonly pid: number;
  /** Settles with the reason when it ends by itself. */
  readonly failure: Promise<string>;
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly name: string;
  /** Path of the program, as `installed` found it. */
  readonly program: string;
  readonly args: readonly string[];
  /** host:port it is to answer at. */
  readonly address: string;
  /** Whether it answers there now. */
  readonly answers: () => Promise<boolean>;
}

/** Path of a program of this machine; undefined when it has none of that name. */
export function installed(name: string, folders: readonly string[] = FOLDERS): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Starts it and waits until it answers. Rejects with an Error that says why it ended, or that it does not answer in time. */
export async function startDaemon({ name, program, args, address, answers }: DaemonOptions): Promise<Daemon> {
  // A process group of its own: a Ctrl-C at the terminal is ours to handle.
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: {} });
  const guard = child.pid === undefined ? undefined : guardOf(child.pid);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("latin1").on("data", (text: string) => {
      said = (said + text).slice(-REMEMBERED);
    });
  const failure = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      guard?.kill("SIGKILL");
      resolve(`${name} ended (${signal ?? `exit code ${code}`}): ${said.trim().split("\n").at(-1) ?? ""}`);
    });
  });
  const deadline = performance.now() + READY_WITHIN_MS;
  let ready = false;
  while (!ready && !ended(child) && performance.now() < deadline) {
    ready = await answers();
    if (!ready) await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
  if (ended(child)) throw new Error(await failure);
  const stop = async (): Promise<void> => {
    if (!ended(child)) await terminate(child, STOP_WITHIN_MS);
  };
  if (!ready) {
    await stop();
    throw new Error(`${name} does not answer at ${address} within ${READY_WITHIN_MS / 1000} s`);
  }
  return { pid: child.pid ?? 0, failure, stop };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
