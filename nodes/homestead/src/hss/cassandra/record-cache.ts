import { dropOldest } from "@ims/runtime";
import type { DecodedRecord } from "../subscriber-row.ts";
import type { DecodedParts } from "../subscription-row.ts";

type CachedRecord = { readonly version: string; readonly record: DecodedRecord | DecodedParts };

/** Owners remembered for each record. */
const OWNERS_PER_RECORD = 4;

/**
 * Decoded records, to save decrypting and parsing. Never believed: a record counts when its version is that of the row,
 * an owner when its record has the identity.
 */
export class RecordCache {
  readonly #maxRecords: number;
  /** Least recently used first. */
  readonly #records = new Map<string, CachedRecord>();
  readonly #owners = new Map<string, string>();

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  get size(): number {
    return this.#records.size;
  }

  get(impi: string): CachedRecord | undefined {
    const cached = this.#records.get(impi);
    if (cached === undefined) return undefined;
    this.#records.delete(impi);
    this.#records.set(impi, cached);
    return cached;
  }

  set(impi: string, version: string, record: DecodedRecord | DecodedParts): void {
    this.#records.delete(impi);
    if (this.#records.size >= this.#maxRecords) dropOldest(this.#records, this.#maxRecords);
    this.#records.set(impi, { version, record });
    const identities =
      "key" in record
        ? record.sets.flatMap(({ profiles }) => profiles.flatMap((profile) => profile.identities))
        : record.identities;
    for (const { canonical, wildcard } of identities)
      if (wildcard === undefined) this.setOwner(canonical, impi);
  }

  delete(impi: string): void {
    this.#records.delete(impi);
  }

  owner(canonical: string): string | undefined {
    return this.#owners.get(canonical);
  }

  setOwner(canonical: string, impi: string): void {
    if (this.#owners.get(canonical) === impi) return;
    const most = this.#maxRecords * OWNERS_PER_RECORD;
    if (this.#owners.size >= most) dropOldest(this.#owners, most);
    this.#owners.set(canonical, impi);
  }

  deleteOwner(canonical: string): void {
    this.#owners.delete(canonical);
  }
}
