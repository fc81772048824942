import type { Clock } from "@ims/runtime";
import type { KvStore, Version } from "@ims/store";
import type { NotAvailable } from "./copies.ts";
import { Outage } from "./outage.ts";

const TABLE = "challenge";
/** A challenge may be answered this long. */
export const CHALLENGE_SECONDS = 40;
/** Kept past that, so that whoever watches it can tell unanswered from gone. */
const GRACE_SECONDS = 20;

/** An authentication challenge in progress: what the answer to its nonce is checked against. */
export interface Challenge {
  readonly impi: string;
  readonly impu: string;
  readonly realm: string;
  readonly kind: "digest" | "aka1" | "aka2";
  /** H(A1) by algorithm. */
  readonly secrets: readonly { readonly algorithm: string; readonly ha1: string }[];
  /** ms since the epoch. */
  readonly issuedAt: number;
  /** Highest nonce count accepted; 0 while unanswered (RFC 7616 §3.4). */
  readonly nc: number;
  /** Nobody was registered under the identity when it was challenged. */
  readonly initial: boolean;
  /** Print of the request that spent the nonce count; "" while unanswered. */
  readonly spentBy: string;
}

export type TakeResult =
  | { readonly kind: "challenge"; readonly challenge: Challenge; readonly version: Version }
  | { readonly kind: "notFound" }
  | NotAvailable;

/** Challenges by IMPI and nonce. Each lives by itself: two UEs of one IMPI do not disturb each other. */
export class ImpiStore {
  readonly #store: KvStore;
  readonly #clock: Clock;
  readonly #outage: Outage;

  constructor({ store, clock }: { readonly store: KvStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#outage = new Outage(clock);
  }

  /** False when the store is away or the nonce has been used before. */
  async issue(nonce: string, challenge: Challenge): Promise<"stored" | "unavailable"> {
    const put = await this.#store.put(TABLE, keyOf(challenge.impi, nonce), encode(challenge), {
      ifVersion: "absent",
      ttlSeconds: CHALLENGE_SECONDS + GRACE_SECONDS,
    });
    return put.kind === "stored" ? "stored" : "unavailable";
  }

  /** The challenge while it may be answered. */
  async find(impi: string, nonce: string): Promise<TakeResult> {
    const found = await this.lookAt(impi, nonce);
    if (found.kind !== "challenge") return found;
    const age = this.#clock.now() - found.challenge.issuedAt;
    return age > CHALLENGE_SECONDS * 1000 ? { kind: "notFound" } : found;
  }

  /** The challenge also when it is too late to answer it. */
  async lookAt(impi: string, nonce: string): Promise<TakeResult> {
    const got = await this.#store.get(TABLE, keyOf(impi, nonce));
    if (got.kind === "unavailable")
      return this.#outage.isNew ? { kind: got.kind, elsewhere: true } : { kind: got.kind };
    if (got.kind === "notFound") return got;
    const challenge = decode(got.value);
    return challenge === undefined
      ? { kind: "notFound" }
      : { kind: "challenge", challenge, version: got.version };
  }

  /** Writes a nonce count as used; of two requests with one count only one gets "stored". */
  async use(
    nonce: string,
    challenge: Challenge,
    ifVersion: Version,
  ): Promise<"stored" | "contention" | "unavailable"> {
    const left = challenge.issuedAt + (CHALLENGE_SECONDS + GRACE_SECONDS) * 1000 - this.#clock.now();
    const put = await this.#store.put(TABLE, keyOf(challenge.impi, nonce), encode(challenge), {
      ifVersion,
      ttlSeconds: Math.max(1, Math.ceil(left / 1000)),
    });
    return put.kind;
  }

  async remove(impi: string, nonce: string): Promise<void> {
    await this.#store.delete(TABLE, keyOf(impi, nonce));
  }
}

function keyOf(impi: string, nonce: string): string {
  return `${impi}\n${nonce}`;
}

function encode(c: Challenge): Uint8Array {
  const secrets = c.secrets.map(({ algorithm, ha1 }) => [algorithm, ha1]);
  return Buffer.from(
    JSON.stringify([1, c.impi, c.impu, c.realm, c.kind, secrets, c.issuedAt, c.nc, c.initial, c.spentBy]),
  );
}

type Row = [
  1,
  string,
  string,
  string,
  Challenge["kind"],
  [string, string][],
  number,
  number,
  boolean,
  string,
];

function decode(value: Uint8Array): Challenge | undefined {
  let row: Row;
  try {
    row = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as Row;
  } catch {
    return undefined;
  }
  const sound = Array.isArray(row) && row[0] === 1 && Array.isArray(row[5]) && row[5].every(Array.isArray);
  if (!sound) return undefined;
  const [, impi, impu, realm, kind, secrets, issuedAt, nc, initial, spentBy] = row;
  return {
    impi,
    impu,
    realm,
    kind,
    secrets: secrets.map(([algorithm, ha1]) => ({ algorithm, ha1 })),
    issuedAt,
    nc,
    initial,
    spentBy,
  };
}
