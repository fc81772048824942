import { type FSWatcher, readFileSync, watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import { ImsError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import { runtimeProblems } from "../problems.ts";
import { type PoolMember, type PoolPlace, PoolZone } from "./pool-zone.ts";
import { parsePoolsFile } from "./pools-file.ts";

export type PoolFault = {
  readonly code: "POOLS_FILE";
  readonly file: string;
  readonly problem: string;
};

/** There is no pools file to begin with. */
export class PoolError extends ImsError<PoolFault> {}

/** Members by name; one whose addresses or state changed is in both lists. */
export interface PoolChange {
  readonly added: readonly PoolMember[];
  readonly removed: readonly PoolMember[];
}

/** Who is in which pool now. */
export interface Pools {
  /** The records in force. */
  readonly zone: PoolZone;
  readonly members: readonly PoolMember[];
  /** Why the file is not in force as it is now. */
  readonly problem: string | undefined;
  /** Has a member of any pool, or of the pool of that domain name, this address? */
  isMember(address: string, pool?: string): boolean;
  /** Told of every change after it is in force; the function returned ends that. */
  onChange(listener: (change: PoolChange) => void): () => void;
  stop(): void;
}

export interface PoolsModules extends PoolPlace {
  readonly clock: Clock;
  readonly log: Logger;
  /** How often the file is looked at where nobody tells of changes, and to be sure. Default 1 s. */
  readonly pollMs?: number;
  /** Ask the system to be told of changes. Default: yes. */
  readonly notify?: boolean;
}

const POLL_MS = 1000;

/**
 * Reads a pools file and follows it: a new one is in force as soon as it is there, a bad one or none leaves the last good
 * one in force and is logged once. Throws POOLS_FILE when there is no good one to begin with.
 */
export function openPools(file: string, modules: PoolsModules): Pools {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new PoolError(
      { code: "POOLS_FILE", file, problem: "cannot be read" },
      { cause, message: `--pools-file ${file} cannot be read: ${codeOf(cause)}` },
    );
  }
  const first = parsePoolsFile(text);
  if (first.kind === "invalid")
    throw new PoolError(
      { code: "POOLS_FILE", file, problem: first.problem },
      { message: `--pools-file ${file}: ${first.problem}` },
    );
  return new WatchedPools(file, text, new PoolZone(first.pools, modules), modules);
}

class WatchedPools implements Pools {
  readonly #file: string;
  readonly #modules: PoolsModules;
  readonly #listeners = new Set<(change: PoolChange) => void>();
  readonly #watcher: FSWatcher | undefined;
  #zone: PoolZone;
  #text: string;
  /** What the file system says of the text last read. */
  #stamp = "";
  #complaint = "";
  #reading: Promise<void> | undefined;
  #again = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(file: string, text: string, zone: PoolZone, modules: PoolsModules) {
    this.#file = file;
    this.#text = text;
    this.#zone = zone;
    this.#modules = modules;
    this.#watcher = modules.notify === false ? undefined : this.#watch();
    this.#schedule();
  }

  get zone(): PoolZone {
    return this.#zone;
  }

  get members(): readonly PoolMember[] {
    return this.#zone.members;
  }

  get problem(): string | undefined {
    return this.#complaint === "" ? undefined : this.#complaint;
  }

  isMember(address: string, pool?: string): boolean {
    return this.#zone.isMember(address, pool);
  }

  onChange(listener: (change: PoolChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#watcher?.close();
    this.#listeners.clear();
  }

  /** Of the folder: a file that is replaced is another file. */
  #watch(): FSWatcher | undefined {
    const name = basename(this.#file);
    try {
      const watcher = watch(dirname(this.#file), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) this.#read();
      });
      watcher.on("error", (err) => this.#modules.log.debug({ err }, "pools file is polled only"));
      return watcher;
    } catch (err) {
      // Too many watches, or a file system without them.
      this.#modules.log.debug({ err }, "pools file is polled only");
      return undefined;
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#modules.clock.setTimer(this.#modules.pollMs ?? POLL_MS, () => {
      stat(this.#file, { bigint: true }).then(
        ({ ino, size, mtimeNs }) => {
          if (`${ino} ${size} ${mtimeNs}` !== this.#stamp) this.#read();
          this.#schedule();
        },
        (error: unknown) => {
          this.#complain(`cannot be read: ${codeOf(error)}`);
          this.#schedule();
        },
      );
    });
  }

  /** One reading at a time; a change meanwhile is read after it. */
  #read(): void {
    if (this.#stopped) return;
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#reading = this.#load().finally(() => {
      this.#reading = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.#read();
    });
  }

  async #load(): Promise<void> {
    let text: string;
    try {
      const { ino, size, mtimeNs } = await stat(this.#file, { bigint: true });
      text = await readFile(this.#file, "utf8");
      this.#stamp = `${ino} ${size} ${mtimeNs}`;
    } catch (error) {
      return this.#complain(`cannot be read: ${codeOf(error)}`);
    }
    if (this.#stopped) return;
    if (text === this.#text) {
      this.#complaint = "";
      return;
    }
    const parsed = parsePoolsFile(text);
    if (parsed.kind === "invalid") return this.#complain(parsed.problem);
    this.#complaint = "";
    this.#text = text;
    this.#enforce(new PoolZone(parsed.pools, this.#modules));
  }

  #enforce(zone: PoolZone): void {
    const before = new Map(this.#zone.members.map((member) => [keyOf(member), member]));
    const after = new Map(zone.members.map((member) => [keyOf(member), member]));
    const added = [...after].flatMap(([key, member]) => (before.has(key) ? [] : [member]));
    const removed = [...before].flatMap(([key, member]) => (after.has(key) ? [] : [member]));
    this.#zone = zone;
    this.#modules.log.info(
      { file: this.#file, added: added.map(({ name }) => name), removed: removed.map(({ name }) => name) },
      "pools changed",
    );
    for (const listener of [...this.#listeners]) {
      try {
        listener({ added, removed });
      } catch (err) {
        this.#modules.log.error(
          { err, problemId: runtimeProblems.defect.id },
          "a follower of the pools failed",
        );
      }
    }
  }

  /** Once for each thing that is wrong. */
  #complain(problem: string): void {
    if (this.#stopped || problem === this.#complaint) return;
    this.#complaint = problem;
    this.#modules.log.error(
      { file: this.#file, problem, problemId: runtimeProblems.poolsFileRefused.id },
      "pools file is not usable; the last good one stays in force",
    );
  }
}

function keyOf({ name, addresses, draining }: PoolMember): string {
  return `${name} ${addresses.join(",")} ${draining}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
