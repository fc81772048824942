import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A port of `address` that was free for UDP and TCP a moment ago. Prefer listening on 0 where that is possible. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  const [port = 0] = await freePorts(1, address);
  return port;
}

/** So many different ones: each is held until all are known. */
export async function freePorts(count: number, address = "127.0.0.1"): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => holdPort(address)));
  await Promise.all(held.map(({ close }) => close()));
  return held.map(({ port }) => port);
}

interface HeldPort {
  readonly port: number;
  close(): Promise<unknown>;
}

async function holdPort(host: string): Promise<HeldPort> {
  for (let attempt = 0; attempt < 20; attempt++) {
    // Whoever tries meanwhile shall not hold it open.
    const server = createServer((socket) => socket.destroy()).listen({ host, port: 0 });
    server.unref();
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const close = (): Promise<unknown> => once(server.close(), "close");
    if (await bindsUdp(host, port)) return { port, close };
    await close();
  }
  throw new Error(`no port of ${host} is free for UDP and TCP`);
}

function bindsUdp(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.once("error", () => resolve(false));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
