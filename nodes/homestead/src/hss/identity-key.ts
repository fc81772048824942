import { canonicalImpu, isWildcarded, parseWildcardedImpu } from "@ims/ims";

/** The key a public identity is stored under: canonical form, or the wildcard's text. Undefined when it is neither. */
export function identityKey(
  impu: string,
): { readonly canonical: string; readonly wildcard: boolean } | undefined {
  if (isWildcarded(impu)) {
    const wildcard = parseWildcardedImpu(impu);
    return wildcard && { canonical: wildcard.text, wildcard: true };
  }
  const canonical = canonicalImpu(impu);
  return canonical === undefined ? undefined : { canonical, wildcard: false };
}
