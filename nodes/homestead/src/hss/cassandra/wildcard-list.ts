import { matchesWildcard, parseWildcardedImpu, type WildcardedImpu } from "@ims/ims";
import type { Clock } from "@ims/runtime";
import { UNAVAILABLE, type Unavailable } from "../hss.ts";
import { type Cql, text } from "./cql.ts";
import { selectWildcards } from "./statements.ts";

/** A wildcarded identity added through one homestead is known to the others this much later at most. */
const MAX_AGE_MS = 1000;

type Covering = { readonly wildcard: WildcardedImpu; readonly impi: string };

/** The wildcarded identities of all subscribers, read again when they are a second old. */
export class WildcardList {
  readonly #cql: Cql;
  readonly #clock: Clock;
  #list: readonly Covering[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #changedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<readonly Covering[] | Unavailable> | undefined;

  constructor(cql: Cql, clock: Clock) {
    this.#cql = cql;
    this.#clock = clock;
  }

  /** Owners of the wildcards that match, or are what is asked for. A claim of a write in progress is among them. */
  async ownersOf(canonical: string): Promise<readonly string[] | Unavailable> {
    const fresh = this.#clock.monotonic() - this.#readAt < MAX_AGE_MS;
    if (!fresh) this.#reading ??= this.#read();
    const list = fresh ? this.#list : await this.#reading;
    if (list === undefined || list === UNAVAILABLE) return UNAVAILABLE;
    const covers = ({ wildcard }: Covering): boolean =>
      wildcard.text === canonical || matchesWildcard(wildcard, canonical);
    return list.filter(covers).map(({ impi }) => impi);
  }

  /** A write through this homestead is seen at once. */
  changed(): void {
    this.#changedAt = this.#clock.monotonic();
    this.#readAt = Number.NEGATIVE_INFINITY;
    this.#reading = undefined;
  }

  #read(): Promise<readonly Covering[] | Unavailable> {
    const startedAt = this.#clock.monotonic();
    const reading = this.#cql.readAll(selectWildcards).then((rows) => {
      if (this.#reading === reading) this.#reading = undefined;
      if (rows === UNAVAILABLE) return UNAVAILABLE;
      const list = rows.flatMap((row) => {
        const wildcard = parseWildcardedImpu(text(row, "canonical") ?? "");
        const impi = text(row, "impi");
        return wildcard === undefined || impi === undefined ? [] : [{ wildcard, impi }];
      });
      // One that began before the last change may not know of it.
      if (startedAt >= this.#changedAt) {
        this.#list = list;
        this.#readAt = startedAt;
      }
      return list;
    });
    return reading;
  }
}
