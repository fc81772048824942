import { isIPv6 } from "node:net";
import type { Clock, Logger, Service } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { Follower } from "../etcd/follow.ts";
import type { Entry } from "../etcd/wire.ts";
import { type MemberRecord, membersPrefix, readMember } from "../registry/member-record.ts";
import { Turns } from "../turns.ts";
import type { ClusterDocument } from "./cluster-document.ts";
import { clusterKeys } from "./cluster-keys.ts";
import { type ClusterView, readCluster } from "./cluster-view.ts";
import { DEFAULT_RULES, decide, type Rules } from "./synchronization.fsm.ts";

export interface ClusterManagerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** Its servers are the members of this pool. Default memcached. */
  readonly cluster?: string;
  /** By which clients find a server whose record names no other. Default 11211. */
  readonly port?: number;
  readonly rules?: Partial<Rules>;
  /** Between two looks while nothing changes, ms. Default 1,000. */
  readonly everyMs?: number;
}

/**
 * Moves the cluster's document on. Any number of managers may run: each decides on what it sees and writes only where the
 * document is still the one it has seen. While etcd is away nothing is decided.
 */
export class ClusterManager implements Service {
  readonly #options: ClusterManagerOptions;
  readonly #cluster: string;
  readonly #rules: Rules;
  readonly #keys: ReturnType<typeof clusterKeys>;
  readonly #followers: readonly Follower[];
  /** Undefined until etcd has told. */
  #view: ClusterView | undefined;
  #present: ReadonlyMap<string, "up" | "draining"> | undefined;
  /** Since when a server of the document is not in the registry, on the monotonic clock. */
  readonly #absentSince = new Map<string, number>();
  readonly #turns: Turns;

  constructor(options: ClusterManagerOptions) {
    this.#options = options;
    const { client, clock, log, root } = options;
    this.#cluster = options.cluster ?? "memcached";
    this.#rules = { ...DEFAULT_RULES, ...options.rules };
    this.#keys = clusterKeys(root, this.#cluster);
    const modules = { client, clock, log };
    this.#turns = new Turns({
      clock,
      everyMs: options.everyMs ?? 1000,
      turn: () => this.#look(),
      onError: (err) => log.error({ err, cluster: this.#cluster }, "managing a cluster failed"),
    });
    this.#followers = [
      new Follower({
        ...modules,
        prefix: `${membersPrefix(root)}${this.#cluster}/`,
        onChange: (entries) => this.#see(entries),
      }),
      new Follower({
        ...modules,
        prefix: this.#keys.prefix,
        onChange: (entries) => {
          const view = readCluster(entries, this.#keys);
          // Our own write may be known before the watch tells it.
          if (this.#view !== undefined && view.revision !== 0 && view.revision < this.#view.revision) return;
          this.#view = view;
          this.#turns.soon();
        },
      }),
    ];
  }

  get document(): ClusterDocument | undefined {
    const document = this.#view?.document;
    return document === "invalid" ? undefined : document;
  }

  async start(): Promise<void> {
    for (const follower of this.#followers) await follower.start();
    this.#turns.start();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#turns.stop();
    for (const follower of this.#followers) await follower.stop();
    await this.#turns.ended();
  }

  #see(entries: ReadonlyMap<string, Entry>): void {
    const present = new Map<string, "up" | "draining">();
    for (const { key, value } of entries.values()) {
      const member = readMember(this.#options.root, key, value);
      if (member !== undefined) present.set(serverId(member, this.#options.port ?? 11_211), member.state);
    }
    this.#present = present;
    this.#turns.soon();
  }

  async #look(): Promise<void> {
    const { client, clock, log } = this.#options;
    const view = this.#view;
    if (view === undefined || this.#present === undefined || view.document === "invalid") return;
    const next = decide(
      view.document,
      { now: clock.now(), present: this.#present, absentMs: this.#absence(view.document), users: view.users },
      this.#rules,
    );
    if (next === undefined) return;
    const key = this.#keys.document;
    const result = await client.transact({
      when: [
        view.document === undefined ? { key, is: "absent" } : { key, is: "at", revision: view.revision },
      ],
      run: [{ do: "put", key, value: JSON.stringify(next) }],
    });
    if (result.kind !== "done" || !result.held) return; // another was first, or etcd is away: the watch will tell
    if ((this.#view?.revision ?? 0) < result.revision)
      this.#view = { document: next, revision: result.revision, users: this.#view?.users ?? [] };
    const nodes = next.nodes.map(({ id, state }) => `${id} ${state}`);
    log.info({ cluster: this.#cluster, step: next.step, phase: next.phase, nodes }, "cluster moved on");
  }

  #absence(document: ClusterDocument | undefined): ReadonlyMap<string, number> {
    const now = this.#options.clock.monotonic();
    const gone = (document?.nodes ?? []).map(({ id }) => id).filter((id) => !this.#present?.has(id));
    for (const id of this.#absentSince.keys()) if (!gone.includes(id)) this.#absentSince.delete(id);
    return new Map(
      gone.map((id) => {
        const since = this.#absentSince.get(id) ?? now;
        this.#absentSince.set(id, since);
        return [id, now - since];
      }),
    );
  }
}

/** As clients of memcached write it. */
export function serverId({ addresses, ports }: MemberRecord, port: number): string {
  const [address = ""] = addresses;
  return `${isIPv6(address) ? `[${address}]` : address}:${ports?.[String(port)] ?? port}`;
}
