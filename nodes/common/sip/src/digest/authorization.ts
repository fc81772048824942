import { quote } from "../message/values.ts";
import { type DigestAlgorithm, digestAlgorithm } from "./digest.ts";
import { parseDigestParameters } from "./parameters.ts";

/** Credentials of an Authorization header field (RFC 7616 §3.4). A UE of the IMS also sends them without a nonce (TS 24.229 §5.1.1.2.2). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  /** "" before the first challenge. */
  readonly nonce: string;
  readonly uri: string;
  /** "" before the first challenge. */
  readonly response: string;
  /** Undefined when the algorithm is not one of ours. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly qop: string | undefined;
  readonly nc: string | undefined;
  readonly cnonce: string | undefined;
  readonly opaque: string | undefined;
  /** Resynchronisation token, base64 (RFC 3310 §3.4). */
  readonly auts: string | undefined;
  /** Said by the P-CSCF (TS 24.229 §7.2A.2). */
  readonly integrityProtected: string | undefined;
}

/** Undefined when the value is no well-formed Digest credentials with a user name. */
export function parseAuthorization(value: string): DigestCredentials | undefined {
  const parameters = parseDigestParameters(value);
  const username = parameters?.get("username");
  if (parameters === undefined || username === undefined) return undefined;
  return {
    username,
    realm: parameters.get("realm") ?? "",
    nonce: parameters.get("nonce") ?? "",
    uri: parameters.get("uri") ?? "",
    response: parameters.get("response") ?? "",
    algorithm: digestAlgorithm(parameters.get("algorithm")),
    qop: parameters.get("qop")?.toLowerCase(),
    nc: parameters.get("nc"),
    cnonce: parameters.get("cnonce"),
    opaque: parameters.get("opaque"),
    auts: parameters.get("auts"),
    integrityProtected: parameters.get("integrity-protected")?.toLowerCase(),
  };
}

/** The value of an Authorization header field with the quoting of RFC 7616 §3.4: what a UE sends. */
export function authorizationToString(
  credentials: Partial<Omit<DigestCredentials, "algorithm">> & {
    readonly username: string;
    readonly algorithm?: string | undefined;
  },
): string {
  const c = credentials;
  let text = `Digest username=${quote(c.username)},realm=${quote(c.realm ?? "")},nonce=${quote(c.nonce ?? "")}`;
  text += `,uri=${quote(c.uri ?? "")},response=${quote(c.response ?? "")}`;
  if (c.algorithm !== undefined) text += `,algorithm=${c.algorithm}`;
  if (c.cnonce !== undefined) text += `,cnonce=${quote(c.cnonce)}`;
  if (c.qop !== undefined) text += `,qop=${c.qop}`;
  if (c.nc !== undefined) text += `,nc=${c.nc}`;
  if (c.opaque !== undefined) text += `,opaque=${quote(c.opaque)}`;
  if (c.auts !== undefined) text += `,auts=${quote(c.auts)}`;
  if (c.integrityProtected !== undefined) text += `,integrity-protected=${quote(c.integrityProtected)}`;
  return text;
}
