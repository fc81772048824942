import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** A port of `address` that was free for UDP and TCP a moment ago. Prefer listening on 0 where that is possible. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await listenTcp(address);
    if (await bindsUdp(address, port)) return port;
  }
  throw new Error(`no port of ${address} is free for UDP and TCP`);
}

function listenTcp(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function bindsUdp(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.once("error", () => resolve(false));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
