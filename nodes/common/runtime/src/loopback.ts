import { BlockList, isIP } from "node:net";

/** IPv6 has many texts for one address; mapped ones of IPv4 are looked up as what they are. */
const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine reaches an address: 127.0.0.0/8 (RFC 1122 §3.2.1.3) and ::1 (RFC 4291 §2.5.3) in any text, and `localhost`. No other name. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return address.startsWith("127.");
  if (family === 6) return address === "::1" || loopback.check(address, "ipv6");
  return address === "localhost";
}
