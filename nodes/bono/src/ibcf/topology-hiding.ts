import { createCipheriv, createDecipheriv, createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

/** What a token stands for: Via values, or a route set in the order in which a Route header field has it. */
export type Hidden = "via" | "route";

const IV_BYTES = 16;
const MAX_TOKEN = 12_000;
const TOKEN = /^[A-Za-z0-9_-]+$/;

/**
 * Encryption for network topology hiding: TS 24.229 §5.10.4.2, §5.10.4.3. Any member of the pool, also one that was
 * started again, opens what another one has sealed, for the call and the purpose it was made for and no other. The
 * initialisation vector is a keyed hash of the text (as in RFC 5297), which also proves the text; the keys are those of
 * the Call-ID, so nothing depends on random numbers, and a request that is forwarded again looks the same.
 */
export class TopologyHiding {
  /** The hiding network, in `tokenized-by`. */
  readonly network: string;
  readonly #key: KeyObject;

  constructor({ key, network }: { readonly key: KeyObject; readonly network: string }) {
    this.#key = key;
    this.network = network;
  }

  /** base64url. */
  seal(what: Hidden, callId: string, text: string): string {
    const { hashKey, cipherKey } = this.#keys(what, callId);
    const plain = Buffer.from(text, "latin1");
    const iv = createHmac("sha256", hashKey).update(plain).digest().subarray(0, IV_BYTES);
    const cipher = createCipheriv("aes-256-ctr", cipherKey, iv);
    return Buffer.concat([iv, cipher.update(plain), cipher.final()]).toString("base64url");
  }

  /** Undefined: forged, changed, or of another call or purpose. */
  open(what: Hidden, callId: string, token: string): string | undefined {
    if (token.length > MAX_TOKEN || !TOKEN.test(token)) return undefined;
    const octets = Buffer.from(token, "base64url");
    // One spelling per token: spare bits of the last character are zero.
    if (octets.length < IV_BYTES || octets.toString("base64url") !== token) return undefined;
    const { hashKey, cipherKey } = this.#keys(what, callId);
    const iv = octets.subarray(0, IV_BYTES);
    const cipher = createDecipheriv("aes-256-ctr", cipherKey, iv);
    const plain = Buffer.concat([cipher.update(octets.subarray(IV_BYTES)), cipher.final()]);
    const proof = createHmac("sha256", hashKey).update(plain).digest().subarray(0, IV_BYTES);
    return timingSafeEqual(proof, iv) ? plain.toString("latin1") : undefined;
  }

  #keys(what: Hidden, callId: string): { hashKey: Buffer; cipherKey: Buffer } {
    const octets = createHmac("sha512", this.#key)
      .update(`topology hiding\n${what}\n${callId}`, "latin1")
      .digest();
    return { hashKey: octets.subarray(0, 32), cipherKey: octets.subarray(32) };
  }
}
