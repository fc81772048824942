import type { Peer } from "./peer.ts";

/** What a request needs of the peer that takes it. */
export interface Wanted {
  readonly applicationId: number;
  readonly destinationRealm: string;
  readonly destinationHost?: string | undefined;
}

/** The peers of a node and the choice among them: RFC 6733 §2.6, §2.7, §6.1.6. */
export class PeerTable {
  readonly #peers = new Set<Peer>();
  readonly #byHost = new Map<string, Peer>();
  #turn = 0;

  get all(): Iterable<Peer> {
    return this.#peers;
  }

  get openCount(): number {
    let count = 0;
    for (const { state } of this.#peers) if (state === "iOpen" || state === "rOpen") count++;
    return count;
  }

  add(peer: Peer): void {
    this.#peers.add(peer);
    const host = peer.options?.originHost;
    if (host !== undefined) this.#byHost.set(host.toLowerCase(), peer);
  }

  /** The peer's Origin-Host is known now. */
  identified(peer: Peer): void {
    const host = peer.identity?.originHost.toLowerCase();
    if (host !== undefined) this.#byHost.set(host, peer);
  }

  delete(peer: Peer): void {
    this.#peers.delete(peer);
    for (const [host, each] of this.#byHost) if (each === peer) this.#byHost.delete(host);
  }

  byHost(originHost: string): Peer | undefined {
    return this.#byHost.get(originHost.toLowerCase());
  }

  /**
   * The peer for a request, leaving out those in `tried`: the destination host itself, else one that serves the realm, by
   * priority, equal ones in turn. Undefined: there is none.
   */
  choose(wanted: Wanted, tried: readonly Peer[]): Peer | undefined {
    const host = wanted.destinationHost === undefined ? undefined : this.byHost(wanted.destinationHost);
    if (host?.usable && !tried.includes(host)) return host;
    let best: Peer | undefined;
    let bestPriority = Number.POSITIVE_INFINITY;
    let equals = 0;
    const turn = this.#turn++;
    for (let pass = 0; pass < 2; pass++) {
      // First pass: how many share the best priority; second: the one whose turn it is.
      let index = 0;
      for (const peer of this.#peers) {
        if (!serves(peer, wanted, host !== undefined) || tried.includes(peer)) continue;
        const priority = peer.options?.priority ?? 0;
        if (pass === 0) {
          if (priority < bestPriority) {
            bestPriority = priority;
            equals = 0;
          }
          if (priority === bestPriority) equals++;
        } else if (priority === bestPriority && index++ === turn % equals) {
          best = peer;
        }
      }
      if (equals === 0) return undefined;
    }
    return best;
  }
}

/** `direct`: the destination host is a peer of this node, so that only an agent could know another way to it. */
function serves(peer: Peer, wanted: Wanted, direct: boolean): boolean {
  const { identity } = peer;
  if (!peer.usable || identity === undefined) return false;
  if (identity.relay) return true;
  if (direct || !identity.applicationIds.has(wanted.applicationId)) return false;
  const realm = wanted.destinationRealm.toLowerCase();
  if (identity.originRealm.toLowerCase() === realm) return true;
  return peer.options?.realms?.some((each) => each.toLowerCase() === realm) ?? false;
}
