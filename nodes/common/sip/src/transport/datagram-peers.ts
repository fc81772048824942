import { randomInt } from "node:crypto";
import type { DatagramPeer } from "./datagram-socket.ts";
import { isSameAddress } from "./wire-address.ts";

/** 2^32 by the golden ratio: spreads what differs in few bits. */
const SPREAD = 0x9e3779b1;

/**
 * The far ends of a socket, in the order in which they came. Most are found by a number that V8 keeps without an object of its own; the
 * few whose number another one has are found by their full name.
 */
export class DatagramPeers<Peer extends DatagramPeer> {
  readonly #byKey = new Map<number | string, Peer>();
  readonly #others = new Map<string, Peer>();
  /** Nobody shall foretell which IPv4 addresses meet. IPv6 addresses that meet can be made up; they cost a text for each look-up, and no more. */
  readonly #seed: number;

  constructor(seed = randomInt(-(2 ** 31), 2 ** 31)) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#byKey.size + this.#others.size;
  }

  get(peer: DatagramPeer): Peer | undefined {
    const found = this.#byKey.get(this.#keyOf(peer));
    if (found !== undefined && isSamePeer(found, peer)) return found;
    return this.#others.size === 0 ? undefined : this.#others.get(nameOf(peer));
  }

  /** One that is not there yet. */
  add(peer: Peer): void {
    const key = this.#keyOf(peer);
    if (this.#byKey.has(key)) this.#others.set(nameOf(peer), peer);
    else this.#byKey.set(key, peer);
  }

  /** False when there is none, or another one of that address. */
  delete(peer: Peer): boolean {
    const key = this.#keyOf(peer);
    if (this.#byKey.get(key) === peer) return this.#byKey.delete(key);
    const name = nameOf(peer);
    return this.#others.get(name) === peer && this.#others.delete(name);
  }

  *values(): Generator<Peer, void> {
    yield* this.#byKey.values();
    yield* this.#others.values();
  }

  #keyOf({ wire, remotePort }: DatagramPeer): number | string {
    if (typeof wire === "number") return Math.imul(wire ^ this.#seed, SPREAD) ^ remotePort;
    if (typeof wire === "string") return `${wire}:${remotePort}`;
    let key = this.#seed ^ wire.scope;
    key = spread(key ^ wire.first);
    key = spread(key ^ wire.second);
    key = spread(key ^ wire.third);
    return spread(key ^ wire.fourth) ^ remotePort;
  }
}

export function isSamePeer(one: DatagramPeer, other: DatagramPeer): boolean {
  return one.remotePort === other.remotePort && isSameAddress(one.wire, other.wire);
}

function spread(key: number): number {
  const product = Math.imul(key, SPREAD);
  return product ^ (product >>> 15);
}

function nameOf({ wire, remotePort }: DatagramPeer): string {
  return `${wire}:${remotePort}`;
}
