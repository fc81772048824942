import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { z } from "zod";
import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import { runtimeProblems } from "../problems.ts";

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
  /** The error of a file that cannot be used at the start. */
  fault(file: string, problem: string, cause?: unknown): Error;
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

  /** Reads the file. Throws options.fault() when it cannot be used. */
  constructor(options: FollowedFileOptions<S, T>, modules: { readonly clock: Clock; readonly log: Logger }) {
    this.#options = options;
    this.#modules = modules;
    const { file } = options;
    try {
      this.#text = readFileSync(file, "utf8");
    } catch (cause) {
      throw options.fault(file, "cannot be read", cause);
    }
    const parsed = this.#parse(this.#text);
    if (parsed.kind === "bad") throw options.fault(file, parsed.problem, parsed.cause);
    this.#table = this.#take(parsed);
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
    const { file } = this.#options;
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp !== this.#stamp) {
        this.#stamp = stamp;
        this.#changed(size > MAX_BYTES ? " ".repeat(MAX_BYTES + 1) : await readFile(file, "utf8"));
      }
    } catch {
      this.#stamp = "";
      this.#stays(`${file} cannot be read`);
    }
    if (this.#running) this.#wait();
  }

  #changed(text: string): void {
    if (text === this.#text && !this.#failed) return;
    const { file, what, fault } = this.#options;
    const parsed = this.#parse(text);
    if (parsed.kind === "bad") return this.#stays(fault(file, parsed.problem).message);
    this.#table = this.#take(parsed);
    this.#failed = false;
    this.#text = text;
    this.#modules.log.info({ file }, `${what} has changed`);
  }

  #stays(problem: string): void {
    const { file, what } = this.#options;
    this.#failed = true;
    if (problem !== this.#problem)
      this.#modules.log.warn(
        { file, problem, problemId: runtimeProblems.fileRefused.id },
        `${what} stays as it is`,
      );
    this.#problem = problem;
  }

  #take({ table, problem }: { readonly table: T; readonly problem?: string }): T {
    const { file, what } = this.#options;
    if (problem !== undefined)
      this.#modules.log.warn({ file, problem, problemId: runtimeProblems.fileRefused.id }, what);
    this.#problem = problem === undefined ? undefined : `${file}: ${problem}`;
    return table;
  }

  #parse(text: string): TableResult<T> & { readonly cause?: unknown } {
    const { schema, make } = this.#options;
    if (text.length > MAX_BYTES) return { kind: "bad", problem: `has more than ${MAX_BYTES} characters` };
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      // Not the whole message: it quotes what may be nobody's business.
      const place = cause instanceof Error ? /\(line \d+ column \d+\)/.exec(cause.message)?.[0] : undefined;
      return { kind: "bad", problem: place === undefined ? "is not JSON" : `is not JSON ${place}`, cause };
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return make(parsed.data);
    const issue = parsed.error.issues[0];
    const place = issue?.path.join(".") || "the whole";
    return { kind: "bad", problem: `${place}: ${issue?.message ?? "bad value"}` };
  }
}
