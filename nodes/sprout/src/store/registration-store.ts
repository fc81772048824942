import type { Clock } from "@ims/runtime";
import type { KvStore, Version } from "@ims/store";
import type { ProfileReader } from "../profile/profile-reader.ts";
import { liveBindings, nextExpiry, type Registration } from "./registration.ts";
import {
  decodeRegistration,
  decodeSets,
  encodeAlias,
  encodeRegistration,
  encodeSets,
} from "./registration-codec.ts";

const TABLE = "registration";
/** IMPI to the keys of its sets, but for the set named after it: that one needs no entry. */
const IMPI_TABLE = "impi";
/** Kept past the last expiry: whoever deregisters the lapsed user must still find its profile. */
const GRACE_SECONDS = 3600;
const MAX_ATTEMPTS = 8;
/** Decoded registrations kept beside their version: what a burst of requests for one user touches. */
const DECODED = 4096;

export type FindResult =
  | { readonly kind: "found"; readonly registration: Registration }
  | { readonly kind: "notFound" }
  | { readonly kind: "unavailable" };

export type UpdateResult =
  | { readonly kind: "stored"; readonly registration: Registration }
  | { readonly kind: "removed" }
  | { readonly kind: "unchanged"; readonly registration: Registration | undefined }
  | { readonly kind: "unavailable" };

/** What to write, "remove", or "keep" to leave all as it is. Called again after a contention. */
export type Change = (current: Registration | undefined) => Registration | "remove" | "keep";

export interface RegistrationStoreModules {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly readProfile: ProfileReader;
  /** Told of every write: when something of that set lapses. */
  readonly onWrite?: (impu: string, at: number) => void;
}

/** Registrations by implicit set: state that outlives this process (its owner is this file). */
export class RegistrationStore {
  readonly #modules: RegistrationStoreModules;
  readonly #decoded = new Map<string, { version: Version; registration: Registration }>();

  constructor(modules: RegistrationStoreModules) {
    this.#modules = modules;
  }

  /** The set that a canonical identity (or a wildcarded one as provisioned) belongs to. */
  async find(impu: string): Promise<FindResult> {
    const first = await this.#read(impu);
    const result = first.kind === "alias" ? await this.#read(first.of) : first;
    return result.kind === "found" || result.kind === "unavailable" ? result : { kind: "notFound" };
  }

  /** Keys of the sets an IMPI is registered with. */
  async setsOf(impi: string): Promise<readonly string[]> {
    const got = await this.#modules.store.get(IMPI_TABLE, impi);
    const named = got.kind === "found" ? decodeSets(got.value) : [];
    const implied = `sip:${impi}`;
    return named.includes(implied) ? named : [...named, implied];
  }

  /** Read, change, write under the version read; repeats on contention. `key` is the default identity of the set. */
  async update(key: string, change: Change): Promise<UpdateResult> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await this.#read(key);
      if (read.kind === "unavailable") return read;
      const current = read.kind === "found" ? read.registration : undefined;
      const wanted = change(current);
      if (wanted === "keep") return { kind: "unchanged", registration: current };
      const version = read.kind === "notFound" ? "absent" : read.version;
      const result = await this.#write(key, wanted, version);
      if (result === "contention") continue;
      if (result === "unavailable") return { kind: "unavailable" };
      return wanted === "remove" ? { kind: "removed" } : { kind: "stored", registration: wanted };
    }
    return { kind: "unavailable" };
  }

  async #write(
    key: string,
    wanted: Registration | "remove",
    version: Version | "absent",
  ): Promise<"stored" | "contention" | "unavailable"> {
    const { store, clock, onWrite } = this.#modules;
    this.#decoded.delete(key);
    if (wanted === "remove") {
      if (version === "absent") return "stored";
      return (await store.delete(TABLE, key, { ifVersion: version })).kind;
    }
    const now = clock.now();
    const last = lastExpiry(wanted, now);
    const ttlSeconds = Math.ceil((last - now) / 1000) + GRACE_SECONDS;
    const aliases = aliasesOf(wanted);
    const impis = new Set<string>();
    for (const { impi } of wanted.bindings) if (`sip:${impi}` !== key) impis.add(impi);
    const renew = (aliases.length > 0 || impis.size > 0) && wanted.aliasesUntil < last;
    // Twice as long as needed: only every second refresh writes the aliases again.
    const until = renew ? last + (last - now) : wanted.aliasesUntil;
    const value = renew ? { ...wanted, aliasesUntil: until } : wanted;
    const result = await store.put(TABLE, key, encodeRegistration(value), { ifVersion: version, ttlSeconds });
    if (result.kind !== "stored") return result.kind;
    if (renew) {
      const aliasTtl = Math.ceil((until - now) / 1000) + GRACE_SECONDS;
      await Promise.all([
        ...aliases.map((alias) => this.#overwrite(TABLE, alias, aliasTtl, () => encodeAlias(key))),
        ...[...impis].map((impi) =>
          this.#overwrite(IMPI_TABLE, impi, aliasTtl, (before) =>
            encodeSets(new Set([...(before === undefined ? [] : decodeSets(before)), key])),
          ),
        ),
      ]);
    }
    const next = nextExpiry(wanted);
    if (next !== undefined) onWrite?.(key, next);
    return "stored";
  }

  /** An identity belongs to one set, and the HSS has just said to which: what stood there does not count. */
  async #overwrite(
    table: string,
    key: string,
    ttlSeconds: number,
    value: (before: Uint8Array | undefined) => Uint8Array,
  ): Promise<void> {
    const { store } = this.#modules;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await store.get(table, key);
      if (read.kind === "unavailable") return;
      const [ifVersion, before] =
        read.kind === "found" ? ([read.version, read.value] as const) : (["absent", undefined] as const);
      const put = await store.put(table, key, value(before), { ifVersion, ttlSeconds });
      if (put.kind !== "contention") return;
    }
  }

  async #read(
    key: string,
  ): Promise<
    | { kind: "found"; registration: Registration; version: Version }
    | { kind: "alias"; of: string; version: Version }
    | { kind: "unreadable"; version: Version }
    | { kind: "notFound" }
    | { kind: "unavailable" }
  > {
    const { store, readProfile } = this.#modules;
    const got = await store.get(TABLE, key);
    if (got.kind !== "found") return { kind: got.kind };
    const { version } = got;
    const known = this.#decoded.get(key);
    if (known?.version === version) return { kind: "found", registration: known.registration, version };
    const stored = decodeRegistration(got.value, readProfile);
    if (stored.kind === "alias") return { kind: "alias", of: stored.of, version };
    if (stored.kind === "unreadable") return { kind: "unreadable", version };
    if (this.#decoded.size >= DECODED) {
      const oldest = this.#decoded.keys().next();
      if (!oldest.done) this.#decoded.delete(oldest.value);
    }
    this.#decoded.set(key, { version, registration: stored.registration });
    return { kind: "found", registration: stored.registration, version };
  }
}

function lastExpiry(registration: Registration, now: number): number {
  let last = Math.max(now, registration.heldUntil);
  for (const { expiresAt } of liveBindings(registration, now)) if (expiresAt > last) last = expiresAt;
  return last;
}

function aliasesOf({ impu, profile }: Registration): string[] {
  const others: string[] = [];
  for (const { canonical } of profile.members) if (canonical !== impu) others.push(canonical);
  return others;
}
