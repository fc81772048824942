import { type ChildProcess, spawn } from "node:child_process";
import { type NodeCommand, programOf } from "./nodes.ts";

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
  readonly #commands: readonly NodeCommand[];
  readonly #say: (line: string) => void;
  readonly #children = new Map<string, ChildProcess>();
  readonly #restarts = new Map<string, number[]>();
  #stopping = false;
  #failed: (reason: string) => void = () => undefined;
  /** Settles with a reason when a node cannot be kept running. */
  readonly failure: Promise<string>;

  constructor(commands: readonly NodeCommand[], say: (line: string) => void) {
    this.#commands = commands;
    this.#say = say;
    this.failure = new Promise((resolve) => {
      this.#failed = resolve;
    });
  }

  /** All nodes ready, or an Error that says which is not and why. */
  async start(): Promise<Started[]> {
    const started: Started[] = [];
    for (const command of this.#commands) {
      if (this.#stopping) throw new Error(`stopped before ${command.name} was started`);
      started.push(await this.#startOne(command));
    }
    return started;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { name } of [...this.#commands].reverse()) {
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

  #startOne(command: NodeCommand): Promise<Started> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [...process.execArgv, programOf(command.name), ...command.args], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: { ...command.env, ...process.env },
      });
      this.#children.set(command.name, child);
      let ready = false;
      const late = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`${command.name} was not ready within ${READY_WITHIN_MS / 1000} s`));
      }, READY_WITHIN_MS);
      child.on("message", (message) => {
        if (ready || typeof message !== "object" || message === null || !("ready" in message)) return;
        ready = true;
        clearTimeout(late);
        const ports = "ports" in message ? message.ports : undefined;
        resolve({ name: command.name, pid: child.pid ?? 0, ports: { ...(ports as object | undefined) } });
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        if (!ready)
          reject(
            new Error(
              `${command.name} did not start (${signal ?? `exit code ${code}`}); its message is above`,
            ),
          );
        else if (!this.#stopping) this.#restart(command, signal ?? `exit code ${code}`);
      });
    });
  }

  #restart(command: NodeCommand, why: string): void {
    const now = Date.now();
    const recent = (this.#restarts.get(command.name) ?? []).filter((at) => now - at < 60_000);
    if (recent.length >= RESTARTS_PER_MINUTE) {
      this.#failed(
        `${command.name} ended ${recent.length + 1} times within a minute (last: ${why}); stopping the others`,
      );
      return;
    }
    this.#restarts.set(command.name, [...recent, now]);
    this.#say(`${command.name} ended (${why}); starting it again`);
    this.#startOne(command).catch((error: unknown) => {
      if (!this.#stopping) this.#failed(error instanceof Error ? error.message : String(error));
    });
  }
}
