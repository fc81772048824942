import { randomBytes } from "node:crypto";
import { MAGIC_COOKIE } from "./via.ts";

/** Branches, tags and Call-IDs: unguessable random prefix of the process, then a counter (RFC 3261 §8.1.1.7, §19.3). */
export class Identifiers {
  readonly #prefix = randomBytes(6).toString("base64url").replace(/[-_]/g, "x");
  #pool = randomBytes(4096);
  #at = 0;
  #count = 0;

  /** What every branch of this process begins with. */
  readonly branchPrefix = `${MAGIC_COOKIE}${this.#prefix}`;

  branch(): string {
    return `${this.branchPrefix}${(this.#count++).toString(36)}`;
  }

  /** At least 64 bits of randomness: whoever guesses a tag can end a call. */
  tag(): string {
    if (this.#at + 8 > this.#pool.length) {
      this.#pool = randomBytes(4096);
      this.#at = 0;
    }
    const tag = this.#pool.toString("hex", this.#at, this.#at + 8);
    this.#at += 8;
    return tag;
  }
}
