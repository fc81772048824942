/** If-Match and If-None-Match: RFC 9110 §13.1, RFC 4825 §7.11. */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** `etag`: of the document; undefined: what the URI names does not exist. Undefined: go on. */
export function failedPrecondition(
  { ifMatch, ifNoneMatch }: Preconditions,
  etag: string | undefined,
): "ifMatch" | "ifNoneMatch" | undefined {
  if (ifMatch !== undefined && !names(ifMatch, etag, false)) return "ifMatch";
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag, true)) return "ifNoneMatch";
  return undefined;
}

/** Weak comparison passes over "W/" (RFC 9110 §8.8.3.2). */
function names(list: string, etag: string | undefined, weakly: boolean): boolean {
  if (etag === undefined) return false;
  if (list.trim() === "*") return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => (weakly ? tag.replace(/^W\//, "") : tag) === etag);
}
