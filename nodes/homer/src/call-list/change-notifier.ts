import type { Logger } from "@ims/runtime";
import type { HomerCounters } from "../metrics.ts";
import { homerProblems } from "../problems.ts";

const MAX_WAITING = 1_000;
const AT_ONCE = 4;
const TIMEOUT_MS = 2_000;

/** Tells a URL by POST whose call list has changed. Each change is told once; one that waits already stands for the next. */
export class ChangeNotifier {
  readonly #url: string;
  readonly #counters: HomerCounters;
  readonly #log: Logger;
  readonly #waiting = new Set<string>();
  #busy = 0;
  #problem: string | undefined;

  constructor(url: string, { counters, log }: { readonly counters: HomerCounters; readonly log: Logger }) {
    this.#url = url;
    this.#counters = counters;
    this.#log = log;
  }

  /** Why the last one could not be told. */
  get problem(): string | undefined {
    return this.#problem;
  }

  changed(impu: string): void {
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(impu))
      return this.#counters.notification("lost");
    this.#waiting.add(impu);
    this.#next();
  }

  #next(): void {
    for (const impu of this.#waiting) {
      if (this.#busy >= AT_ONCE) return;
      this.#waiting.delete(impu);
      this.#busy++;
      void this.#tell(impu).then((problem) => {
        this.#busy--;
        this.#note(problem);
        this.#next();
      });
    }
  }

  async #tell(impu: string): Promise<string | undefined> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ impu }),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `status ${response.status}`;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  #note(problem: string | undefined): void {
    this.#counters.notification(problem === undefined ? "taken" : "failed");
    if (problem !== undefined && this.#problem === undefined)
      this.#log.warn(
        { url: this.#url, problem, problemId: homerProblems.changesUntold.id },
        "nobody can be told of changed call lists",
      );
    this.#problem = problem;
  }
}
