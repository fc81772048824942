import {
  connect,
  createServer,
  type OnReadOpts,
  type Server,
  Socket,
  type SocketConstructorOpts,
} from "node:net";

/** Gets what a socket read, as latin1 text. */
export type Receive = (chunk: string) => void;

/** One buffer for every socket: libuv fills it and calls back at once, and the text is copied out there. */
export class ReadBuffer {
  readonly #buffer = Buffer.allocUnsafeSlow(65_536);

  onread(receive: Receive): OnReadOpts {
    return {
      buffer: this.#buffer,
      callback: (size, buffer) => {
        receive((buffer as Buffer).toString("latin1", 0, size));
        return true;
      },
    };
  }
}

export interface Dial {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
}

export function dialTcp(dial: Dial, reads: ReadBuffer, receive: Receive): Socket {
  return connect({
    host: dial.address,
    port: dial.port,
    ...(dial.localAddress === undefined ? {} : { localAddress: dial.localAddress }),
    noDelay: true,
    onread: reads.onread(receive),
  });
}

export function tcpServer(onSocket: (socket: Socket) => void): Server {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, onSocket);
  server.maxConnections = Number.MAX_SAFE_INTEGER;
  return server;
}

interface Handle {
  readonly useUserBuffer?: unknown;
}

/**
 * An accepted, paused socket as one that reads into the shared buffer: net.Server has no `onread`, and without it every
 * read allocates 64 kB. The handle moves to a new socket; should Node ever hide it, the socket is read by events.
 */
export function adopt(accepted: Socket, reads: ReadBuffer, receive: Receive): Socket {
  const holder = accepted as unknown as { _handle: Handle | null | undefined };
  const handle = holder._handle;
  if (handle === null || handle === undefined || typeof handle.useUserBuffer !== "function") {
    readByEvents(accepted, receive);
    return accepted;
  }
  holder._handle = null;
  accepted.on("error", () => {});
  accepted.destroy(); // Only the bookkeeping of the server: the handle is no longer its.
  const options = {
    handle,
    onread: reads.onread(receive),
    readable: true,
    writable: true,
  };
  return new Socket(options as SocketConstructorOpts);
}

export function readByEvents(socket: Socket, receive: Receive): void {
  socket.on("data", (chunk: Buffer) => receive(chunk.toString("latin1")));
  socket.resume();
}
