import { createCipheriv, createDecipheriv, createHmac, type KeyObject, randomFillSync } from "node:crypto";

/** The call to whose list a request inside a dialog belongs. */
export interface RecordedCall {
  /** Whose list it is in, canonical. */
  readonly impu: string;
  /** 12 hex digits. */
  readonly call: string;
  /** ms since 1970. */
  readonly startedAt: number;
}

const PREFIX = "cl_";
const IV_BYTES = 12;
const TAG_BYTES = 12;
const CALL_BYTES = 6;
const HEAD_BYTES = 6 + CALL_BYTES;
const MAX_TOKEN = 1_024;

/**
 * Which call a dialog is, as the user part of our Record-Route: any member of the pool notes its end. Sealed (AES-128-GCM), as both
 * ends of the call see it: it tells neither who is served, nor can it be made up.
 */
export class DialogTokens {
  readonly #key: Buffer;

  /** `key`: one for the whole pool. */
  constructor(key: KeyObject) {
    this.#key = createHmac("sha256", key).update("call list dialog").digest().subarray(0, 16);
  }

  /** A name for a new call. */
  call(): string {
    return randomFillSync(Buffer.alloc(CALL_BYTES)).toString("hex");
  }

  issue({ impu, call, startedAt }: RecordedCall): string {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(startedAt, 0, 6);
    head.write(call, 6, "hex");
    const iv = randomFillSync(Buffer.alloc(IV_BYTES));
    const cipher = createCipheriv("aes-128-gcm", this.#key, iv, { authTagLength: TAG_BYTES });
    const sealed = [cipher.update(head), cipher.update(impu, "utf8"), cipher.final()];
    return PREFIX + Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64url");
  }

  /** "none": the user part is something else; "forged": the pool's key does not open it. */
  read(user: string): RecordedCall | "none" | "forged" {
    if (!user.startsWith(PREFIX)) return "none";
    if (user.length > MAX_TOKEN || !/^[A-Za-z0-9_-]+$/.test(user)) return "forged";
    const octets = Buffer.from(user.slice(PREFIX.length), "base64url");
    if (octets.length <= IV_BYTES + TAG_BYTES + HEAD_BYTES) return "forged";
    const decipher = createDecipheriv("aes-128-gcm", this.#key, octets.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(octets.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      const opened = Buffer.concat([
        decipher.update(octets.subarray(IV_BYTES + TAG_BYTES)),
        decipher.final(),
      ]);
      return {
        startedAt: opened.readUIntBE(0, 6),
        call: opened.toString("hex", 6, HEAD_BYTES),
        impu: opened.toString("utf8", HEAD_BYTES),
      };
    } catch {
      return "forged";
    }
  }
}
