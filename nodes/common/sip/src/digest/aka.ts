import { createHmac } from "node:crypto";
import { digestHash } from "./digest.ts";

const RAND_BYTES = 16;
const AUTN_BYTES = 16;

/** nonce of an AKA challenge: base64(RAND || AUTN) (RFC 3310 §3.2). */
export function akaNonce(rand: Uint8Array, autn: Uint8Array): string {
  return Buffer.concat([rand, autn]).toString("base64");
}

/** RAND and AUTN of an AKA nonce; undefined when it is too short to be one. Octets after them are server data. */
export function parseAkaNonce(nonce: string): { rand: Uint8Array; autn: Uint8Array } | undefined {
  const octets = Buffer.from(nonce, "base64");
  if (octets.length < RAND_BYTES + AUTN_BYTES) return undefined;
  return {
    rand: octets.subarray(0, RAND_BYTES),
    autn: octets.subarray(RAND_BYTES, RAND_BYTES + AUTN_BYTES),
  };
}

/** What AKA agreed on: expected response, integrity and cipher key. */
export interface AkaKeys {
  readonly res: Uint8Array;
  readonly ik: Uint8Array;
  readonly ck: Uint8Array;
}

/**
 * H(A1) of AKAv1-MD5 (RFC 3310 §3.3: the password is RES, as octets) and AKAv2-MD5 (RFC 4169 §3: the password is
 * base64 of HMAC-MD5 keyed with RES || IK || CK).
 */
export function akaHa1(version: 1 | 2, username: string, realm: string, keys: AkaKeys): string {
  return digestHash("MD5", `${username}:${realm}:${akaPassword(version, keys)}`);
}

/** H(A1) of credentials with an auts parameter: the password is empty (RFC 3310 §3.4). */
export function akaResynchronisationHa1(username: string, realm: string): string {
  return digestHash("MD5", `${username}:${realm}:`);
}

function akaPassword(version: 1 | 2, { res, ik, ck }: AkaKeys): string {
  if (version === 1) return Buffer.from(res).toString("latin1");
  return createHmac("md5", Buffer.concat([res, ik, ck]))
    .update("http-digest-akav2-password")
    .digest("base64");
}
