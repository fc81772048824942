import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** Cost of scrypt (RFC 7914 §2). */
interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Salt of who is not there, and a key that none is. */
const NOBODY = new Uint8Array(SALT_BYTES);
/** Each takes a thread of Node's pool and its memory. */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;

export const BUSY = "busy" as const;
export type Busy = typeof BUSY;

/** Derives a key of KEY_BYTES, not on the event loop. */
export type Derive = (password: string, salt: Uint8Array, cost: ScryptCost) => Promise<Buffer>;

/** Passwords of accounts as scrypt keys, `scrypt:N:r:p:salt:key`. A few at a time; beyond that "busy". Never on the event loop. */
export class Passwords {
  readonly #cost: ScryptCost;
  readonly #scrypt: Derive;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `logN` 15: 32 MiB and some tenths of a second for each guess. */
  constructor(logN: number, derive: Derive = derived) {
    this.#cost = { N: 2 ** logN, r: 8, p: 3 };
    this.#scrypt = derive;
  }

  async hash(password: string): Promise<string | Busy> {
    const { N, r, p } = this.#cost;
    const salt = randomBytes(SALT_BYTES);
    const key = await this.#derive(password, salt, this.#cost);
    if (key === BUSY) return BUSY;
    return ["scrypt", N, r, p, salt.toString("base64url"), key.toString("base64url")].join(":");
  }

  /**
   * `hashed`: undefined for somebody who is not there; the work is the same, so that time does not tell who is. What was hashed at a lower
   * cost than today's takes today's work; at a higher one it takes longer, until it is hashed anew.
   */
  async matches(password: string, hashed: string | undefined): Promise<boolean | Busy> {
    const known = hashed === undefined ? undefined : partsOf(hashed);
    const { cost, salt, key: wanted } = known ?? { cost: this.#cost, salt: NOBODY, key: NOBODY };
    const key = await this.#derive(password, salt, cost);
    if (key === BUSY) return BUSY;
    return wanted.length === key.length && timingSafeEqual(wanted, key);
  }

  /** At another cost than today's: to be hashed anew when the password is known again. */
  isOutdated(hashed: string): boolean {
    const { N, r, p } = partsOf(hashed).cost;
    return N !== this.#cost.N || r !== this.#cost.r || p !== this.#cost.p;
  }

  async #derive(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer | Busy> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) return BUSY;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      const key = await this.#scrypt(password, salt, cost);
      // The work of N, and of N, 2N, 4N and so on after it, is that of today's N.
      for (let N = cost.N; N < this.#cost.N; N *= 2) await this.#scrypt(password, salt, { ...cost, N });
      return key;
    } finally {
      // Whoever waits takes over our place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function partsOf(hashed: string): {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
} {
  const [, N = "", r = "", p = "", salt = "", key = ""] = hashed.split(":");
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64url"),
    key: Buffer.from(key, "base64url"),
  };
}

function derived(password: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
