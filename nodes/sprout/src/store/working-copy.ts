import { dropOldest } from "@ims/runtime";
import type { KvStore, Version } from "@ims/store";
import type { ProfileReader } from "../profile/profile-reader.ts";
import type { Registration } from "./registration.ts";
import {
  decodeRegistration,
  decodeSets,
  encodeAlias,
  encodeNone,
  encodeRegistration,
  encodeSets,
  isNewerValue,
  type WriteMeta,
} from "./registration-codec.ts";
import { type Links, lifetimeOf } from "./set-lifetime.ts";

/** How long it is kept that an identity is not registered: the two REGISTERs of a registration, and what was removed last. */
export const NONE_SECONDS = 60;
/** The same while the durable copy says otherwise. */
const NONE_BEHIND_SECONDS = 7_200;

const TABLE = "registration";
/** IMPI to the keys of its sets, but for the set named after it: that one needs no entry. */
const IMPI_TABLE = "impi";
const MAX_ATTEMPTS = 8;
/**
 * Decoded registrations kept beside their version: what the requests of one procedure touch. More of them would live long enough to be moved
 * by the garbage collector, which costs more than to decode one again.
 */
const DECODED = 512;

export type WorkingRead =
  | {
      readonly kind: "found";
      readonly registration: Registration;
      readonly meta: WriteMeta;
      readonly version: Version;
    }
  | { readonly kind: "alias"; readonly of: string; readonly version: Version }
  /** Known not to be registered. */
  | { readonly kind: "none"; readonly meta: WriteMeta; readonly version: Version }
  | { readonly kind: "notFound" }
  | { readonly kind: "unavailable" }
  /** Of a later release, or rubbish: neither is ever overwritten. */
  | { readonly kind: "newer" }
  | { readonly kind: "unreadable" };

export type WorkingWrite = "stored" | "contention" | "unavailable";

/** Registrations in the store that all members of the pool work on; every write is guarded by the version read. */
export class WorkingCopy {
  readonly #store: KvStore;
  readonly #readProfile: ProfileReader;
  readonly #decoded = new Map<string, { version: Version; registration: Registration; meta: WriteMeta }>();

  constructor({ store, readProfile }: { readonly store: KvStore; readonly readProfile: ProfileReader }) {
    this.#store = store;
    this.#readProfile = readProfile;
  }

  async read(key: string): Promise<WorkingRead> {
    const got = await this.#store.get(TABLE, key);
    if (got.kind !== "found") return { kind: got.kind };
    const { version } = got;
    const known = this.#decoded.get(key);
    if (known?.version === version)
      return { kind: "found", registration: known.registration, meta: known.meta, version };
    const stored = decodeRegistration(got.value, this.#readProfile);
    switch (stored.kind) {
      case "alias":
        return { kind: "alias", of: stored.of, version };
      case "none":
        return { kind: "none", meta: stored.meta, version };
      case "newer":
      case "unreadable":
        return stored;
    }
    const { registration, meta } = stored;
    if (this.#decoded.size >= DECODED) dropOldest(this.#decoded, DECODED);
    this.#decoded.set(key, { version, registration, meta });
    return { kind: "found", registration, meta, version };
  }

  /** False while it may be older than what was acknowledged: see KvStore. */
  isSettled(key: string): boolean {
    return this.#store.isSettled?.(TABLE, key) ?? true;
  }

  async put(
    key: string,
    registration: Registration,
    meta: WriteMeta,
    options: { readonly ifVersion: Version | "absent"; readonly ttlSeconds: number },
  ): Promise<WorkingWrite> {
    this.#decoded.delete(key);
    return (await this.#store.put(TABLE, key, encodeRegistration(registration, meta), options)).kind;
  }

  /** Says that there is no registration. */
  async putNone(
    key: string,
    meta: WriteMeta,
    options: { readonly ifVersion: Version | "absent"; readonly ttlSeconds: number },
  ): Promise<WorkingWrite> {
    this.#decoded.delete(key);
    return (await this.#store.put(TABLE, key, encodeNone(meta), options)).kind;
  }

  /** The set, or that there is none. */
  putEither(
    key: string,
    registration: Registration | undefined,
    meta: WriteMeta,
    ifVersion: Version | "absent",
    now: number,
  ): Promise<WorkingWrite> {
    if (registration === undefined) {
      const ttlSeconds = meta.behind === 0 ? NONE_SECONDS : NONE_BEHIND_SECONDS;
      return this.putNone(key, meta, { ifVersion, ttlSeconds });
    }
    return this.put(key, registration, meta, { ifVersion, ttlSeconds: lifetimeOf(registration, now) });
  }

  async putAlias(alias: string, of: string, ttlSeconds: number): Promise<WorkingWrite> {
    const put = await this.#store.put(TABLE, alias, encodeAlias(of), { ifVersion: "absent", ttlSeconds });
    return put.kind;
  }

  async remove(key: string, ifVersion: Version): Promise<WorkingWrite> {
    this.#decoded.delete(key);
    return (await this.#store.delete(TABLE, key, { ifVersion })).kind;
  }

  /** Lets the other identities and the private identities of a set lead to it. */
  async link(key: string, { aliases, impis }: Links, ttlSeconds: number): Promise<void> {
    if (aliases.length + impis.size === 0) return;
    await Promise.all([
      ...aliases.map((alias) => this.#overwrite(TABLE, alias, ttlSeconds, () => encodeAlias(key))),
      ...[...impis].map((impi) =>
        this.#overwrite(IMPI_TABLE, impi, ttlSeconds, (before) =>
          encodeSets(new Set([...(before === undefined ? [] : decodeSets(before)), key])),
        ),
      ),
    ]);
  }

  /** Keys of the sets an IMPI is registered with, as far as they are written down. */
  async setsOf(
    impi: string,
  ): Promise<{ readonly kind: "found" | "notFound" | "unavailable"; readonly sets: readonly string[] }> {
    const got = await this.#store.get(IMPI_TABLE, impi);
    return { kind: got.kind, sets: got.kind === "found" ? decodeSets(got.value) : [] };
  }

  /** An identity belongs to one set, and the HSS has just said to which: what stood there does not count. */
  async #overwrite(
    table: string,
    key: string,
    ttlSeconds: number,
    value: (before: Uint8Array | undefined) => Uint8Array,
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = await this.#store.get(table, key);
      if (read.kind === "unavailable" || (read.kind === "found" && isNewerValue(read.value))) return;
      const [ifVersion, before] =
        read.kind === "found" ? ([read.version, read.value] as const) : (["absent", undefined] as const);
      const put = await this.#store.put(table, key, value(before), { ifVersion, ttlSeconds });
      if (put.kind !== "contention") return;
    }
  }
}
