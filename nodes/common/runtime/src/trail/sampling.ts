/** What becomes of a call, the same at every node: told, not among the samples, or left out because its node is busy (`share` of the samples are not). */
export function samplingOf(identifier: string, sample: number, share: number): "told" | "unsampled" | "busy" {
  if (sample >= 1 && share >= 1) return "told";
  const place = placeOf(identifier);
  return place >= sample ? "unsampled" : place >= sample * share ? "busy" : "told";
}

/** From 0 to below 1, by FNV-1a of 32 bits. */
function placeOf(identifier: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < identifier.length; index++)
    hash = Math.imul(hash ^ (identifier.charCodeAt(index) & 0xff), 0x01000193);
  // The low bits of short texts are mixed better than the high ones.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
