import net from "node:net";
import tls from "node:tls";
import {
  type Clock,
  type Flushable,
  flushAtTurnEnd,
  type LoopPacer,
  type Timer,
  type TrailEnds,
} from "@ims/runtime";
import type { Command } from "../codec/command.ts";
import { encode, type Identifiers } from "../codec/encode.ts";
import { Writer } from "../codec/writer.ts";
import type { DiameterTrail } from "../trail/diameter-trail.ts";
import { Framer } from "./framer.ts";

/** Where to connect to. `tls` present: TLS from the first byte (RFC 6733 §13.1), options as of `tls.connect`. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls?: tls.ConnectionOptions;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly maxMessageLength: number;
  /** Bytes waiting to be sent beyond which nothing more is read from this peer, and no request is given to it. */
  readonly maxBacklog: number;
  /** Told of every message read. */
  readonly pacer?: LoopPacer;
  readonly trail?: DiameterTrail | undefined;
}

export interface ConnectionHandler {
  connected(connection: Connection): void;
  /** `bytes` are only good during the call. */
  message(connection: Connection, bytes: Buffer, start: number, end: number): void;
  /** The stream cannot be followed any more; `header` is the one that is wrong. */
  broken(connection: Connection, header: Buffer): void;
  /** Once, after which the connection does nothing any more. */
  closed(connection: Connection, reason: string): void;
}

/** How long a peer has to take the last bytes and to close its side. */
const LINGER_MS = 1_000;

const NOWHERE: ConnectionHandler = { connected() {}, message() {}, broken() {}, closed() {} };

/** One transport connection: whole messages in, one write per turn of the event loop out. */
export class Connection implements Flushable {
  readonly #socket: net.Socket;
  readonly #options: ConnectionOptions;
  readonly #writer = new Writer();
  readonly #framer: Framer;
  #handler: ConnectionHandler;
  #flushing = false;
  #closing = false;
  #closed = false;
  #paused = false;
  #reason = "closed by the peer";
  #lingering: Timer | undefined;
  #ends: TrailEnds | undefined;

  private constructor(socket: net.Socket, options: ConnectionOptions, handler: ConnectionHandler) {
    this.#socket = socket;
    this.#options = options;
    this.#handler = handler;
    this.#framer = new Framer(
      options.maxMessageLength,
      (bytes, start, end) => {
        options.pacer?.received();
        this.#handler.message(this, bytes, start, end);
      },
      (header) => this.#handler.broken(this, header),
    );
    socket.setNoDelay(true);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#reason = error.code ?? error.message;
    });
    socket.on("end", () => this.close());
    socket.on("close", () => this.#end());
    socket.on("drain", () => this.#resume());
  }

  /** Connects; `handler.connected` or `handler.closed` follows. */
  static connect(
    endpoint: Endpoint,
    readBuffer: Buffer,
    options: ConnectionOptions,
    handler: ConnectionHandler,
  ): Connection {
    const { host, port } = endpoint;
    let connection: Connection;
    if (endpoint.tls !== undefined) {
      const socket = tls.connect({ host, port, ...endpoint.tls });
      connection = new Connection(socket, options, handler);
      socket.once("secureConnect", () => connection.#up());
      socket.on("data", (chunk: Buffer) => connection.#received(chunk));
    } else {
      // One buffer for all sockets: each read is worked off before the next one starts.
      const onread = {
        buffer: readBuffer,
        callback: (length: number, bytes: Uint8Array): boolean => {
          connection.#received((bytes as Buffer).subarray(0, length));
          return !connection.#paused;
        },
      };
      const socket = net.connect({ host, port, onread });
      connection = new Connection(socket, options, handler);
      socket.once("connect", () => connection.#up());
    }
    return connection;
  }

  /** Takes over a socket that a server accepted (after the TLS handshake, if any). */
  static accepted(socket: net.Socket, options: ConnectionOptions, handler: ConnectionHandler): Connection {
    const connection = new Connection(socket, options, handler);
    socket.on("data", (chunk: Buffer) => connection.#received(chunk));
    return connection;
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  /** For the trail. */
  get ends(): TrailEnds {
    this.#ends ??= {
      protocol: "TCP",
      local: hostPort(this.#socket.localAddress, this.#socket.localPort),
      remote: hostPort(this.#socket.remoteAddress, this.#socket.remotePort),
    };
    return this.#ends;
  }

  get open(): boolean {
    return !this.#closing && !this.#closed;
  }

  /** The peer does not take what is sent to it. */
  get congested(): boolean {
    return this.#socket.writableLength + this.#writer.pending > this.#options.maxBacklog;
  }

  /** Whoever owns the connection from now on. */
  handOver(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  /** Encodes and sends with all else that is sent in this turn. Throws as `encode` does. */
  send(command: Command, identifiers: Identifiers, avps: Readonly<Record<string, unknown>>): void {
    if (!this.open) return;
    const mark = this.#writer.mark();
    encode(this.#writer, command, identifiers, avps, this.#options.maxMessageLength);
    const { bytes, position } = this.#writer;
    this.#options.trail?.sent(bytes, this.#writer.at(mark), position, this.ends);
    if (this.#flushing) return;
    this.#flushing = true;
    flushAtTurnEnd(this);
  }

  /** Sends what is waiting, then closes. What the peer still sends is not read: a reset would cost it our last words. */
  close(reason?: string): void {
    if (!this.open) return;
    this.#reason = reason ?? this.#reason;
    this.#closing = true;
    this.#framer.end();
    if (this.#socket.connecting) {
      this.#socket.destroy();
      return;
    }
    this.flush();
    this.#socket.end();
    if (this.#paused) this.#socket.resume();
    this.#lingering = this.#options.clock.setTimer(LINGER_MS, () => this.#socket.destroy());
  }

  /** `close`, and the handler hears nothing more. */
  dispose(): void {
    this.#handler = NOWHERE;
    this.close();
  }

  /** Closes at once; the handler hears nothing more. */
  destroy(): void {
    this.#handler = NOWHERE;
    this.#closing = true;
    this.#framer.end();
    this.#socket.destroy();
  }

  #up(): void {
    if (this.open) this.#handler.connected(this);
  }

  #received(chunk: Buffer): void {
    if (!this.open) return;
    this.#framer.push(chunk);
    // Answers cannot leave: take no more work from this peer.
    if (this.congested && !this.#paused) {
      this.#paused = true;
      this.#socket.pause();
    }
  }

  #resume(): void {
    if (!this.#paused || this.congested) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Sends what was encoded since the last time. */
  flush(): void {
    this.#flushing = false;
    const bytes = this.#writer.take();
    if (bytes !== undefined && this.#socket.writable) this.#socket.write(bytes);
    // A write that the system took at once is followed by no "drain".
    this.#resume();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    this.#lingering?.cancel();
    this.#framer.end();
    this.#handler.closed(this, this.#reason);
  }
}

function hostPort(address = "", port = 0): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
