/** Is a call among the sampled ones? By FNV-1a of 32 bits: the same at every node. */
export function isSampled(identifier: string, share: number): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < identifier.length; index++)
    hash = Math.imul(hash ^ (identifier.charCodeAt(index) & 0xff), 0x01000193);
  // The low bits of short texts are mixed better than the high ones.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000 < share;
}
