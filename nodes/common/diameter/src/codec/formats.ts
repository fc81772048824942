/** Data formats with a form of their own: RFC 6733 §4.3.1. */

/** Seconds from 1900 (NTP) to 1970. */
const NTP_OFFSET = 2_208_988_800;
const NTP_ERA = 4_294_967_296;

/** RFC 6733 §4.3.1 Time: values with the top bit clear are after 2036-02-07. */
export function timeFromSeconds(seconds: number): Date {
  const era = seconds >= 0x80000000 ? 0 : NTP_ERA;
  return new Date((seconds + era - NTP_OFFSET) * 1000);
}

export function secondsFromTime(time: Date): number {
  return (Math.floor(time.getTime() / 1000) + NTP_OFFSET) % NTP_ERA;
}

/** Address families of RFC 6733 §4.3.1 that this node takes. */
const Family = { ipv4: 1, ipv6: 2 } as const;

/** The text of an Address AVP's data, undefined when it is neither IPv4 nor IPv6. */
export function readAddress(bytes: Buffer, start: number, end: number): string | undefined {
  const family = bytes.readUInt16BE(start);
  if (family === Family.ipv4 && end - start === 6) {
    return `${bytes[start + 2]}.${bytes[start + 3]}.${bytes[start + 4]}.${bytes[start + 5]}`;
  }
  if (family !== Family.ipv6 || end - start !== 18) return undefined;
  const groups: string[] = [];
  for (let at = start + 2; at < end; at += 2) groups.push(bytes.readUInt16BE(at).toString(16));
  // The URL parser writes IPv6 as RFC 5952 wants it.
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

const IPV4 = /^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/** The data of an Address AVP, undefined when `text` is not an address. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array | undefined {
  const zone = text.indexOf("%");
  const address = zone < 0 ? text : text.slice(0, zone);
  if (IPV4.test(address)) return Uint8Array.from([0, Family.ipv4, ...address.split(".").map(Number)]);
  if (!/^[\d.:a-f]+$/i.test(address) || !URL.canParse(`http://[${address}]/`)) return undefined;
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...new Array<string>(8 - before.length - after.length).fill("0"), ...after];
  return Uint8Array.from([
    0,
    Family.ipv6,
    ...groups.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  ]);
}
