import { randomBytes } from "node:crypto";

/**
 * Generates IMS charging identifiers (RFC 7315 §4.6, TS 24.229 §7.2A.5): unique in time and place by a random prefix
 * of this generator and a counter, a few nanoseconds each.
 */
export function icidGenerator(prefix: string = randomBytes(12).toString("hex")): () => string {
  let count = 0;
  return () => `${prefix}${(++count).toString(36)}`;
}
