import { type Found, UNAVAILABLE } from "../hss.ts";
import type {
  ImportOptions,
  ImportResult,
  RowFault,
  SubscriberRecord,
  SubscriberRepository,
} from "../subscriber-repository.ts";
import { type ClaimKey, type Claims, claimKeys } from "./identity-claims.ts";

/** Rows in work at once: enough to hide the round trips, few enough that calls are served beside them. */
const CONCURRENCY = 16;

type Fault = RowFault["fault"];
type Subscribers = Pick<SubscriberRepository, "insert" | "remove"> & { find(impi: string): Promise<Found> };

/** Many subscribers: rows side by side, in order where they claim the same identity. */
export class BulkImport {
  readonly #subscribers: Subscribers;
  readonly #claims: Claims;

  constructor(subscribers: Subscribers, claims: Claims) {
    this.#subscribers = subscribers;
    this.#claims = claims;
  }

  async run(records: readonly SubscriberRecord[], { dryRun, partial }: ImportOptions): Promise<ImportResult> {
    if (partial && !dryRun) return this.#write(records);
    // All or nothing: every row is judged before the first is written.
    const judged = await this.#judge(records);
    if (dryRun || judged.length > 0) return { applied: 0, faults: judged };
    const written = await this.#write(records);
    if (written.faults.length === 0) return written;
    // Somebody was faster between, or the store went away: what can be taken back is.
    const refused = new Set(written.faults.map(({ index }) => index));
    const kept = await inParallel(
      records.flatMap(({ impi }, index) => (refused.has(index) ? [] : [impi])),
      (impi) => this.#takeBack(impi),
    );
    return { applied: kept.filter((stays) => stays).length, faults: written.faults };
  }

  /** Faults of rows as if they were written one after the other. */
  async #judge(records: readonly SubscriberRecord[]): Promise<RowFault[]> {
    const stored = await inParallel(records, (record) => this.#storedConflict(record));
    const owners = new Map<string, string>();
    return records.flatMap((record, index) => {
      const fault = stored[index] ?? repeated(record, owners);
      if (fault !== undefined) return [{ index, fault }];
      for (const name of namesOf(record)) owners.set(name, record.impi);
      return [];
    });
  }

  async #storedConflict(record: SubscriberRecord): Promise<Fault | undefined> {
    const { impi } = record;
    const known = await this.#subscribers.find(impi);
    if (known === UNAVAILABLE) return UNAVAILABLE;
    if (known !== undefined) return { kind: "conflict", identity: impi, owner: impi };
    for (const key of claimKeys(record)) {
      const owner = await this.#claims.ownerOf(key);
      if (owner === UNAVAILABLE) return UNAVAILABLE;
      if (owner !== undefined) return { kind: "conflict", identity: key.canonical, owner };
    }
    return undefined;
  }

  async #write(records: readonly SubscriberRecord[]): Promise<ImportResult> {
    const results = new Map<number, Fault | undefined>();
    const write = async ([index, record]: readonly [number, SubscriberRecord]): Promise<void> => {
      const result = await this.#subscribers.insert(record);
      results.set(
        index,
        result.kind === "conflict" ? result : result.kind === "written" ? undefined : UNAVAILABLE,
      );
    };
    // Rows that name an identity of an earlier row wait for what becomes of that one.
    const seen = new Set<string>();
    const first: [number, SubscriberRecord][] = [];
    const later: [number, SubscriberRecord][] = [];
    for (const [index, record] of records.entries()) {
      const names = namesOf(record);
      (names.some((name) => seen.has(name)) ? later : first).push([index, record]);
      for (const name of names) seen.add(name);
    }
    await inParallel(first, write);
    for (const row of later) await write(row);
    const faults = [...records.keys()].flatMap((index) => {
      const fault = results.get(index);
      return fault === undefined ? [] : [{ index, fault }];
    });
    return { applied: records.length - faults.length, faults };
  }

  /** True when the subscriber stays. */
  async #takeBack(impi: string): Promise<boolean> {
    const subscriber = await this.#subscribers.find(impi);
    if (subscriber === undefined) return false;
    if (subscriber === UNAVAILABLE) return true;
    const { kind } = await this.#subscribers.remove(subscriber);
    return kind !== "written" && kind !== "notFound";
  }
}

/** What must be there once: private identities and public ones are different names. */
function namesOf(record: SubscriberRecord): string[] {
  return [` ${record.impi}`, ...claimKeys(record).map(({ canonical }: ClaimKey) => canonical)];
}

function repeated(record: SubscriberRecord, owners: ReadonlyMap<string, string>): Fault | undefined {
  for (const name of namesOf(record)) {
    const owner = owners.get(name);
    if (owner !== undefined) return { kind: "conflict", identity: name.trimStart(), owner };
  }
  return undefined;
}

/** Results in the order of the items. */
async function inParallel<I, R>(items: readonly I[], work: (item: I) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const item = items[index];
      if (item !== undefined) results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}
