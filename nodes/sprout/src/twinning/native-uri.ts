import { canonicalImpu } from "@ims/ims";
import type { SipMessage } from "@ims/sip";

/**
 * Where the mobile phone of who is called is: the prefix before the user part, by which the call is routed to the circuit-switched
 * network. A number becomes a SIP URI of the home domain (RFC 3261 §19.1.6). Undefined: the Request-URI is no user's.
 */
export function nativeUri(
  { requestUri, target }: SipMessage,
  prefix: string,
  homeDomain: string,
): string | undefined {
  if (target === undefined) return undefined;
  const { scheme, user } = target;
  if (scheme === "sip" || scheme === "sips") {
    const colon = requestUri.indexOf(":") + 1;
    return user === "" ? undefined : `${requestUri.slice(0, colon)}${prefix}${requestUri.slice(colon)}`;
  }
  if (scheme !== "tel" || prefix === "") return scheme === "tel" ? requestUri : undefined;
  const number = canonicalImpu(requestUri)?.slice("tel:".length) ?? user.replace(/[().-]/g, "");
  return `sip:${prefix}${number.replace(/#/g, "%23")}@${homeDomain};user=phone`;
}
