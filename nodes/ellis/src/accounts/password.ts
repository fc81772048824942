import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** Cost of scrypt (RFC 7914 §2). */
interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Each takes a thread of Node's pool and its memory. */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;

export const BUSY = "busy" as const;
export type Busy = typeof BUSY;

/** Passwords of accounts as scrypt keys, `scrypt:N:r:p:salt:key`. A few at a time; beyond that "busy". Never on the event loop. */
export class Passwords {
  readonly #cost: ScryptCost;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `logN` 15: 32 MiB and some tenths of a second for each guess. */
  constructor(logN: number) {
    this.#cost = { N: 2 ** logN, r: 8, p: 3 };
  }

  async hash(password: string): Promise<string | Busy> {
    const { N, r, p } = this.#cost;
    const salt = randomBytes(SALT_BYTES);
    const key = await this.#derive(password, salt, this.#cost);
    if (key === BUSY) return BUSY;
    return ["scrypt", N, r, p, salt.toString("base64url"), key.toString("base64url")].join(":");
  }

  /** `hashed`: undefined for somebody who is not there; it takes as long to find that out. */
  async matches(password: string, hashed: string | undefined): Promise<boolean | Busy> {
    const [, N = "", r = "", p = "", salt = "", expected = ""] = (hashed ?? "").split(":");
    const cost = hashed === undefined ? this.#cost : { N: Number(N), r: Number(r), p: Number(p) };
    const key = await this.#derive(password, Buffer.from(salt, "base64url"), cost);
    if (key === BUSY) return BUSY;
    const wanted = Buffer.from(expected, "base64url");
    return wanted.length === key.length && timingSafeEqual(wanted, key);
  }

  async #derive(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer | Busy> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) return BUSY;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await derived(password, salt, cost);
    } finally {
      // Whoever waits takes over our place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function derived(password: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
