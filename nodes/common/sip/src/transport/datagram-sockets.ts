import type { DatagramSocket } from "./datagram-socket.ts";
import { DgramSocket } from "./dgram-socket.ts";
import { mmsgAddon } from "./mmsg-addon.ts";
import { MmsgSocket } from "./mmsg-socket.ts";

export type DatagramDriver = "auto" | "dgram";

/** How sockets for UDP are made: by the add-on where there is one, else by Node itself. */
export function datagramSockets(driver: DatagramDriver): (family: 4 | 6) => DatagramSocket {
  const addon = driver === "auto" ? mmsgAddon() : undefined;
  return addon === undefined
    ? (family) => new DgramSocket(family)
    : (family) => new MmsgSocket(family, addon);
}
