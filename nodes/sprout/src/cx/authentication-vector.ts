import type { AuthenticationVector, DigestVector } from "./cx.ts";

/** SIP-Auth-Data-Item of MAA: TS 29.229 §6.3.13. */
export interface AuthDataItem {
  readonly sipAuthenticationScheme?: string | undefined;
  readonly sipAuthenticate?: Uint8Array | undefined;
  readonly sipAuthorization?: Uint8Array | undefined;
  readonly confidentialityKey?: Uint8Array | undefined;
  readonly integrityKey?: Uint8Array | undefined;
  readonly sipDigestAuthenticate?:
    | {
        readonly digestRealm: string;
        readonly digestQop: string;
        readonly digestHa1: string;
        readonly digestAlgorithm?: string | undefined;
        readonly alternateDigestAlgorithm?: string | undefined;
        readonly alternateDigestHa1?: string | undefined;
      }
    | undefined;
}

/** Undefined when the item cannot be used: an incomplete or unknown scheme. */
export function vectorOf(item: AuthDataItem | undefined): AuthenticationVector | undefined {
  if (item === undefined) return undefined;
  const { sipAuthenticationScheme: scheme = "", sipDigestAuthenticate: digest } = item;
  if (digest !== undefined) return digestVectorOf(digest);
  const version = /^digest-akav1-md5$/i.test(scheme) ? 1 : /^digest-akav2-md5$/i.test(scheme) ? 2 : undefined;
  const { sipAuthenticate, sipAuthorization, confidentialityKey, integrityKey } = item;
  if (version === undefined || sipAuthenticate?.length !== 32 || sipAuthorization === undefined)
    return undefined;
  if (confidentialityKey?.length !== 16 || integrityKey?.length !== 16) return undefined;
  return {
    kind: "aka",
    version,
    rand: sipAuthenticate.slice(0, 16),
    autn: sipAuthenticate.slice(16),
    xres: sipAuthorization.slice(),
    ck: confidentialityKey.slice(),
    ik: integrityKey.slice(),
  };
}

/** Strongest algorithm on top (RFC 8760 §2.3). */
const STRENGTH = ["SHA-512-256", "SHA-256", "MD5"] as const;

function digestVectorOf(
  digest: NonNullable<AuthDataItem["sipDigestAuthenticate"]>,
): DigestVector | undefined {
  // It goes into a header field: a line end there would begin another one.
  if (/[\x00-\x1f\x7f]/.test(digest.digestRealm)) return undefined;
  const given = [
    [digest.digestAlgorithm ?? "MD5", digest.digestHa1],
    [digest.alternateDigestAlgorithm, digest.alternateDigestHa1],
  ] as const;
  const secrets: { algorithm: (typeof STRENGTH)[number]; ha1: string }[] = [];
  for (const algorithm of STRENGTH) {
    const found = given.find(([name]) => name?.toUpperCase() === algorithm);
    if (found?.[1] !== undefined) secrets.push({ algorithm, ha1: found[1].toLowerCase() });
  }
  return secrets.length === 0
    ? undefined
    : { kind: "digest", realm: digest.digestRealm, qop: digest.digestQop, secrets };
}
