import { createSocket, type Socket } from "node:dgram";
import {
  type DatagramHandler,
  type DatagramPeer,
  type DatagramSocket,
  FIRST_TEXT,
  RECEIVE_BUFFER,
} from "./datagram-socket.ts";
import type { SharedPort } from "./transport.ts";

interface Peer extends DatagramPeer {
  readonly key: string;
  readonly address: string;
  readonly port: number;
}

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
          const source = { key: peerKey(address, from), address, port: from };
          if ((datagram[0] ?? 0) < FIRST_TEXT) handler.onBytes(datagram, source);
          else handler.onText(datagram.toString("latin1"), source);
        });
        resolve(socket.address().port);
      });
    });
  }

  peer(address: string, port: number): Peer {
    return { key: peerKey(address, port), address, port };
  }

  sendText(text: string, to: Peer): void {
    this.#socket?.send(Buffer.from(text, "latin1"), to.port, to.address);
  }

  sendBytes(bytes: Uint8Array, to: Peer): void {
    this.#socket?.send(bytes, to.port, to.address);
  }

  close(): Promise<void> {
    const socket = this.#socket;
    return socket === undefined
      ? Promise.resolve()
      : new Promise((resolve) => void socket.close(() => resolve()));
  }
}

function peerKey(address: string, port: number): string {
  return `${address}:${port}`;
}
