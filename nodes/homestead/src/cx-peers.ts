import { BlockList, isIP, isIPv4 } from "node:net";
import { HomesteadError } from "./errors.ts";

/**
 * Who may ask for subscriber data over Cx: this machine, the address homestead itself is bound to, and the addresses and
 * networks ("10.0.0.0/24") given. Whoever may connect gets the hashes of passwords. Throws CX_PEERS for what is no address.
 */
export function cxPeers(host: string, allowed: readonly string[]): (remoteAddress: string) => boolean {
  const list = new BlockList();
  for (const each of ["127.0.0.0/8", "::1", ...(isIP(host) === 0 ? [] : [host]), ...allowed]) add(list, each);
  return (remoteAddress) => {
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
    return isIP(address) !== 0 && list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  };
}

function add(list: BlockList, text: string): void {
  const [address = "", prefix] = text.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const bits = Number(prefix ?? (family === "ipv4" ? 32 : 128));
  if (isIP(address) === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === "ipv4" ? 32 : 128)) {
    throw new HomesteadError(
      { code: "CX_PEERS", peer: text },
      { message: `--cx-peers: ${text} is no address or network` },
    );
  }
  list.addSubnet(address, bits, family);
}
