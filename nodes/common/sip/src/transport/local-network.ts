import type { LocalConnection, LocalTurns } from "./local-connection.ts";

/** Takes a connection from `remoteAddress`, or refuses it. */
export type LocalAccept = (remoteAddress: string, remotePort: number) => LocalConnection | undefined;

/** Ports that the system does not give to sockets of its own, so that the two are told apart in logs. */
const FIRST_PORT = 1024;
const LAST_PORT = 32_767;

/**
 * The nodes of one process: a connection from one to a TCP port of another needs no socket. A transport layer that is given a network
 * offers its TCP listening points on it, and looks there first when it dials.
 */
export class LocalNetwork implements LocalTurns {
  readonly #listeners = new Map<string, LocalAccept>();
  #marked: LocalConnection[] = [];
  #port = FIRST_PORT;
  readonly #run = (): void => {
    const marked = this.#marked;
    this.#marked = [];
    for (const connection of marked) connection.flush();
  };

  /** Gives a function that takes the listener back. Wildcard addresses are reached by sockets only. */
  listen(address: string, port: number, accept: LocalAccept): () => void {
    const key = keyOf(address, port);
    this.#listeners.set(key, accept);
    return () => {
      if (this.#listeners.get(key) === accept) this.#listeners.delete(key);
    };
  }

  /** Is this a listener of the process itself? */
  has(address: string, port: number): boolean {
    return this.#listeners.has(keyOf(address, port));
  }

  /** Joins what `open` makes, told its local port, with what the listener makes; undefined when there is none or it refuses. */
  connect(
    target: { readonly address: string; readonly port: number; readonly localAddress: string },
    open: (localPort: number) => LocalConnection,
  ): LocalConnection | undefined {
    const accept = this.#listeners.get(keyOf(target.address, target.port));
    if (accept === undefined) return undefined;
    this.#port = this.#port >= LAST_PORT ? FIRST_PORT : this.#port + 1;
    const far = accept(target.localAddress, this.#port);
    if (far === undefined) return undefined;
    const near = open(this.#port);
    near.join(far);
    return near;
  }

  /** A microtask: after whatever sends has returned, before the loop goes on. */
  mark(connection: LocalConnection): void {
    if (this.#marked.push(connection) === 1) queueMicrotask(this.#run);
  }
}

function keyOf(address: string, port: number): string {
  return `${address}|${port}`;
}
