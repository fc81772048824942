import type { Pace } from "../openstack/pace.ts";
import type { Share } from "../placement/share.ts";
import type { Outcome, Run } from "./outcome.ts";

/** A pool of a VNF that exists. */
export interface PoolState {
  readonly pool: string;
  readonly size: number;
  /** Of the pool, on one host. */
  readonly share: Share;
  /** k: members it can do without. */
  readonly spare: number;
  readonly cellMap: readonly number[];
  readonly zoneMap: readonly number[];
  /** Places of the zones in the list of the VNF: availability zones. */
  readonly zones: readonly string[];
}

/** A VNF that exists. */
export interface VnfInstance {
  readonly name: string;
  readonly id: string;
  /** As whoever runs it calls it: CREATE_COMPLETE. */
  readonly status: string;
  readonly state: "ready" | "busy" | "failed";
  readonly reason: string;
  /** False: it was made without a guarantee about hosts. */
  readonly guaranteed: boolean;
  readonly pools: readonly PoolState[];
  readonly parameters: ReadonlyMap<string, string>;
}

/** One member of a pool, and what the cloud says of it. */
export interface VnfMember {
  readonly pool: string;
  readonly index: number;
  /** bono-0 */
  readonly name: string;
  readonly state: "ready" | "busy" | "failed" | "absent";
  readonly reason: string;
  readonly serverId?: string;
  /** ACTIVE, SHUTOFF, ERROR ... of Nova; absent: no server. */
  readonly serverStatus?: string;
  /** Same for members on the same host. */
  readonly hostId?: string;
  /** For administrators: UP, DOWN ... */
  readonly hostStatus?: string;
  readonly zone?: string;
  readonly image?: string;
  readonly addresses: readonly string[];
}

export interface Upgrade {
  readonly image: string;
  /** s between two members. */
  readonly pauseSeconds: number;
  readonly joinToken?: string;
}

/**
 * Who carries out the operations on a VNF that exists (SOL003's words): Heat, or a VNF manager; what each makes one from differs. Sizes are aligned and
 * members that leave are drained before a driver is asked. Every operation may be asked again after a failure, and
 * then continues. Faults of the cloud are outcomes.
 */
export interface VnfDriver {
  readonly via: "heat" | "sol003";
  /** @throws OpenStackError */
  find(name: string, signal?: AbortSignal): Promise<VnfInstance | undefined>;
  /** In the order of pools and numbers. @throws OpenStackError */
  members(instance: VnfInstance, signal?: AbortSignal): Promise<readonly VnfMember[]>;
  /**
   * Where the members are, for who asks every second: hosts are those of now, states may be some seconds old.
   * @throws OpenStackError
   */
  whereabouts(instance: VnfInstance, pace: Pace, signal?: AbortSignal): Promise<readonly VnfMember[]>;
  /** One aligned step. */
  scale(instance: VnfInstance, change: PoolChange, run: Run): Promise<Outcome>;
  /** Takes members out of service gracefully. */
  drain(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome>;
  /** Back into service. */
  resume(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome>;
  /** Makes members anew, under their names, addresses and cells. */
  heal(instance: VnfInstance, members: readonly VnfMember[], run: Run): Promise<Outcome>;
  upgrade(instance: VnfInstance, change: Upgrade, run: Run): Promise<Outcome>;
  terminate(name: string, run: Run): Promise<Outcome>;
}

export interface PoolChange {
  readonly pool: string;
  readonly size: number;
  readonly spare: number;
  readonly cellMap: readonly number[];
  readonly zoneMap: readonly number[];
  readonly joinToken?: string;
}
