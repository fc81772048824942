import { existsSync } from "node:fs";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock, Timer } from "../clock.ts";

export interface FileSeriesOptions {
  readonly folder: string;
  /** First part of the names of its files, which no other series of the folder has. */
  readonly prefix: string;
  /** A file is finished at. */
  readonly maxBytes: number;
  /** Or after. */
  readonly maxSeconds: number;
  /** Finished files that are kept, the oldest go first. Default: all, somebody collects them. */
  readonly maxFiles?: number;
  /** What `append` has written is on the disk, also after a power cut. Default: with the operating system. */
  readonly durable?: boolean;
}

const PART = ".part";
const CHUNK = 64 * 1024;

/**
 * Files of lines, one after the other: `<prefix>-<time>-<number>.jsonl`. One is written as `.part` and gets its name when it is
 * finished, so whoever collects files never sees half of one. What is asked of it is done in order.
 */
export class FileSeries {
  readonly #options: FileSeriesOptions;
  readonly #clock: Clock;
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  #bytes = 0;
  #openedAt = 0;
  #number = 0;
  #timer: Timer | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FileSeriesOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** It is time for the next file. */
  get isFull(): boolean {
    return this.#bytes >= this.#options.maxBytes;
  }

  /** Files that a process before this one has left unfinished. */
  async leftovers(): Promise<readonly string[]> {
    return (await this.#named(PART)).map((name) => join(this.#options.folder, name));
  }

  /**
   * Adds lines, whole ones. `settle`: what has to be done before the file may be finished. Rejects with what the file system says;
   * lines that did not fit whole are taken away again as far as it lets us.
   */
  append(text: string, settle?: () => Promise<void>): Promise<void> {
    return this.#next(async () => {
      const { handle } = this.#file ?? (await this.#open());
      const bytes = Buffer.from(text);
      try {
        await handle.appendFile(bytes);
        if (this.#options.durable === true) await handle.datasync();
      } catch (error) {
        await handle.truncate(this.#bytes).catch(() => undefined);
        throw error;
      }
      this.#bytes += bytes.length;
      await settle?.();
    });
  }

  /** Gives the file its name; without one it does nothing. Rejects when that fails: the file keeps its old one. */
  finish(): Promise<void> {
    return this.#next(() => this.#finish());
  }

  /** Lets the file go as it is, unfinished; its path. */
  abandon(): Promise<string | undefined> {
    return this.#next(async () => {
      const file = this.#letGo();
      await file?.handle.close().catch(() => undefined);
      return file?.path;
    });
  }

  /** The name of a whole file; the folder is synchronized so that it keeps it after a power cut. */
  async publish(part: string): Promise<void> {
    await rename(part, part.slice(0, -PART.length));
    const folder = await open(dirname(part), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    await this.#removeOldest();
  }

  #next<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #open(): Promise<{ readonly handle: FileHandle; readonly path: string }> {
    const { folder, prefix, maxSeconds } = this.#options;
    const time = new Date(this.#clock.now()).toISOString().replace(/[-:]|\..*/g, "");
    let path: string;
    do path = join(folder, `${prefix}-${time}Z-${String(++this.#number).padStart(4, "0")}.jsonl`);
    while (existsSync(path) || existsSync(path + PART));
    const handle = await open(path + PART, "ax", 0o640);
    this.#file = { handle, path: path + PART };
    this.#bytes = 0;
    this.#openedAt = this.#clock.monotonic();
    this.#timer = this.#clock.setTimer(maxSeconds * 1000, () => {
      this.#next(() => this.#expire()).catch(() => undefined); // it keeps its old name; the next start gives it its own
    });
    return this.#file;
  }

  async #expire(): Promise<void> {
    const age = this.#clock.monotonic() - this.#openedAt;
    if (age >= this.#options.maxSeconds * 1000) await this.#finish();
  }

  async #finish(): Promise<void> {
    const file = this.#letGo();
    if (file === undefined) return;
    await file.handle.close();
    await this.publish(file.path);
  }

  #letGo(): { readonly handle: FileHandle; readonly path: string } | undefined {
    const file = this.#file;
    this.#file = undefined;
    this.#timer?.cancel();
    this.#bytes = 0;
    return file;
  }

  /** Names of its files that end so, in the order of time, which is part of them. */
  async #named(end: string): Promise<readonly string[]> {
    const { folder, prefix } = this.#options;
    const names = await readdir(folder);
    return names
      .filter((name) => name.startsWith(`${prefix}-`) && name.endsWith(`.jsonl${end}`))
      .filter((name) => /^-\d{8}T\d{6}Z-\d{4,}\.jsonl/.test(name.slice(prefix.length)))
      .sort();
  }

  async #removeOldest(): Promise<void> {
    const { folder, maxFiles } = this.#options;
    if (maxFiles === undefined) return;
    const finished = await this.#named("");
    for (const name of finished.slice(0, Math.max(0, finished.length - maxFiles)))
      await unlink(join(folder, name)).catch(() => undefined); // somebody else has removed it
  }
}

/** Takes half a line off the end of a file: how many octets are left, and how many went. */
export async function cutTornLine(path: string): Promise<{ readonly left: number; readonly torn: number }> {
  const handle = await open(path, "r+");
  try {
    const { size } = await handle.stat();
    const chunk = Buffer.allocUnsafe(CHUNK);
    let left = 0;
    for (let end = size; end > 0 && left === 0; ) {
      const start = Math.max(0, end - CHUNK);
      const { bytesRead } = await handle.read(chunk, 0, end - start, start);
      left = start + chunk.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      if (left === start) left = 0;
      end = start;
    }
    await handle.truncate(left);
    return { left, torn: size - left };
  } finally {
    await handle.close();
  }
}
