import { hash, timingSafeEqual } from "node:crypto";

/** Algorithms of RFC 7616 §3.3, RFC 2617 §3.2.1, RFC 3310 and RFC 4169 that this stack computes. */
export const DIGEST_ALGORITHMS = [
  "MD5",
  "MD5-sess",
  "SHA-256",
  "SHA-256-sess",
  "SHA-512-256",
  "SHA-512-256-sess",
  "AKAv1-MD5",
  "AKAv2-MD5",
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Algorithm named by a challenge or credentials, in any case; absent means MD5 (RFC 7616 §3.3). Undefined when unknown. */
export function digestAlgorithm(name: string | undefined): DigestAlgorithm | undefined {
  if (name === undefined) return "MD5";
  const lowerCase = name.toLowerCase();
  return DIGEST_ALGORITHMS.find((algorithm) => algorithm.toLowerCase() === lowerCase);
}

/** H of RFC 7616 §3.3 over latin1 text, in lower-case hex. */
export function digestHash(algorithm: DigestAlgorithm, text: string): string {
  const name = algorithm.startsWith("SHA-256")
    ? "sha256"
    : algorithm.startsWith("SHA-512")
      ? "sha512-256"
      : "md5";
  // hash() would write a string as UTF-8; message text is latin1.
  return hash(name, isAscii(text) ? text : Buffer.from(text, "latin1"));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** H(A1) without the session part; what an HSS keeps as Digest-HA1 (RFC 7616 §3.4.2). */
export function digestHa1(
  algorithm: DigestAlgorithm,
  username: string,
  realm: string,
  password: string,
): string {
  return digestHash(algorithm, `${username}:${realm}:${password}`);
}

/** What goes into a digest beside the secret. */
export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly ha1: string;
  readonly nonce: string;
  /** Method of the request; "" gives the rspauth of Authentication-Info (RFC 7616 §3.5). */
  readonly method: string;
  /** digest-uri as the client wrote it. */
  readonly uri: string;
  readonly qop?: "auth" | "auth-int" | undefined;
  /** Eight hex digits as sent; with qop. */
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  /** Body, for auth-int. */
  readonly body?: string;
}

/** request-digest of RFC 7616 §3.4.1, lower-case hex. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, qop, cnonce = "", nc = "" } = input;
  const ha1 = algorithm.endsWith("-sess")
    ? digestHash(algorithm, `${input.ha1}:${nonce}:${cnonce}`)
    : input.ha1;
  const integrity = qop === "auth-int" ? `:${digestHash(algorithm, input.body ?? "")}` : "";
  const ha2 = digestHash(algorithm, `${input.method}:${input.uri}${integrity}`);
  return digestHash(
    algorithm,
    qop === undefined ? `${ha1}:${nonce}:${ha2}` : `${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`,
  );
}

/** Compares two hex digests in a time that does not depend on where they differ. */
export function digestsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a.toLowerCase(), "latin1");
  const right = Buffer.from(b.toLowerCase(), "latin1");
  return left.length === right.length && timingSafeEqual(left, right);
}
