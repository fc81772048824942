import { RECEIVE_BUFFER } from "./datagram-socket.ts";
import { addressFamily } from "./flow.ts";
import { type MmsgAddon, mmsgAddon } from "./mmsg-addon.ts";

/** UDP sockets of one port for several processes, which inherit them by their descriptors. */
export interface UdpSockets {
  readonly descriptors: readonly number[];
  /** Ours alone: whoever has inherited a socket goes on with it. */
  close(): void;
}

/**
 * Binds `count` sockets of one port and reads none of them. The kernel gives each its share of the far ends (SO_REUSEPORT), the same
 * one for as long as all of them are open: so a process that is started again gets the datagrams of the same far ends, and what came
 * meanwhile waits for it. Undefined without the add-on. Throws what the system says (`code`), also when the port is in use already.
 */
export function openUdpSockets(
  host: string,
  port: number,
  count: number,
  addon: MmsgAddon | undefined = mmsgAddon(),
): UdpSockets | undefined {
  if (addon === undefined) return undefined;
  const family = addressFamily(host) === 6 ? 6 : 4;
  const descriptors: number[] = [];
  const close = (): void => {
    for (const descriptor of descriptors.splice(0)) addon.unbind(descriptor);
  };
  try {
    for (let index = 0; index < count; index++)
      descriptors.push(addon.bind(family, host, port, RECEIVE_BUFFER));
  } catch (error) {
    close();
    throw error;
  }
  return { descriptors: [...descriptors], close };
}
