import type { NgGateway } from "./ng-gateway.ts";

/** The gateways of a pool of P-CSCFs: every member has the same list, and chooses the same one for a call. */
export class MediaGateways {
  readonly all: readonly NgGateway[];
  readonly #byName: ReadonlyMap<string, NgGateway>;

  constructor(all: readonly NgGateway[]) {
    this.all = all;
    this.#byName = new Map(all.map((gateway) => [gateway.name, gateway]));
  }

  named(name: string): NgGateway | undefined {
    return this.#byName.get(name);
  }

  /**
   * Those that answer, the first choice for this Call-ID first (rendezvous hashing: when one is lost only its calls move).
   */
  for(callId: string): readonly NgGateway[] {
    const up = this.all.filter((gateway) => gateway.up);
    if (up.length < 2) return up;
    return up
      .map((gateway) => ({ gateway, weight: fnv1a(callId + gateway.name) }))
      .sort((one, other) => other.weight - one.weight)
      .map(({ gateway }) => gateway);
  }

  /** What an operator has to know; undefined: all answer. */
  get problem(): string | undefined {
    const down = this.all.filter((gateway) => !gateway.up).map(({ address }) => address);
    if (down.length === 0) return undefined;
    const left = this.all.length - down.length;
    return `no answer of ${down.join(", ")}; ${left === 0 ? "none is left" : `${left} of ${this.all.length} left`}`;
  }

  start(): void {
    for (const gateway of this.all) gateway.start();
  }

  stop(): void {
    for (const gateway of this.all) gateway.stop();
  }
}

/** FNV-1a, 32 bits, with a last mix: names that differ in a character shall not sort calls alike. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
