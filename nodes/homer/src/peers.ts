import { BlockList, isIP, isIPv4 } from "node:net";
import { HomerError } from "./errors.ts";

/** Whether an address is one of those, or in one of the networks ("10.0.0.0/24"), that an option names. Throws HOMER_PEERS. */
export function addressesIn(option: string, allowed: readonly string[]): (remoteAddress: string) => boolean {
  const list = new BlockList();
  for (const each of allowed) add(list, option, each);
  return (remoteAddress) => {
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
    return isIP(address) !== 0 && list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
  };
}

function add(list: BlockList, option: string, text: string): void {
  const [address = "", prefix] = text.split("/");
  const family = isIPv4(address) ? "ipv4" : "ipv6";
  const most = family === "ipv4" ? 32 : 128;
  const bits = Number(prefix ?? most);
  if (isIP(address) === 0 || !Number.isInteger(bits) || bits < 0 || bits > most)
    throw new HomerError(
      { code: "HOMER_PEERS", option, peer: text },
      { message: `${option}: ${text} is no address or network` },
    );
  list.addSubnet(address, bits, family);
}
