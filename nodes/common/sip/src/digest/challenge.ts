import { quote } from "../message/values.ts";
import { type DigestAlgorithm, digestAlgorithm } from "./digest.ts";
import { parseDigestParameters } from "./parameters.ts";

/** A challenge of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  /** Undefined when parsed and not one of ours. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly qop?: readonly string[] | undefined;
  readonly stale?: boolean;
  readonly opaque?: string | undefined;
  /** Cipher and integrity key in hex, only on the way to the P-CSCF (TS 24.229 §7.2A.1). */
  readonly ck?: string | undefined;
  readonly ik?: string | undefined;
}

export function challengeToString(challenge: DigestChallenge): string {
  let text = `Digest realm=${quote(challenge.realm)},nonce=${quote(challenge.nonce)}`;
  if (challenge.algorithm !== undefined) text += `,algorithm=${challenge.algorithm}`;
  if (challenge.qop !== undefined && challenge.qop.length > 0) text += `,qop="${challenge.qop.join(",")}"`;
  if (challenge.stale === true) text += ",stale=TRUE";
  if (challenge.opaque !== undefined) text += `,opaque=${quote(challenge.opaque)}`;
  if (challenge.ik !== undefined) text += `,ik="${challenge.ik}"`;
  if (challenge.ck !== undefined) text += `,ck="${challenge.ck}"`;
  return text;
}

/** Undefined when the value is no well-formed Digest challenge with realm and nonce. */
export function parseChallenge(value: string): DigestChallenge | undefined {
  const parameters = parseDigestParameters(value);
  const realm = parameters?.get("realm");
  const nonce = parameters?.get("nonce");
  if (parameters === undefined || realm === undefined || nonce === undefined) return undefined;
  return {
    realm,
    nonce,
    algorithm: digestAlgorithm(parameters.get("algorithm")),
    qop: parameters
      .get("qop")
      ?.split(",")
      .map((one) => one.trim().toLowerCase()),
    stale: parameters.get("stale")?.toLowerCase() === "true",
    opaque: parameters.get("opaque"),
    ck: parameters.get("ck"),
    ik: parameters.get("ik"),
  };
}

/** The challenge without what only the P-CSCF may see (TS 24.229 §5.2.2.1: ck and ik are removed). */
export function withoutKeys(challenge: DigestChallenge): DigestChallenge {
  return { ...challenge, ck: undefined, ik: undefined };
}
