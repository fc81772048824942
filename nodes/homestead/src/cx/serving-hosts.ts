import type { Registration } from "../hss/subscriber.ts";

/** Where an RTR or PPR goes. */
export type Destination = { readonly destinationHost: string; readonly destinationRealm: string };

type Server = { readonly serverName: string; readonly originHost: string; readonly originRealm: string };

/** Diameter identities remembered: far more than S-CSCFs of one network. */
const MAX_HOSTS = 1000;

/**
 * Which Diameter hosts stand behind the name of an S-CSCF. Those of a pool share one name, and any of them can do what
 * the one that was recorded for a user could, when that one is away.
 */
export class ServingHosts {
  readonly #isConnected: (originHost: string) => boolean;
  /** By originHost, latest last. */
  readonly #hosts = new Map<string, Server>();

  constructor(isConnected: (originHost: string) => boolean) {
    this.#isConnected = isConnected;
  }

  /** A request that an S-CSCF sent under its name. */
  note({ serverName, originHost, originRealm }: Server): void {
    const known = this.#hosts.get(originHost);
    if (known?.serverName === serverName) return;
    if (known === undefined && this.#hosts.size >= MAX_HOSTS) {
      const oldest = this.#hosts.keys().next().value;
      if (oldest !== undefined) this.#hosts.delete(oldest);
    }
    this.#hosts.set(originHost, { serverName, originHost, originRealm });
  }

  reaches(originHost: string): boolean {
    return this.#isConnected(originHost);
  }

  /** The host recorded, or another one of the same name while that one is away. Undefined when nobody serves. */
  destinationOf({ state, serverName, originHost, originRealm }: Registration): Destination | undefined {
    if (originHost === undefined || originRealm === undefined || state === "notRegistered") return undefined;
    if (!this.#isConnected(originHost)) {
      for (const each of this.#hosts.values()) {
        if (each.serverName === serverName && this.#isConnected(each.originHost))
          return { destinationHost: each.originHost, destinationRealm: each.originRealm };
      }
    }
    return { destinationHost: originHost, destinationRealm: originRealm };
  }
}
