import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomFillSync } from "node:crypto";

const IV_BYTES = 12;
const TAG_BYTES = 12;
const MAX_USER = 1_024;
/** Octets of a state that a user part has room for, beside what seals it. */
export const MAX_STATE_BYTES = 640;

export interface SealedStatesOptions {
  /** One for the whole pool. */
  readonly key: KeyObject;
  /** Whose states they are: those of others are forged. */
  readonly label: string;
  /** Tells the user parts that hold one: letters and `_`. */
  readonly prefix: string;
}

/**
 * States of dialogs as the user part of a Record-Route: any member of the pool reads them. Sealed (AES-128-GCM), as both ends of the dialog see
 * them: they tell nothing, and cannot be made up.
 */
export class SealedStates {
  readonly #key: Buffer;
  readonly #prefix: string;

  constructor({ key, label, prefix }: SealedStatesOptions) {
    this.#key = createHmac("sha256", key).update(label).digest().subarray(0, 16);
    this.#prefix = prefix;
  }

  /** Throws RangeError for more than MAX_STATE_BYTES. */
  seal(state: Uint8Array): string {
    if (state.length > MAX_STATE_BYTES)
      throw new RangeError(
        `the state of a dialog has ${state.length} octets, at most ${MAX_STATE_BYTES} fit`,
      );
    const iv = randomFillSync(Buffer.alloc(IV_BYTES));
    const cipher = createCipheriv("aes-128-gcm", this.#key, iv, { authTagLength: TAG_BYTES });
    const sealed = [cipher.update(state), cipher.final()];
    return this.#prefix + Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64url");
  }

  /** "none": the user part is something else; "forged": the pool's key does not open it. */
  open(user: string): Uint8Array | "none" | "forged" {
    if (!user.startsWith(this.#prefix)) return "none";
    if (user.length > MAX_USER || !/^[A-Za-z0-9_-]+$/.test(user)) return "forged";
    const octets = Buffer.from(user.slice(this.#prefix.length), "base64url");
    if (octets.length < IV_BYTES + TAG_BYTES) return "forged";
    const decipher = createDecipheriv("aes-128-gcm", this.#key, octets.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(octets.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(octets.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      return "forged";
    }
  }
}
