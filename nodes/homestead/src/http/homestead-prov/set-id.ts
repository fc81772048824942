import { createHash, randomBytes } from "node:crypto";

const RANDOM_BYTES = 12;

/**
 * The id of a new implicit registration set: a UUID (version 8, RFC 9562 §5.8) that can be told from one that was mistyped. A set
 * that nobody may register holds nothing, so nothing is stored of it until it is given to a private identity.
 */
export function newSetId(): string {
  return idOf(randomBytes(RANDOM_BYTES));
}

export function isSetId(id: string): boolean {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return false;
  return idOf(Buffer.from(id.replaceAll("-", ""), "hex").subarray(0, RANDOM_BYTES)) === id;
}

function idOf(random: Uint8Array): string {
  const bytes = Buffer.alloc(16);
  bytes.set(random);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const checked = createHash("sha256").update("irs").update(bytes.subarray(0, RANDOM_BYTES)).digest();
  bytes.set(checked.subarray(0, 4), RANDOM_BYTES);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
