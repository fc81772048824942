import type { Server } from "./server.ts";

/** Entries that a server missed because it was away, so that it can be given them when it is back. */
export class MissedWrites {
  readonly #limit: number;
  readonly #keys = new Map<Server, Set<string>>();
  readonly #overflown = new Set<Server>();

  constructor(limitPerServer: number) {
    this.#limit = limitPerServer;
  }

  /** True when it was not on record. */
  note(server: Server, key: string): boolean {
    let keys = this.#keys.get(server);
    if (keys === undefined) {
      keys = new Set();
      this.#keys.set(server, keys);
    }
    if (keys.has(key)) return false;
    if (keys.size < this.#limit) keys.add(key);
    else this.#overflown.add(server);
    return true;
  }

  /** Takes what is on record; `complete` is false when there was more than could be kept. */
  take(server: Server): { readonly keys: readonly string[]; readonly complete: boolean } {
    const keys = [...(this.#keys.get(server) ?? [])];
    this.#keys.delete(server);
    return { keys, complete: !this.#overflown.delete(server) };
  }

  forget(server: Server): void {
    this.take(server);
  }
}
