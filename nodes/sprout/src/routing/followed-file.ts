import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { Clock, Logger, Timer } from "@ims/runtime";
import type { z } from "zod";
import { SproutError } from "../errors.ts";

/** Between two looks at the file, ms. */
const EVERY_MS = 2_000;
/** What is read and checked within the time that a loop turn may take. */
const MAX_BYTES = 1_000_000;

/** What a table was made into, or why it cannot be. */
export type TableResult<T> =
  | { readonly kind: "table"; readonly table: T; readonly problem?: string }
  | { readonly kind: "bad"; readonly problem: string };

export interface FollowedFileOptions<S extends z.ZodType, T> {
  readonly file: string;
  /** For the log: "ENUM file". */
  readonly what: string;
  readonly schema: S;
  make(content: z.output<S>): TableResult<T>;
}

/** A JSON file of the operator that is followed while it changes. One that is missing or wrong changes nothing. */
export class FollowedFile<S extends z.ZodType, T> {
  readonly #options: FollowedFileOptions<S, T>;
  readonly #modules: { readonly clock: Clock; readonly log: Logger };
  #text: string;
  #stamp = "";
  #table: T;
  #problem: string | undefined;
  /** What it says now is not what is in force. */
  #failed = false;
  #timer: Timer | undefined;
  #running = false;

  /** Reads the file. Throws SproutError when it cannot be used. */
  constructor(options: FollowedFileOptions<S, T>, modules: { readonly clock: Clock; readonly log: Logger }) {
    this.#options = options;
    this.#modules = modules;
    const { file } = options;
    try {
      this.#text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new SproutError({ code: "SPROUT_NUMBERS_FILE", file, problem: "cannot be read" }, { cause });
    }
    this.#table = this.#parse(this.#text);
  }

  get table(): T {
    return this.#table;
  }

  /** What is wrong with the file as it is now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#running = true;
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#modules.clock.setTimer(EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { file, what } = this.#options;
    const { log } = this.#modules;
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp !== this.#stamp) {
        this.#stamp = stamp;
        const text = size > MAX_BYTES ? " ".repeat(MAX_BYTES + 1) : await readFile(file, "utf8");
        if (text !== this.#text || this.#failed) {
          this.#table = this.#parse(text);
          this.#failed = false;
          this.#text = text;
          log.info({ file }, `${what} has changed`);
        }
      }
    } catch (error) {
      if (!(error instanceof SproutError)) this.#stamp = "";
      this.#failed = true;
      const problem = error instanceof SproutError ? error.message : `${file} cannot be read`;
      if (problem !== this.#problem) log.warn({ file, problem }, `${what} stays as it is`);
      this.#problem = problem;
    }
    if (this.#running) this.#wait();
  }

  #parse(text: string): T {
    const { file, schema, make, what } = this.#options;
    const bad = (problem: string): SproutError =>
      new SproutError({ code: "SPROUT_NUMBERS_FILE", file, problem });
    if (text.length > MAX_BYTES) throw bad(`has more than ${MAX_BYTES} characters`);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new SproutError({ code: "SPROUT_NUMBERS_FILE", file, problem: "is not JSON" }, { cause });
    }
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw bad(`${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "bad value"}`);
    }
    const made = make(parsed.data);
    if (made.kind === "bad") throw bad(made.problem);
    if (made.problem !== undefined) this.#modules.log.warn({ file, problem: made.problem }, what);
    this.#problem = made.problem === undefined ? undefined : `${file}: ${made.problem}`;
    return made.table;
  }
}
