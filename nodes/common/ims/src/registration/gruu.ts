import { createCipheriv, createDecipheriv, createHash, type KeyObject, randomBytes } from "node:crypto";

/** What a GRUU stands for. */
export type GruuTarget = {
  /** Canonical public identity. */
  readonly impu: string;
  readonly instanceId: string;
  /** Temporary GRUUs: the registration they were made for; a new registration with another value ends them. */
  readonly epoch?: string | undefined;
};

/** Name space of the UUIDs that hide an IMEI; any constant does (RFC 4122 §4.3). */
const IMEI_NAMESPACE = Buffer.from("c5a2f5a90b7b4b2e9a11d2a6f1d0e743", "hex");

/**
 * The public GRUU of an instance (RFC 5627 §3.2, TS 24.229 §5.4.7A.2): the identity with `gr=` the instance. An IMEI is
 * not shown: it is replaced by a name-based UUID. Undefined for an identity that is no SIP URI.
 */
export function publicGruu(impu: string, instanceId: string): string | undefined {
  if (!impu.startsWith("sip:")) return undefined;
  return `${impu};gr=${escapeParameter(grOf(instanceId))}`;
}

/** The gr value by which an instance is known. */
export function grOf(instanceId: string): string {
  return /^urn:gsma:imei:/i.test(instanceId) ? `urn:uuid:${nameBasedUuid(instanceId)}` : instanceId;
}

/** The gr value of a GRUU; "" for a temporary one, undefined when the URI is none (no `gr` parameter). */
export function grParameter(uri: string): string | undefined {
  const match = /;gr(?:=([^;?]*))?(?=[;?]|$)/i.exec(uri.slice(uri.indexOf("@") + 1));
  if (match === null) return undefined;
  try {
    return decodeURIComponent(match[1] ?? "");
  } catch {
    return undefined;
  }
}

/**
 * A temporary GRUU (RFC 5627 §3.1.2): `sip:token@host;gr`, the token encrypted and signed, so nothing is stored and two
 * of them cannot be linked. `key` is a secret of 16 bytes shared by the S-CSCF pool.
 */
export function temporaryGruu(target: GruuTarget, host: string, key: KeyObject): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  const plain = [target.impu, target.instanceId, target.epoch ?? ""].join("\n");
  const token = Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `sip:tgruu.${token.toString("base64url")}@${host};gr`;
}

/** What a temporary GRUU of this pool stands for; undefined for any other URI, forged ones included. */
export function temporaryGruuTarget(uri: string, key: KeyObject): GruuTarget | undefined {
  const match = /^sips?:tgruu\.([A-Za-z0-9_-]{40,2000})@/i.exec(uri);
  if (match?.[1] === undefined) return undefined;
  const token = Buffer.from(match[1], "base64url");
  try {
    const decipher = createDecipheriv("aes-128-gcm", key, token.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(token.subarray(-16));
    const plain = decipher.update(token.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
    const [impu, instanceId, epoch] = plain.split("\n");
    if (impu === undefined || instanceId === undefined) return undefined;
    return { impu, instanceId, epoch: epoch || undefined };
  } catch {
    return undefined;
  }
}

function nameBasedUuid(name: string): string {
  const hash = createHash("sha1").update(IMEI_NAMESPACE).update(name.toLowerCase()).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** RFC 3261 §25.1: pvalue. */
function escapeParameter(value: string): string {
  return value.replace(/[^A-Za-z0-9\-_.!~*'()[\]/:&+$]/g, (c) => encodeURIComponent(c));
}
