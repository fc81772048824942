/** One name for all addresses that one client may have: an IPv4 address, also mapped into IPv6, or the first 64 bits of an IPv6 one. */
export function clientName(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = (address.split("%")[0] ?? address).split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return `${before.slice(0, 4).join(":")}::/64`;
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}
