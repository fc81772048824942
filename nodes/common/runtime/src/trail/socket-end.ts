import { isIP } from "node:net";

/** One side of a connection in octets. */
export interface SocketEnd {
  readonly family: 4 | 6;
  readonly address: Uint8Array;
  readonly port: number;
}

const MAPPED = Buffer.from("00000000000000000000ffff", "hex");

/** Its address, as IPv6 (RFC 4291 §2.5.5.2 for IPv4) where the other side's is. */
export function addressBytes({ family, address }: SocketEnd, v6: boolean): Uint8Array {
  return v6 && family === 4 ? Buffer.concat([MAPPED, address]) : address;
}

/** Reads "192.0.2.1:5060" and "[2001:db8::1]:5060"; undefined for what is no address. */
export function socketEndOf(text: string): SocketEnd | undefined {
  const colon = text.lastIndexOf(":");
  const host = text
    .slice(0, colon)
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "");
  const port = Number(text.slice(colon + 1));
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(host)?.[1];
  const version = isIP(mapped ?? host);
  if (version === 4)
    return { family: 4, address: Uint8Array.from((mapped ?? host).split("."), Number), port };
  return version === 6 ? { family: 6, address: ipv6(host), port } : undefined;
}

function ipv6(text: string): Uint8Array {
  const [before = "", after] = text.replace(/[0-9.]+$/, quadAsGroups).split("::");
  const groups = (part: string | undefined): string[] => (part ?? "").split(":").filter((one) => one !== "");
  const [left, right] = [groups(before), groups(after)];
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].slice(0, 8).entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}

/** The end of "64:ff9b::192.0.2.1" as "c000:0201". */
function quadAsGroups(tail: string): string {
  if (!tail.includes(".")) return tail;
  const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
