import { createSocket, type Socket } from "node:dgram";
import {
  type DatagramHandler,
  type DatagramPeer,
  type DatagramSocket,
  FIRST_TEXT,
  RECEIVE_BUFFER,
} from "./datagram-socket.ts";
import type { SharedPort } from "./transport.ts";

/** A UDP socket of Node's own: works everywhere, a system call and several objects a datagram. */
export class DgramSocket implements DatagramSocket {
  readonly waitedMs = undefined;
  readonly #family: 4 | 6;
  #socket: Socket | undefined;

  constructor(family: 4 | 6) {
    this.#family = family;
  }

  bind(host: string, port: number, handler: DatagramHandler, shared?: SharedPort): Promise<number> {
    const family = this.#family;
    const socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      recvBufferSize: RECEIVE_BUFFER,
      reusePort: shared !== undefined && shared.descriptor === undefined,
      // Addresses only come here: without this every datagram takes a turn through the resolver.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once("error", refused);
      const place = shared?.descriptor === undefined ? { port, address: host } : { fd: shared.descriptor };
      socket.bind(place, () => {
        socket.off("error", refused);
        socket.on("error", (error) => handler.onError(error));
        socket.on("message", (datagram, { address, port: from }) => {
          const source = { wire: address, remotePort: from, address };
          if ((datagram[0] ?? 0) < FIRST_TEXT) handler.onBytes(datagram, source);
          else handler.onText(datagram.toString("latin1"), source);
        });
        resolve(socket.address().port);
      });
    });
  }

  wire(address: string): string {
    return address;
  }

  sendText(text: string, to: DatagramPeer): void {
    this.sendBytes(Buffer.from(text, "latin1"), to);
  }

  sendBytes(bytes: Uint8Array, { wire, remotePort }: DatagramPeer): void {
    if (typeof wire === "string") this.#socket?.send(bytes, remotePort, wire);
  }

  close(): Promise<void> {
    const socket = this.#socket;
    return socket === undefined
      ? Promise.resolve()
      : new Promise((resolve) => void socket.close(() => resolve()));
  }
}
