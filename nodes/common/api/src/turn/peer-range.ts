import { isIPv4, isIPv6 } from "node:net";

interface Address {
  readonly value: bigint;
  readonly bits: 32 | 128;
}

/** An address or a network (10.20.2.0/24) as coturn writes those that it relays to or not: first-last. Undefined: it is neither. */
export function peerRange(text: string): string | undefined {
  const [host = "", length, more] = text.split("/");
  const address = read(host);
  if (address === undefined || more !== undefined) return undefined;
  const { value, bits } = address;
  if (length !== undefined && !/^[0-9]{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  const hosts = (1n << BigInt(bits - prefix)) - 1n;
  const first = value & ~hosts;
  return `${write({ value: first, bits })}-${write({ value: first | hosts, bits })}`;
}

function read(host: string): Address | undefined {
  if (isIPv4(host))
    return { value: host.split(".").reduce((all, part) => (all << 8n) | BigInt(part), 0n), bits: 32 };
  // A zone identifier means something on one machine only.
  if (!isIPv6(host) || host.includes("%")) return undefined;
  // The parser of URLs knows all spellings; it leaves groups in hex and one :: at most.
  const [head = "", tail = ""] = new URL(`http://[${host}]/`).hostname.slice(1, -1).split("::");
  const [left, right] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const known = [left ?? [], right ?? []] as const;
  const zeros = Array.from({ length: 8 - known[0].length - known[1].length }, () => "0");
  const groups = [...known[0], ...zeros, ...known[1]];
  return { value: groups.reduce((all, part) => (all << 16n) | BigInt(`0x${part}`), 0n), bits: 128 };
}

function write({ value, bits }: Address): string {
  const [step, radix, mark] = bits === 32 ? ([8n, 10, "."] as const) : ([16n, 16, ":"] as const);
  const parts: string[] = [];
  for (let at = BigInt(bits) - step; at >= 0n; at -= step)
    parts.push(((value >> at) & ((1n << step) - 1n)).toString(radix));
  return parts.join(mark);
}
