import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";

/** What a node in the DMZ is told. */
export const bundleSchema = z.object({
  version: z.literal(1),
  /** Grows with each change: an older one is refused. */
  number: z.int().min(1),
  /** Seals all later ones. */
  secret: z.string().min(22).max(200),
  sharedConfig: z.string().max(256 * 1024),
  pools: z.string().max(256 * 1024),
});
export type Bundle = z.output<typeof bundleSchema>;

/** Longest sealed bundle, as text. */
export const MAX_SEALED = 1024 * 1024;
const NONCE = 12;
const TAG = 16;

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "tidewater edge bundle", 32));
}

/** AES-256-GCM under a key from a secret of at least 128 bits; base64. `what` is bound to it: it opens as nothing else. */
export function seal(secret: string, what: string, text: string): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret), nonce).setAAD(Buffer.from(what));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** Undefined: another secret, another thing, or changed on its way. */
export function unseal(secret: string, what: string, sealed: string): string | undefined {
  try {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", keyOf(secret), bytes.subarray(0, NONCE), {
      authTagLength: TAG,
    })
      .setAAD(Buffer.from(what))
      .setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    return decipher.update(bytes.subarray(NONCE + TAG), undefined, "utf8") + decipher.final("utf8");
  } catch {
    return undefined;
  }
}

/** Sealed for one node: what is for another one, or is an answer, does not open. */
export function openBundle(secret: string, name: string, sealed: string): Bundle | undefined {
  const text = unseal(secret, `bundle for ${name}`, sealed);
  return text === undefined ? undefined : parseJson(text, bundleSchema);
}

export function sealBundle(secret: string, name: string, bundle: Bundle): string {
  return seal(secret, `bundle for ${name}`, JSON.stringify(bundle));
}
