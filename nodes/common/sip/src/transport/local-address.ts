import { networkInterfaces } from "node:os";
import { isLoopback } from "@ims/runtime";
import { addressFamily } from "./flow.ts";

/**
 * The address of ours that a far end sees when the listener is bound to `host`. For a listener on all interfaces that is
 * loopback towards loopback, else the first address of the family: a guess on hosts with several networks, which bind
 * their listeners to addresses.
 */
export function localAddressTowards(host: string, remote: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host;
  const family = addressFamily(remote);
  if (isLoopback(remote)) return family === 6 ? "::1" : "127.0.0.1";
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { internal, address } of addresses ?? []) {
      if (!internal && addressFamily(address) === family && !address.startsWith("fe80:")) return address;
    }
  }
  return host;
}
