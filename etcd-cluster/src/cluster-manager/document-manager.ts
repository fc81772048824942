import { isIPv6 } from "node:net";
import type { Clock, Logger, Service } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { Follower } from "../etcd/follow.ts";
import type { Entry } from "../etcd/wire.ts";
import { type MemberRecord, membersPrefix, readMember } from "../registry/member-record.ts";
import { Turns } from "../turns.ts";
import { clusterKeys } from "./cluster-keys.ts";

export interface DocumentManagerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** Its servers are the members of this pool. */
  readonly cluster: string;
  /** By which a server is known whose record names no other. */
  readonly port: number;
  /** Between two looks while nothing changes, ms. */
  readonly everyMs: number;
}

/** What a manager sees when it decides. */
export interface Seen {
  readonly now: number;
  /** Servers in the registry. draining: asks to leave. */
  readonly present: ReadonlyMap<string, "up" | "draining">;
  /** Servers of the document that are not present, and for how long, ms. */
  readonly absentMs: ReadonlyMap<string, number>;
  /** Reports of those that work with or on the cluster, as they stand in etcd. */
  readonly reports: readonly string[];
}

/** How the document of one kind of cluster is read and moved on: pure. */
export interface ClusterMachine<Document> {
  /** Undefined for one of a later release, or damaged: nothing is decided on it. */
  readonly parse: (text: string) => Document | undefined;
  /** Undefined: nothing to do. */
  readonly decide: (document: Document | undefined, seen: Seen) => Document | undefined;
  readonly ids: (document: Document) => readonly string[];
  /** For the log. */
  readonly summary: (document: Document) => Readonly<Record<string, unknown>>;
}

interface View<Document> {
  readonly document: Document | "invalid" | undefined;
  /** For compare-and-swap; 0 where there is none. */
  readonly revision: number;
  readonly reports: readonly string[];
}

/**
 * Moves a cluster's document on. Any number of managers may run: each decides on what it sees and writes only where the
 * document is still the one it has seen. While etcd is away nothing is decided.
 */
export class DocumentManager<Document> implements Service {
  readonly #options: DocumentManagerOptions;
  readonly #machine: ClusterMachine<Document>;
  readonly #keys: ReturnType<typeof clusterKeys>;
  readonly #followers: readonly Follower[];
  readonly #turns: Turns;
  /** Undefined until etcd has told. */
  #view: View<Document> | undefined;
  #present: ReadonlyMap<string, "up" | "draining"> | undefined;
  /** Since when a server of the document is not in the registry, on the monotonic clock. */
  readonly #absentSince = new Map<string, number>();

  constructor(options: DocumentManagerOptions, machine: ClusterMachine<Document>) {
    this.#options = options;
    this.#machine = machine;
    const { client, clock, log, root, cluster } = options;
    this.#keys = clusterKeys(root, cluster);
    this.#turns = new Turns({
      clock,
      everyMs: options.everyMs,
      turn: () => this.#look(),
      onError: (err) =>
        log.error({ err, cluster, problemId: runtimeProblems.defect.id }, "managing a cluster failed"),
    });
    const modules = { client, clock, log };
    this.#followers = [
      new Follower({
        ...modules,
        prefix: `${membersPrefix(root)}${cluster}/`,
        onChange: (entries) => this.#see(entries),
      }),
      new Follower({
        ...modules,
        prefix: this.#keys.prefix,
        onChange: (entries) => {
          const view = this.#read(entries);
          // Our own write may be known before the watch tells it.
          if (this.#view !== undefined && view.revision !== 0 && view.revision < this.#view.revision) return;
          this.#view = view;
          this.#turns.soon();
        },
      }),
    ];
  }

  get document(): Document | undefined {
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

  #read(entries: ReadonlyMap<string, Entry>): View<Document> {
    const reports = [...entries.values()]
      .filter(({ key }) => key.startsWith(this.#keys.users))
      .map(({ value }) => value);
    const entry = entries.get(this.#keys.document);
    if (entry === undefined) return { document: undefined, revision: 0, reports };
    return { document: this.#machine.parse(entry.value) ?? "invalid", revision: entry.revision, reports };
  }

  #see(entries: ReadonlyMap<string, Entry>): void {
    const present = new Map<string, "up" | "draining">();
    for (const { key, value } of entries.values()) {
      const member = readMember(this.#options.root, key, value);
      if (member !== undefined) present.set(serverId(member, this.#options.port), member.state);
    }
    this.#present = present;
    this.#turns.soon();
  }

  async #look(): Promise<void> {
    const { client, clock, log, cluster } = this.#options;
    const view = this.#view;
    if (view === undefined || this.#present === undefined || view.document === "invalid") return;
    const next = this.#machine.decide(view.document, {
      now: clock.now(),
      present: this.#present,
      absentMs: this.#absence(view.document === undefined ? [] : this.#machine.ids(view.document)),
      reports: view.reports,
    });
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
      this.#view = { document: next, revision: result.revision, reports: this.#view?.reports ?? [] };
    log.info({ cluster, ...this.#machine.summary(next) }, "cluster moved on");
  }

  #absence(ids: readonly string[]): ReadonlyMap<string, number> {
    const now = this.#options.clock.monotonic();
    const gone = ids.filter((id) => !this.#present?.has(id));
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

/** host:port of a server, as its clients write it. */
export function serverId({ addresses, ports }: MemberRecord, port: number): string {
  const [address = ""] = addresses;
  return `${isIPv6(address) ? `[${address}]` : address}:${ports?.[String(port)] ?? port}`;
}
