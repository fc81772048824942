import type { ChargingTriggers } from "@ims/ims";
import type { Uri } from "@ims/sip";
import type { IbcfUris } from "./own-uris.ts";
import type { PeerTable } from "./peers.ts";
import type { TopologyHiding } from "./topology-hiding.ts";
import type { Trunks } from "./trunks.ts";

/** Why the IBCF itself refused a request. */
export type IbcfRefusal =
  | "foreignPeer"
  | "foreignRoute"
  | "forgedToken"
  | "register"
  | "noPeer"
  | "loop"
  | "method"
  | "body"
  | "media"
  | "quiescing";

/** Out of our network, or into it: TS 24.229 §5.10.2, §5.10.3. */
export type Direction = "exit" | "entry";

export interface IbcfCounters {
  request(direction: Direction, outcome: "routed" | "refused"): void;
  refused(why: IbcfRefusal): void;
  /** A request was sent to the next target of a peer. */
  failover(): void;
}

/** Values of this IBCF; those of the ports are there once the listeners are open. */
export interface IbcfSettings {
  readonly homeDomain: string;
  /** Home domain and its aliases. */
  readonly homeDomains: ReadonlySet<string>;
  /** Where requests of peers go. */
  readonly icscf: Uri;
  /** Type 2 IOI of our network (TS 24.229 §7.2A.5). */
  readonly ioi: string;
  /** icid-generated-at. */
  readonly icidHost: string;
  /** "host:port;transport=tcp" of the trusted side, as it stands in our URIs. */
  readonly coreHostPort: string;
  /** "host:port;transport=tcp" towards peers, by transport in lower case; without the parameter for "". */
  peerHostPort(transport: string): string;
  /** Have peers other members of our pool to go to? */
  readonly hasSiblings: () => boolean;
}

export interface IbcfModules {
  readonly settings: IbcfSettings;
  readonly peers: { readonly table: PeerTable };
  readonly trunks: Trunks;
  readonly hiding: TopologyHiding;
  readonly own: IbcfUris;
  readonly newIcid: () => string;
  readonly charging?: ChargingTriggers | undefined;
  readonly counters: IbcfCounters;
  /** May this address send to the trusted side? */
  readonly mayUseCore: (address: string) => boolean;
  /** May a request of a peer inside a dialog leave for this host when it names no other way? */
  readonly isCoreHost: (host: string) => boolean;
}
