import { readFile } from "node:fs/promises";
import { type Clock, cutTornLine, FileSeries, type Logger } from "@ims/runtime";
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
const RETRY_MS = 1_000;

/**
 * CDR files: `cdr-<name>-<time>-<number>.jsonl`. One is written as `.part` and gets its name when it is finished, so whoever
 * collects files never sees half of one. A line is in the queue on disk until it is in the file.
 */
export class CdrFiles {
  readonly #modules: CdrFilesModules;
  readonly #files: FileSeries;
  #written = 0;
  #running: Promise<void> | undefined;
  #again = false;
  #problem: string | undefined;

  /** Throws RALF_FOLDER when the folder cannot be made. */
  constructor({ folder, name, maxBytes, maxSeconds }: CdrFilesOptions, modules: CdrFilesModules) {
    this.#modules = modules;
    makeFolder("--cdr-dir", folder);
    const prefix = `cdr-${name}`;
    this.#files = new FileSeries({ folder, prefix, maxBytes, maxSeconds, durable: true }, modules.clock);
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
    for (const part of await this.#files.leftovers()) await this.#recover(part);
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
    await this.#running;
    await this.#files.finish();
  }

  async #write(): Promise<void> {
    this.#again = false;
    const { queue, log, clock } = this.#modules;
    try {
      for (let rows = queue.cdrs(BATCH); rows.length > 0; rows = queue.cdrs(BATCH)) {
        const last = rows.at(-1)?.id ?? 0;
        const text = rows.map(({ line }) => `${line}\n`).join("");
        await this.#files.append(text, async () => {
          const stored = await queue.cdrsWritten(last);
          if (stored.kind !== "stored") throw stored.cause;
        });
        this.#written += rows.length;
        this.#problem = undefined;
        if (this.#files.isFull) await this.#files.finish();
      }
    } catch (err) {
      if (this.#problem === undefined)
        log.error(
          { err, problemId: ralfProblems.cdrFilesNotWritten.id },
          "CDRs cannot be written; they wait in the queue",
        );
      this.#problem = err instanceof Error ? err.message : String(err);
      const part = await this.#files.abandon();
      if (part !== undefined) await this.#recover(part).catch(() => undefined);
      clock.setTimer(RETRY_MS, () => this.poke());
    }
  }

  /**
   * A file that was not finished: a torn last line goes, and lines that the queue still has, because the process ended
   * between file and queue, go from the queue.
   */
  async #recover(part: string): Promise<void> {
    const { queue, log } = this.#modules;
    const { torn } = await cutTornLine(part);
    const lines = new Set((await readFile(part, "utf8")).split("\n"));
    for (let rows = queue.cdrs(BATCH); rows.length > 0; rows = queue.cdrs(BATCH)) {
      const known = rows.findIndex(({ line }) => !lines.has(line));
      const last = rows[(known < 0 ? rows.length : known) - 1];
      if (last === undefined) break;
      await queue.cdrsWritten(last.id);
      if (known >= 0) break;
    }
    await this.#files.publish(part);
    log.info({ file: part, torn }, "a CDR file of an earlier process is finished");
  }
}
