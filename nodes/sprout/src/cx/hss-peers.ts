import type { DiameterNode } from "@ims/diameter";
import {
  type Clock,
  type DnsResolver,
  followService,
  type Logger,
  type Pools,
  type ServiceTarget,
} from "@ims/runtime";

export interface HssPeersModules {
  readonly diameter: Pick<DiameterNode, "addPeer" | "removePeer">;
  readonly resolver: DnsResolver;
  readonly pools?: Pools | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const DIAMETER_PORT = 3868;

/** The Diameter peers for Cx: those given, or the members of a pool as they come and go (RFC 6733 §5.2). */
export class HssPeers {
  readonly #given: readonly string[];
  readonly #pool: string;
  readonly #modules: HssPeersModules;
  readonly #members = new Map<string, ServiceTarget>();
  #following: { stop(): void } | undefined;

  constructor(
    { hssPeer, hssPool }: { readonly hssPeer: readonly string[]; readonly hssPool: string },
    modules: HssPeersModules,
  ) {
    this.#given = hssPeer;
    this.#pool = hssPool;
    this.#modules = modules;
  }

  /** Who they should be, for the log. */
  get names(): readonly string[] {
    return this.#pool === "" ? this.#given : [this.#pool];
  }

  start(): void {
    const { diameter } = this.#modules;
    if (this.#pool === "")
      this.#given.forEach((peer, priority) => {
        diameter.addPeer({ ...hostAndPort(peer), priority });
      });
    else
      this.#following = followService(`_diameter._tcp.${this.#pool}`, this.#modules, (targets) =>
        this.#follow(targets),
      );
  }

  stop(): void {
    this.#following?.stop();
  }

  /** New ones first, so that what a leaving one has finds another. */
  #follow(targets: readonly ServiceTarget[]): void {
    const { diameter, log } = this.#modules;
    const wanted = new Map(targets.map((target) => [`${target.address} ${target.port}`, target]));
    for (const [key, target] of wanted) {
      if (this.#members.has(key)) continue;
      const { name, address, port, priority } = target;
      this.#members.set(key, target);
      diameter.addPeer({ host: address, port, priority });
      log.info({ peer: name, address, port }, "member of the HSS pool added");
    }
    for (const [key, { name, address, port }] of this.#members) {
      if (wanted.has(key)) continue;
      this.#members.delete(key);
      diameter.removePeer({ host: address, port });
      log.info({ peer: name, address, port }, "member of the HSS pool removed");
    }
  }
}

function hostAndPort(peer: string): { host: string; port: number } {
  const colon = peer.lastIndexOf(":");
  const bracket = peer.lastIndexOf("]");
  const withPort = colon > bracket;
  const host = (withPort ? peer.slice(0, colon) : peer).replace(/^\[|\]$/g, "");
  return { host, port: withPort ? Number(peer.slice(colon + 1)) : DIAMETER_PORT };
}
