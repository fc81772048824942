import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock, Logger, Timer } from "@ims/runtime";
import { makeFolder } from "../make-folder.ts";
import { ralfProblems } from "../problems.ts";
import type { QueueDatabase } from "../queue/queue-database.ts";

export interface CdrFilesOptions {
  readonly folder: string;
  /** Of this ralf, in the names of its files. */
  readonly name: string;
  readonly maxBytes: number;
  readonly maxSeconds: number;
}

export interface CdrFilesModules {
  readonly queue: QueueDatabase;
  readonly clock: Clock;
  readonly log: Logger;
}

const BATCH = 1_000;
const PART = ".part";
const RETRY_MS = 1_000;

/**
 * CDR files: `cdr-<name>-<time>-<number>.jsonl`. One is written as `.part` and gets its name when it is finished, so whoever
 * collects files never sees half of one. A line is in the queue on disk until it is in the file.
 */
export class CdrFiles {
  readonly #options: CdrFilesOptions;
  readonly #modules: CdrFilesModules;
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  #bytes = 0;
  #openedAt = 0;
  #number = 0;
  #written = 0;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: Timer | undefined;
  #problem: string | undefined;

  /** Throws RALF_FOLDER when the folder cannot be made. */
  constructor(options: CdrFilesOptions, modules: CdrFilesModules) {
    this.#options = options;
    this.#modules = modules;
    makeFolder("--cdr-dir", options.folder);
  }

  /** CDRs written since the start. */
  get written(): number {
    return this.#written;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Finishes what an earlier process left, then writes what waits. */
  async start(): Promise<void> {
    const prefix = `cdr-${this.#options.name}-`;
    for (const name of readdirSync(this.#options.folder))
      if (name.startsWith(prefix) && name.endsWith(PART))
        await this.#recover(join(this.#options.folder, name));
    this.poke();
  }

  /** There may be lines to write. */
  poke(): void {
    this.#again = true;
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined;
      if (this.#again) this.poke();
    });
  }

  /** What waits is written and the file finished. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
    await this.#finish();
  }

  async #write(): Promise<void> {
    this.#again = false;
    const { queue, log, clock } = this.#modules;
    try {
      for (let rows = queue.cdrs(BATCH); rows.length > 0; rows = queue.cdrs(BATCH)) {
        const last = rows.at(-1)?.id ?? 0;
        const file = this.#file ?? (await this.#open());
        const text = rows.map(({ line }) => `${line}\n`).join("");
        await file.handle.appendFile(text);
        await file.handle.datasync();
        this.#bytes += Buffer.byteLength(text);
        const stored = await queue.cdrsWritten(last);
        if (stored.kind !== "stored") throw stored.cause;
        this.#written += rows.length;
        this.#problem = undefined;
        if (this.#bytes >= this.#options.maxBytes) await this.#finish();
      }
    } catch (err) {
      if (this.#problem === undefined)
        log.error(
          { err, problemId: ralfProblems.cdrFilesNotWritten.id },
          "CDRs cannot be written; they wait in the queue",
        );
      this.#problem = err instanceof Error ? err.message : String(err);
      await this.#file?.handle.close().catch(() => undefined);
      if (this.#file !== undefined) await this.#recover(this.#file.path).catch(() => undefined);
      this.#file = undefined;
      clock.setTimer(RETRY_MS, () => this.poke());
    }
  }

  async #open(): Promise<{ readonly handle: FileHandle; readonly path: string }> {
    const { folder, name, maxSeconds } = this.#options;
    const { clock } = this.#modules;
    const time = new Date(clock.now()).toISOString().replace(/[-:]|\..*/g, "");
    let path: string;
    do path = join(folder, `cdr-${name}-${time}Z-${String(++this.#number).padStart(4, "0")}.jsonl`);
    while (existsSync(path) || existsSync(path + PART));
    const handle = await open(path + PART, "ax", 0o640);
    this.#file = { handle, path: path + PART };
    this.#bytes = 0;
    this.#openedAt = clock.monotonic();
    this.#timer?.cancel();
    this.#timer = clock.setTimer(maxSeconds * 1000, () => void this.#expire());
    return this.#file;
  }

  async #expire(): Promise<void> {
    await this.#running;
    if (this.#modules.clock.monotonic() - this.#openedAt >= this.#options.maxSeconds * 1000)
      await this.#finish();
  }

  async #finish(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    await file.handle.close();
    publish(file.path);
  }

  /**
   * A file that was not finished: a torn last line goes, and lines that the queue still has, because the process ended
   * between file and queue, go from the queue.
   */
  async #recover(part: string): Promise<void> {
    const { queue, log } = this.#modules;
    const text = readFileSync(part, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const handle = await open(part, "r+");
    try {
      await handle.truncate(Buffer.byteLength(whole));
    } finally {
      await handle.close();
    }
    const lines = new Set(whole.split("\n"));
    for (let rows = queue.cdrs(BATCH); rows.length > 0; rows = queue.cdrs(BATCH)) {
      const known = rows.findIndex(({ line }) => !lines.has(line));
      const last = rows[(known < 0 ? rows.length : known) - 1];
      if (last === undefined) break;
      await queue.cdrsWritten(last.id);
      if (known >= 0) break;
    }
    publish(part);
    log.info(
      { file: part, torn: text.length - whole.length },
      "a CDR file of an earlier process is finished",
    );
  }
}

/** The name of a whole file; the folder is synchronized so that it keeps it after a power cut. */
function publish(part: string): void {
  renameSync(part, part.slice(0, -PART.length));
  const folder = openSync(dirname(part), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
