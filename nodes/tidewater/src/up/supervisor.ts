import { type ChildProcess, spawn } from "node:child_process";
import type { ReadyMessage } from "@ims/runtime";
import { type NodeProcess, nodeArguments } from "./node-process.ts";

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
/** A node that dies again and again is started this often in a minute at most. */
const RESTARTS_PER_MINUTE = 5;

export interface Started {
  readonly name: string;
  readonly pid: number;
  /** Listeners by the node's name for them. */
  readonly ports: Readonly<Record<string, unknown>>;
}

/** Runs the nodes as child processes: starts them in order, starts a dead one again, stops them in reverse. */
export class Supervisor {
  readonly #processes: readonly NodeProcess[];
  readonly #say: (line: string) => void;
  readonly #children = new Map<string, ChildProcess>();
  readonly #restarts = new Map<string, number[]>();
  #stopping = false;
  #failed: (reason: string) => void = () => undefined;
  /** Settles with a reason when a node cannot be kept running. */
  readonly failure: Promise<string>;

  constructor(processes: readonly NodeProcess[], say: (line: string) => void) {
    this.#processes = processes;
    this.#say = say;
    this.failure = new Promise((resolve) => {
      this.#failed = resolve;
    });
  }

  /** All nodes ready, or an Error that says which is not and why. */
  async start(): Promise<Started[]> {
    const started: Started[] = [];
    for (const one of this.#processes) {
      if (this.#stopping) throw new Error(`stopped before ${one.name} was started`);
      started.push(...(await this.#startOne(one)));
    }
    return started;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { name } of [...this.#processes].reverse()) {
      const child = this.#children.get(name);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      await new Promise<void>((resolve) => {
        const hard = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
        child.once("exit", () => {
          clearTimeout(hard);
          resolve();
        });
        child.kill("SIGTERM");
      });
    }
  }

  /** Every node that runs in it, once all of them are ready. */
  #startOne(one: NodeProcess): Promise<Started[]> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, nodeArguments(one), {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: { ...one.env, ...process.env },
      });
      this.#children.set(one.name, child);
      const started: Started[] = [];
      const isReady = (): boolean => started.length === one.nodes.length;
      const late = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`${one.name} was not ready within ${READY_WITHIN_MS / 1000} s`));
      }, READY_WITHIN_MS);
      child.on("message", (message) => {
        const ready = readyOf(message);
        if (ready === undefined || isReady()) return;
        started.push({ name: ready.node, pid: child.pid ?? 0, ports: ready.ports });
        if (!isReady()) return;
        clearTimeout(late);
        resolve(started);
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        if (!isReady())
          reject(
            new Error(`${one.name} did not start (${signal ?? `exit code ${code}`}); its message is above`),
          );
        else if (!this.#stopping) this.#restart(one, signal ?? `exit code ${code}`);
      });
    });
  }

  #restart(one: NodeProcess, why: string): void {
    const now = Date.now();
    const recent = (this.#restarts.get(one.name) ?? []).filter((at) => now - at < 60_000);
    if (recent.length >= RESTARTS_PER_MINUTE) {
      this.#failed(
        `${one.name} ended ${recent.length + 1} times within a minute (last: ${why}); stopping the others`,
      );
      return;
    }
    this.#restarts.set(one.name, [...recent, now]);
    this.#say(`${one.name} ended (${why}); starting it again`);
    this.#startOne(one).catch((error: unknown) => {
      if (!this.#stopping) this.#failed(error instanceof Error ? error.message : String(error));
    });
  }
}

function readyOf(message: unknown): ReadyMessage | undefined {
  return typeof message === "object" && message !== null && "ready" in message
    ? (message as ReadyMessage)
    : undefined;
}
