import type { SimservsClient } from "@ims/api";
import { readSimservs, type Simservs } from "@ims/ims";
import type { Reading, SimservsReader } from "./modules.ts";

/** Nobody has set anything. */
const NOTHING: Simservs = {};
const MAX_KNOWN = 50_000;

interface Known {
  readonly etag: string;
  readonly simservs: Simservs;
}

/** Reads simservs documents of homer; what is read again and has not changed is not parsed again. */
export class SimservsCache implements SimservsReader {
  readonly #client: Pick<SimservsClient, "read">;
  readonly #onChange: (problem: string | undefined) => void;
  readonly #known = new Map<string, Known>();
  #problem: string | undefined;
  #broken = 0;

  /** `onChange`: told when documents cannot be read any more, or can be again. */
  constructor(client: Pick<SimservsClient, "read">, onChange: (problem: string | undefined) => void) {
    this.#client = client;
    this.#onChange = onChange;
  }

  /** Why an operator has to act. */
  get problem(): string | undefined {
    if (this.#problem !== undefined) return `documents cannot be read: ${this.#problem}`;
    return this.#broken === 0 ? undefined : `${this.#broken} documents were no simservs`;
  }

  async read(impu: string): Promise<Reading> {
    const known = this.#known.get(impu);
    const answer = await this.#client.read(impu, known?.etag);
    if (answer.kind === "unavailable") {
      this.#note(answer.problem);
      return known === undefined ? { kind: "unreadable" } : { kind: "lastKnown", simservs: known.simservs };
    }
    this.#note(undefined);
    if (answer.kind === "unchanged" && known !== undefined)
      return { kind: "simservs", simservs: known.simservs };
    if (answer.kind !== "found") return this.#keep(impu, { etag: "", simservs: NOTHING });
    const read = readSimservs(answer.document);
    if (read.kind === "simservs") return this.#keep(impu, { etag: answer.etag, simservs: read.simservs });
    if (this.#broken++ === 0) this.#onChange(`${impu}: ${read.problem}`);
    return known === undefined ? { kind: "unreadable" } : { kind: "lastKnown", simservs: known.simservs };
  }

  #keep(impu: string, known: Known): Reading {
    this.#known.delete(impu);
    this.#known.set(impu, known);
    if (this.#known.size > MAX_KNOWN)
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    return { kind: "simservs", simservs: known.simservs };
  }

  #note(problem: string | undefined): void {
    const changed = (problem === undefined) !== (this.#problem === undefined);
    this.#problem = problem;
    if (changed) this.#onChange(problem);
  }
}
