import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import {
  gone,
  identify,
  isAlive,
  type ProcessId,
  type StartedAs,
  signal,
  startAgain,
  startedAs,
} from "./process.ts";

const PROGRAM = join(import.meta.dirname, "../../../nodes/tidewater/bin/tidewater.ts");
/** Time for a drained node to end before it is taken for one that hangs, ms. */
const DRAIN_MS = 20_000;

/** One process of the core as the ready line tells of it. */
export interface Member {
  readonly name: string;
  /** bono, sprout, homestead, memcached or cassandra. */
  readonly pool: string;
  readonly host: string;
  readonly ports: Readonly<Record<string, unknown>>;
  process: ProcessId;
  readonly startedAs: StartedAs;
}

export interface CoreOptions {
  /** Arguments of `tidewater up` besides --json and --state-dir. */
  readonly args: readonly string[];
  readonly stateDir: string;
  readonly within: number;
}

interface ReadyLine {
  readonly ready: true;
  readonly host?: string;
  readonly domain: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly pool?: string;
    readonly pid: number;
    readonly host?: string;
    readonly ports?: Readonly<Record<string, unknown>>;
  }[];
}

/** A whole core of pools; its processes can be killed, stopped and started again one by one. */
export class Core {
  readonly domain: string;
  readonly members: readonly Member[];
  readonly logFile: string;
  readonly #up: ProcessId;
  readonly #again: ChildProcess[] = [];
  readonly #everStarted: ProcessId[];
  /** Network namespace of a member, when it has one of its own. */
  readonly namespaces = new Map<string, string>();

  private constructor(ready: ReadyLine, up: ProcessId, logFile: string) {
    this.domain = ready.domain;
    this.logFile = logFile;
    this.#up = up;
    this.members = ready.nodes.map(({ name, pool, pid, host, ports }) => ({
      name,
      pool: pool ?? name.replace(/-\d+$/, ""),
      host: host ?? ready.host ?? "127.0.0.1",
      ports: ports ?? {},
      process: identify(pid),
      startedAs: startedAs(pid),
    }));
    this.#everStarted = this.members.map((member) => member.process);
  }

  static async start({ args, stateDir, within }: CoreOptions): Promise<Core> {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const logFile = join(stateDir, "core.log");
    const all = [PROGRAM, "up", "--json", "--state-dir", join(stateDir, "state"), ...args];
    const child = spawn(process.execPath, [...process.execArgv, ...all], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (text: Buffer): void => appendFileSync(logFile, text);
    child.stderr.on("data", keep);
    child.stdout.on("data", keep);
    const up = identify(child.pid ?? 0);
    try {
      return new Core(await readyLine(child, within, logFile), up, logFile);
    } catch (error) {
      signal(up, "SIGTERM");
      if (!(await gone(up, 15_000))) signal(up, "SIGKILL");
      throw error;
    }
  }

  pool(name: string): Member[] {
    return this.members.filter(({ pool }) => pool === name);
  }

  isAlive(member: Member): boolean {
    return isAlive(member.process);
  }

  signal(member: Member, name: NodeJS.Signals): void {
    signal(member.process, name);
  }

  /** SIGTERM, and SIGKILL when that is not obeyed in time; says how long it took, ms. */
  async end(member: Member): Promise<{ ms: number; killed: boolean }> {
    const began = performance.now();
    signal(member.process, "SIGCONT");
    signal(member.process, "SIGTERM");
    const obeyed = await gone(member.process, DRAIN_MS);
    if (!obeyed) {
      signal(member.process, "SIGKILL");
      await gone(member.process, 5000);
    }
    return { ms: performance.now() - began, killed: !obeyed };
  }

  /** Starts a member again as it was; resolves when it is ready. */
  async startAgain(member: Member): Promise<void> {
    if (this.isAlive(member)) return;
    const within = member.pool === "cassandra" ? 120_000 : 30_000;
    const port = { memcached: 11211, cassandra: 9042 }[member.pool];
    const child = await startAgain(member.startedAs, {
      namespace: this.namespaces.get(member.name),
      logFile: this.logFile,
      listens: port === undefined ? undefined : { host: member.host, port },
      within,
      // Then it has joined its ring and clients come to it; what it compiles until then would have both cores of the others.
      modestUntil:
        member.pool === "cassandra" && port !== undefined ? { host: member.host, port } : undefined,
    });
    this.#again.push(child);
    member.process = identify(child.pid ?? 0);
    this.#everStarted.push(member.process);
  }

  /** A gauge or counter of a node, summed over its labels; undefined when it cannot be had. */
  async metric(member: Member, name: string, label = ""): Promise<number | undefined> {
    const port = { bono: 9101, sprout: 9102, homestead: 9103 }[member.pool];
    if (port === undefined) return undefined;
    try {
      const response = await fetch(`http://${member.host}:${port}/metrics`, {
        signal: AbortSignal.timeout(2000),
      });
      const lines = (await response.text()).split("\n");
      const found = lines.filter((line) => line.startsWith(name) && line.includes(label));
      if (found.length === 0) return undefined;
      return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
    } catch {
      return undefined;
    }
  }

  /** The last lines the core wrote. */
  tail(lines: number): string {
    try {
      return readFileSync(this.logFile, "latin1").trimEnd().split("\n").slice(-lines).join("\n");
    } catch {
      return "";
    }
  }

  /** Runs the command line program. */
  async tidewater(args: readonly string[], within = 60_000): Promise<{ code: number; output: string }> {
    const child = spawn(process.execPath, [...process.execArgv, PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: within,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => {
        output += text.toString();
      });
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? 1, output }));
    });
  }

  /** Ends every process that was ever started for this core. */
  async stop(): Promise<void> {
    const left = (): ProcessId[] => this.#everStarted.filter((id) => isAlive(id));
    for (const id of left()) signal(id, "SIGCONT");
    signal(this.#up, "SIGTERM");
    for (const child of this.#again) signal(identify(child.pid ?? 0), "SIGTERM");
    await gone(this.#up, 20_000);
    for (let waited = 0; left().length > 0 && waited < 10_000; waited += 50) await delay(50);
    this.killAll();
  }

  /** At once, without waiting: for a suite that is interrupted. */
  killAll(): void {
    for (const id of [...this.#everStarted, this.#up]) signal(id, "SIGKILL");
  }
}

function readyLine(
  child: ChildProcess & { stdout: NodeJS.ReadableStream },
  within: number,
  logFile: string,
): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const told = (): string => {
      try {
        return readFileSync(logFile, "latin1").split("\n").slice(-15).join("\n");
      } catch {
        return "";
      }
    };
    const late = setTimeout(
      () => reject(new Error(`the core was not ready within ${within / 1000} s\n${told()}`)),
      within,
    );
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`tidewater up ended with ${code}\n${told()}`));
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      const parsed: unknown = JSON.parse(line);
      if (!isReadyLine(parsed)) return;
      clearTimeout(late);
      child.removeAllListeners("exit");
      resolve(parsed);
    });
  });
}

function isReadyLine(value: unknown): value is ReadyLine {
  return typeof value === "object" && value !== null && "ready" in value && "nodes" in value;
}
