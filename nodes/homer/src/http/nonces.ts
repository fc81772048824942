import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "@ims/runtime";

/** How long a nonce may be used. */
const LIFETIME_MS = 60_000;
const MAC_BYTES = 16;
/** Nonces whose counts are remembered. */
const MAX_NONCES = 50_000;
const MAX_COUNTS = 1_000;

/** Nonces of HTTP Digest (RFC 7616 §3.3): any homer with the key knows its own; which counts were used is known to one alone. */
export class Nonces {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #used = new Map<string, Set<string>>();

  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  issue(): string {
    const head = Buffer.alloc(18);
    head.writeUIntBE(this.#clock.now(), 0, 6);
    randomBytes(12).copy(head, 6);
    return Buffer.concat([head, this.#mac(head)]).toString("base64url");
  }

  /** "stale": it was ours, and is too old or has been used with this count. */
  check(nonce: string, nc: string): "good" | "stale" | "foreign" {
    if (!/^[A-Za-z0-9_-]{46}$/.test(nonce)) return "foreign";
    const octets = Buffer.from(nonce, "base64url");
    const head = octets.subarray(0, 18);
    if (!timingSafeEqual(octets.subarray(18), this.#mac(head))) return "foreign";
    const age = this.#clock.now() - head.readUIntBE(0, 6);
    if (age > LIFETIME_MS || age < -LIFETIME_MS) return "stale";
    return this.#use(nonce, nc) ? "good" : "stale";
  }

  /** RFC 7616 §3.4: a request that is played again has a count that was there. */
  #use(nonce: string, nc: string): boolean {
    let counts = this.#used.get(nonce);
    if (counts === undefined) {
      counts = new Set();
      this.#used.set(nonce, counts);
      if (this.#used.size > MAX_NONCES)
        for (const oldest of this.#used.keys()) {
          this.#used.delete(oldest);
          break;
        }
    }
    if (counts.has(nc) || counts.size >= MAX_COUNTS) return false;
    counts.add(nc);
    return true;
  }

  #mac(head: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(head).digest().subarray(0, MAC_BYTES);
  }
}
