import type { Uri } from "@ims/sip";

/** Does a Request-URI name a user of this network? A sip user part with user=phone in the home domain does too. */
export function isHome(
  uri: Uri,
  { homeDomain, aliasDomains }: { readonly homeDomain: string; readonly aliasDomains: readonly string[] },
): boolean {
  if (uri.scheme !== "sip" && uri.scheme !== "sips") return false;
  return uri.host === homeDomain || aliasDomains.includes(uri.host);
}
