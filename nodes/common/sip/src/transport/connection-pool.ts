import type { Connection } from "./connection.ts";
import type { TransportLimits } from "./limits.ts";
import type { TransportProtocol } from "./transport.ts";

/** Which connection may carry a message: same zone, transport and far end; a checked name is part of it. */
export function poolKey(
  side: string,
  protocol: TransportProtocol,
  address: string,
  port: number,
  serverName?: string,
): string {
  const key = `${side}|${protocol}|${address}|${port}`;
  return serverName === undefined ? key : `${key}|${serverName}`;
}

/** The connections of a transport layer: found by far end, counted in all and per source. */
export class ConnectionPool {
  readonly #limits: TransportLimits;
  readonly #byKey = new Map<string, Connection>();
  readonly #keys = new Map<Connection, string>();
  readonly #perSource = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #total = 0;

  constructor(limits: TransportLimits) {
    this.#limits = limits;
  }

  /** Sockets held, handshakes included. */
  get total(): number {
    return this.#total;
  }

  /** Connections in use. */
  connections(): Iterable<Connection> {
    return this.#keys.keys();
  }

  /** Counts a socket in, or refuses it. A socket counted in is counted out once, with the same source. */
  admit(source: string | undefined): boolean {
    if (this.#total >= this.#limits.maxConnections) return false;
    if (source !== undefined) {
      const count = this.#perSource.get(source) ?? 0;
      if (count >= this.#limits.maxConnectionsPerSource) return false;
      this.#perSource.set(source, count + 1);
    }
    this.#total += 1;
    return true;
  }

  release(source: string | undefined): void {
    this.#total -= 1;
    if (this.#total === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    if (source === undefined) return;
    const count = this.#perSource.get(source) ?? 0;
    if (count <= 1) this.#perSource.delete(source);
    else this.#perSource.set(source, count - 1);
  }

  /** Resolves when no socket is left. */
  drained(): Promise<void> {
    if (this.#total === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  add(connection: Connection, key: string): void {
    this.#keys.set(connection, key);
    // The first one keeps the key: messages to one far end stay in order on one connection.
    if (!this.#byKey.has(key)) this.#byKey.set(key, connection);
  }

  remove(connection: Connection): void {
    const key = this.#keys.get(connection);
    if (key === undefined) return;
    this.#keys.delete(connection);
    if (this.#byKey.get(key) === connection) this.#byKey.delete(key);
  }

  /** It stays open, but the next message to its far end takes another connection. */
  retire(connection: Connection): void {
    const key = this.#keys.get(connection);
    if (key !== undefined && this.#byKey.get(key) === connection) this.#byKey.delete(key);
    connection.retire();
  }

  find(key: string): Connection | undefined {
    return this.#byKey.get(key);
  }
}
