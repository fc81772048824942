import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseFilterCriteriaSet, parseSharedIfcSets } from "@ims/ims";
import type { Clock, Logger, Timer } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { SproutError } from "../errors.ts";
import type { OperatorCriteria } from "../scscf/filter-criteria.ts";

export interface CriteriaFilesOptions {
  /** "": none. */
  readonly sharedIfcFile: string;
  readonly fallbackIfcFile: string;
}

/** Between two looks at the files, ms. */
const EVERY_MS = 2_000;

/** The operator's own filter criteria, from files that are followed while they change. One that is missing or wrong changes nothing. */
export class CriteriaFiles {
  readonly #options: CriteriaFilesOptions;
  readonly #modules: { readonly clock: Clock; readonly log: Logger };
  readonly #onChange: (criteria: OperatorCriteria) => void;
  #texts: readonly [shared: string, fallback: string];
  #problem: string | undefined;
  #timer: Timer | undefined;
  #running = false;
  /** As the files were when this was made. */
  readonly initial: OperatorCriteria;

  /** Reads the files. Throws SproutError when one cannot be used. */
  constructor(
    options: CriteriaFilesOptions,
    modules: { readonly clock: Clock; readonly log: Logger },
    onChange: (criteria: OperatorCriteria) => void,
  ) {
    this.#options = options;
    this.#modules = modules;
    this.#onChange = onChange;
    const read = (file: string): string => {
      try {
        return file === "" ? "" : readFileSync(file, "utf8");
      } catch (cause) {
        throw new SproutError({ code: "SPROUT_IFC_FILE", file, problem: "cannot be read" }, { cause });
      }
    };
    this.#texts = [read(options.sharedIfcFile), read(options.fallbackIfcFile)];
    this.initial = this.#parse(this.#texts);
  }

  /** What is wrong with the files as they are now. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    if (this.#options.sharedIfcFile === "" && this.#options.fallbackIfcFile === "") return;
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
    const { sharedIfcFile, fallbackIfcFile } = this.#options;
    const { log } = this.#modules;
    const read = async (file: string): Promise<string> => (file === "" ? "" : readFile(file, "utf8"));
    try {
      const texts = [await read(sharedIfcFile), await read(fallbackIfcFile)] as const;
      if (texts[0] !== this.#texts[0] || texts[1] !== this.#texts[1]) {
        const criteria = this.#parse(texts);
        this.#texts = texts;
        this.#onChange(criteria);
        log.info(
          { sets: criteria.shared.size, fallback: criteria.fallback.length },
          "filter criteria have changed",
        );
      }
      this.#problem = undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : "unreadable";
      if (problem !== this.#problem)
        log.warn({ problem, problemId: runtimeProblems.fileRefused.id }, "filter criteria stay as they are");
      this.#problem = problem;
    }
    if (this.#running) this.#wait();
  }

  #parse([sharedText, fallbackText]: readonly [string, string]): OperatorCriteria {
    const { sharedIfcFile, fallbackIfcFile } = this.#options;
    const shared = sharedText === "" ? undefined : parseSharedIfcSets(sharedText);
    if (shared?.kind === "malformed")
      throw new SproutError({ code: "SPROUT_IFC_FILE", file: sharedIfcFile, problem: shared.reason });
    const fallback = fallbackText === "" ? undefined : parseFilterCriteriaSet(fallbackText);
    if (fallback?.kind === "malformed")
      throw new SproutError({ code: "SPROUT_IFC_FILE", file: fallbackIfcFile, problem: fallback.reason });
    return { shared: shared?.sets ?? new Map(), fallback: fallback?.sets ?? [] };
  }
}
