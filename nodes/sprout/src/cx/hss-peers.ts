import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { DiameterNode } from "@ims/diameter";
import {
  type Clock,
  type CoreTls,
  type DnsResolver,
  followService,
  isLoopback,
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
  /** Spoken with all of them; undefined: in the clear. */
  readonly tls?: Pick<CoreTls, "clientOptions"> | undefined;
}

/** RFC 6733 §11.4: of Diameter over TCP, and over TLS as homestead has it. */
const DIAMETER_PORT = 3868;
const TLS_PORT = 3869;

/** The Diameter peers for Cx: those given, or the members of a pool as they come and go (RFC 6733 §5.2). */
export class HssPeers {
  readonly #given: readonly string[];
  readonly #host: string | undefined;
  readonly #pool: string;
  readonly #modules: HssPeersModules;
  readonly #members = new Map<string, ServiceTarget>();
  #following: { stop(): void } | undefined;

  constructor(
    {
      hssPeer,
      hssPool,
      host = "",
    }: { readonly hssPeer: readonly string[]; readonly hssPool: string; readonly host?: string },
    modules: HssPeersModules,
  ) {
    this.#given = hssPeer;
    // Of several nodes on one machine each is known by its own loopback address.
    this.#host = isIP(host) !== 0 && isLoopback(host) ? host : undefined;
    this.#pool = hssPool;
    this.#modules = modules;
  }

  /** Who they should be, for the log. */
  get names(): readonly string[] {
    return this.#pool === "" ? this.#given : [this.#pool];
  }

  start(): void {
    const { diameter, tls } = this.#modules;
    const usualPort = tls === undefined ? DIAMETER_PORT : TLS_PORT;
    const service = tls === undefined ? "_diameter._tcp" : "_diameters._tcp";
    if (this.#pool === "")
      this.#given.forEach((peer, priority) => {
        diameter.addPeer({ ...hostAndPort(peer, usualPort), priority, ...this.#secure });
      });
    else
      this.#following = followService(`${service}.${this.#pool}`, this.#modules, (targets) =>
        this.#follow(targets),
      );
  }

  stop(): void {
    this.#following?.stop();
  }

  get #secure(): { readonly tls?: ConnectionOptions } {
    const { tls } = this.#modules;
    if (tls === undefined) return {};
    // Not spread: it has the certificate that is in force whenever it is asked.
    const options = tls.clientOptions();
    return { tls: this.#host === undefined ? options : Object.assign(options, { localAddress: this.#host }) };
  }

  /** New ones first, so that what a leaving one has finds another. */
  #follow(targets: readonly ServiceTarget[]): void {
    const { diameter, log } = this.#modules;
    const wanted = new Map(targets.map((target) => [`${target.address} ${target.port}`, target]));
    for (const [key, target] of wanted) {
      if (this.#members.has(key)) continue;
      const { name, address, port, priority } = target;
      this.#members.set(key, target);
      diameter.addPeer({ host: address, port, priority, ...this.#secure });
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

function hostAndPort(peer: string, usualPort: number): { host: string; port: number } {
  const colon = peer.lastIndexOf(":");
  const bracket = peer.lastIndexOf("]");
  const withPort = colon > bracket;
  const host = (withPort ? peer.slice(0, colon) : peer).replace(/^\[|\]$/g, "");
  return { host, port: withPort ? Number(peer.slice(colon + 1)) : usualPort };
}
