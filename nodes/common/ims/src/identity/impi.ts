const MAX_LENGTH = 253;

/** Whether the text is a private user identity: a network access identifier `user@realm` (TS 23.003 §13.3, RFC 4282). */
export function isImpi(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const at = text.indexOf("@");
  if (at <= 0 || text.indexOf("@", at + 1) >= 0) return false;
  return (
    /^[\x21-\x7e]+$/.test(text) && !/[<>"\\,;: ]/.test(text) && /^[A-Za-z0-9.-]+$/.test(text.slice(at + 1))
  );
}

/**
 * The private identity of a UE that sent none: the canonical public identity without its scheme
 * (TS 24.229 §5.4.1.2.1A and following). Undefined for a tel URI.
 */
export function impiOfImpu(canonicalImpu: string): string | undefined {
  if (!canonicalImpu.startsWith("sip:") || !canonicalImpu.includes("@")) return undefined;
  return canonicalImpu.slice(4);
}
