/** End-to-end identifiers: RFC 6733 §3. Unique for minutes also across a restart: 12 bits of time, 20 bits that count. */
export function endToEndIdentifiers(nowMs: number, random: () => number): () => number {
  const high = (Math.floor(nowMs / 1000) & 0xfff) * 0x10_0000;
  let low = Math.floor(random() * 0x10_0000);
  return () => {
    low = (low + 1) % 0x10_0000;
    return high + low;
  };
}

/** Session-Id values: RFC 6733 §8.8. `<origin host>;<high 32 bits>;<low 32 bits>`, never repeated, also across a restart. */
export function sessionIds(originHost: string, nowMs: number): () => string {
  let high = Math.floor(nowMs / 1000);
  let low = 0;
  let prefix = `${originHost};${high};`;
  return () => {
    const id = `${prefix}${low}`;
    low = (low + 1) >>> 0;
    if (low === 0) {
      high = (high + 1) >>> 0;
      prefix = `${originHost};${high};`;
    }
    return id;
  };
}
