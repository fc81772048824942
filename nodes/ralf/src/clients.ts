import { BlockList, isIP, isIPv4 } from "node:net";
import { RalfError } from "./errors.ts";

/** Who may say what is charged: this machine, and the addresses and networks ("10.0.0.0/24") given. Throws RALF_CLIENTS. */
export function chargingClients(
  host: string,
  allowed: readonly string[],
): (remoteAddress: string) => boolean {
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
  const most = family === "ipv4" ? 32 : 128;
  const bits = Number(prefix ?? most);
  if (isIP(address) === 0 || !Number.isInteger(bits) || bits < 0 || bits > most)
    throw new RalfError(
      { code: "RALF_CLIENTS", client: text },
      { message: `--clients: ${text} is no address or network` },
    );
  list.addSubnet(address, bits, family);
}
