import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import type { Clock, Timer } from "../clock.ts";
import { clientName } from "./client-name.ts";

export interface ConnectionGuardOptions {
  readonly clock: Clock;
  /** Connections of all clients, and of one. */
  readonly most: number;
  readonly each: number;
}

interface Guarded {
  readonly client: string;
  /** What is read from and written to: above TLS once that is there. */
  socket: Socket;
  /** Requests that have not been answered. */
  readonly open: Set<IncomingMessage>;
  /** When it last did what a client does that is not too slow. */
  goodAt: number;
  read: number;
  /** What the client has still to take, and since when that is so much, ms. */
  untaken: number;
  untakenSince: number;
  /** Has sent something since the last answer that is no whole request head. */
  begun: boolean;
}

const LOOK_MS = 1_000;
/** For the head of a request, and for TLS before it. */
const HEAD_MS = 10_000;
/** A body comes at this rate at least, bytes a second, over so long. */
const LEAST_RATE = 2_048;
const RATE_MS = 5_000;
/** Something of a response is taken within this. */
const TAKEN_MS = 20_000;

/** Connections of clients: how many each has, and whether they go on. */
export class ConnectionGuard {
  readonly #options: ConnectionGuardOptions;
  readonly #connections = new Map<string, Guarded>();
  readonly #clients = new Map<string, number>();
  #timer: Timer | undefined;
  #cut = 0;

  constructor(options: ConnectionGuardOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#connections.size;
  }

  get cut(): number {
    return this.#cut;
  }

  start(): void {
    this.#timer ??= this.#options.clock.setTimer(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  watch(server: Server): void {
    server.prependListener("connection", (socket: Socket) => this.#connected(socket));
    server.on("secureConnection", (socket: Socket) => {
      const guarded = this.#connections.get(nameOf(socket));
      if (guarded !== undefined) guarded.socket = socket;
    });
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) =>
      this.#requested(request, response),
    );
  }

  #connected(socket: Socket): void {
    const { most, each, clock } = this.#options;
    const client = clientName(socket.remoteAddress ?? "");
    const count = this.#clients.get(client) ?? 0;
    if (count >= each || this.#connections.size >= most) {
      this.#cut++;
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    const guarded: Guarded = {
      ...{ client, socket, open: new Set(), goodAt: clock.monotonic() },
      ...{ read: 0, untaken: 0, untakenSince: 0, begun: true },
    };
    this.#clients.set(client, count + 1);
    this.#connections.set(name, guarded);
    socket.once("close", () => {
      if (this.#connections.get(name) === guarded) this.#connections.delete(name);
      const left = (this.#clients.get(client) ?? 1) - 1;
      if (left > 0) this.#clients.set(client, left);
      else this.#clients.delete(client);
    });
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const guarded = this.#connections.get(nameOf(request.socket));
    if (guarded === undefined) return;
    this.#good(guarded);
    guarded.open.add(request);
    response.once("close", () => {
      guarded.open.delete(request);
      this.#good(guarded);
    });
  }

  #good(guarded: Guarded): void {
    guarded.goodAt = this.#options.clock.monotonic();
    guarded.read = guarded.socket.bytesRead;
    guarded.begun = false;
  }

  #look(): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    for (const guarded of this.#connections.values()) if (this.#isSlow(guarded, now)) this.#end(guarded);
    this.#timer = clock.setTimer(LOOK_MS, () => this.#look());
  }

  #isSlow(guarded: Guarded, now: number): boolean {
    const { socket, open } = guarded;
    const since = now - guarded.goodAt;
    if (open.size === 0) {
      // Between requests a connection may be idle; node:http ends it. A head that was begun must end.
      if (!guarded.begun && socket.bytesRead > guarded.read) {
        guarded.begun = true;
        guarded.goodAt = now;
        return false;
      }
      return guarded.begun && since >= HEAD_MS;
    }
    if (this.#takesNothing(guarded, now)) return true;
    if (since < RATE_MS) return false;
    // Not read while we do not want to.
    for (const request of open)
      if (
        !request.complete &&
        !socket.isPaused() &&
        socket.bytesRead - guarded.read < (LEAST_RATE * since) / 1000
      )
        return true;
    guarded.goodAt = now;
    guarded.read = socket.bytesRead;
    return false;
  }

  #takesNothing(guarded: Guarded, now: number): boolean {
    const untaken = guarded.socket.writableLength;
    if (untaken === 0 || untaken !== guarded.untaken) {
      guarded.untaken = untaken;
      guarded.untakenSince = now;
    }
    return untaken > 0 && now - guarded.untakenSince >= TAKEN_MS;
  }

  #end({ socket }: Guarded): void {
    this.#cut++;
    socket.destroy();
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
