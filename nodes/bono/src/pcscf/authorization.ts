import { parseDigestParameters, type SipMessage, splitList } from "@ims/sip";

/** integrity-protected values of TS 24.229 §7.2A.2 for SIP digest without TLS (§5.2.2.3) and with TLS (§5.2.2.4). */
export type IntegrityProtected = "ip-assoc-yes" | "ip-assoc-pending" | "tls-yes" | "tls-pending";

export interface Credentials {
  /** "" when the UE sent no Authorization. */
  readonly impi: string;
  /** The UE answers a challenge. */
  readonly answers: boolean;
}

const NONE: Credentials = { impi: "", answers: false };

/**
 * What the Digest credentials among the Authorization header fields say; undefined when they are not well-formed or of
 * several users: the registrar and we might each look at another one.
 */
export function credentialsOf(request: SipMessage): Credentials | undefined {
  let credentials = NONE;
  for (const line of request.values("Authorization")) {
    const parameters = parseDigestParameters(line);
    if (parameters === undefined) {
      // RFC 4475 §3.3.7: credentials of an unknown scheme are none; the registrar challenges.
      if (!isDigest(line)) continue;
      return undefined;
    }
    const response = parameters.get("response");
    const impi = parameters.get("username") ?? "";
    if (credentials !== NONE && impi !== credentials.impi) return undefined;
    credentials = {
      impi,
      answers: credentials.answers || (response !== undefined && response !== ""),
    };
  }
  return credentials;
}

/** Takes off what the UE may have said about integrity and, if given, says what is true. */
export function setIntegrityProtected(request: SipMessage, value: IntegrityProtected | undefined): void {
  const lines = request.values("Authorization");
  if (lines.length === 0) return;
  request.remove("Authorization");
  for (const line of lines) {
    const own = withoutParameters(line, INTEGRITY);
    const vouched = value !== undefined && isDigest(line);
    request.append("Authorization", vouched ? `${own},integrity-protected="${value}"` : own);
  }
}

/** TS 24.229 §5.2.2.2: the keys of an AKA challenge stay here. */
export function removeKeys(response: SipMessage): void {
  if (!response.has("WWW-Authenticate")) return;
  const lines = response.values("WWW-Authenticate");
  if (!lines.some((line) => /[\s,][ci]k\s*=/i.test(line))) return;
  response.remove("WWW-Authenticate");
  for (const line of lines) response.append("WWW-Authenticate", withoutParameters(line, KEYS));
}

/** RFC 7616 §3.3: the nonce was old; the password may have been right. */
export function isStale(response: SipMessage): boolean {
  return response
    .values("WWW-Authenticate")
    .some((line) => parseDigestParameters(line)?.get("stale")?.toLowerCase() === "true");
}

function isDigest(line: string): boolean {
  return /^\s*Digest(?:\s|$)/i.test(line);
}

const INTEGRITY: ReadonlySet<string> = new Set(["integrity-protected"]);
const KEYS: ReadonlySet<string> = new Set(["ck", "ik"]);

/** The rest stays as written. */
function withoutParameters(line: string, names: ReadonlySet<string>): string {
  const text = line.trim();
  const space = text.search(/[ \t]/);
  const kept = splitList(text.slice(space + 1)).filter(
    (parameter) => !names.has((parameter.split("=", 1)[0] ?? "").trim().toLowerCase()),
  );
  return `${text.slice(0, space)} ${kept.join(",")}`;
}
