import { decimal, type NameAddr, parseNameAddr, type SipMessage, uriEquals } from "@ims/sip";

/** RFC 3261 §10.2.1.1: what a registrar means that says nothing. */
const DEFAULT_EXPIRES = 3600;

/**
 * Seconds that the registrar granted to the contacts a REGISTER brought, the longest of them; 0 when none of them is
 * bound any more; undefined when the request had no Contact (RFC 3261 §10.2.3, §10.3 step 8).
 */
export function grantedExpires(request: SipMessage, response: SipMessage): number | undefined {
  const asked = request.values("Contact");
  if (asked.length === 0) return undefined;
  const bound = response.values("Contact");
  let longest = 0;
  for (const contact of asked) {
    if (contact === "*") return 0;
    const own = parseNameAddr(contact);
    if (own === undefined) continue;
    for (const value of bound) {
      const other = parseNameAddr(value);
      if (other === undefined || !isSameBinding(own, other)) continue;
      longest = Math.max(longest, expiresOf(other, response));
    }
  }
  return longest;
}

/** The instance of the UE that registers (RFC 5626 §4.1), "" when it names none. */
export function instanceOf(request: SipMessage): string {
  for (const value of request.values("Contact"))
    if (value.includes("+sip.instance")) return parseNameAddr(value)?.parameters.get("+sip.instance") ?? "";
  return "";
}

/** RFC 5626 §6: instance and reg-id name the binding when the UE gave them, else the URI does. */
function isSameBinding(own: NameAddr, bound: NameAddr): boolean {
  // TS 24.229 §5.4.8.2: an emergency registration is a binding of its own, also of the same instance.
  if (own.uri.parameters.has("sos") !== bound.uri.parameters.has("sos")) return false;
  const instance = own.parameters.get("+sip.instance");
  const regId = own.parameters.get("reg-id");
  if (instance !== undefined && regId !== undefined && bound.parameters.has("reg-id"))
    return bound.parameters.get("+sip.instance") === instance && bound.parameters.get("reg-id") === regId;
  return bound.uriText === own.uriText || uriEquals(own.uri, bound.uri);
}

function expiresOf(contact: NameAddr, response: SipMessage): number {
  const text = contact.parameters.get("expires") ?? response.header("Expires");
  return text === undefined ? DEFAULT_EXPIRES : (decimal(text) ?? DEFAULT_EXPIRES);
}
