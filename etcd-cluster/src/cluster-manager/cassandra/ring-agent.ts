import type { Clock, Logger, Service } from "@ims/runtime";
import type { EtcdClient } from "../../etcd/client.ts";
import { Follower } from "../../etcd/follow.ts";
import type { Entry } from "../../etcd/wire.ts";
import { etcdClusterProblems } from "../../problems.ts";
import { Turns } from "../../turns.ts";
import { clusterKeys } from "../cluster-keys.ts";
import { parseJson } from "../cluster-view.ts";
import type { CassandraControl } from "./cassandra-control.ts";
import {
  type RingDocument,
  type RingOperation,
  type RingReport,
  ringDocumentSchema,
} from "./ring-document.ts";
import { CASSANDRA } from "./ring-manager.ts";

export interface RingAgentOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** Of the member of this machine: cassandra-1. */
  readonly name: string;
  /** host:port by which the ring's document knows it. */
  readonly id: string;
  readonly control: CassandraControl;
  /** That its registration is bound to. */
  readonly lease: () => string | undefined;
  /** An operator wants it out, or no longer. */
  readonly onLeaving: (leaving: boolean) => Promise<void>;
  /** Between two looks, ms. Default 1,000. */
  readonly everyMs?: number;
}

/** Where an operator asks a node to leave. */
export function leavingKey(root: string, name: string): string {
  return `${clusterKeys(root, CASSANDRA).prefix}leaving/${name}`;
}

/** Does on this machine's Cassandra what the ring's document says, and reports. */
export class RingAgent implements Service {
  readonly #options: RingAgentOptions;
  readonly #keys: ReturnType<typeof clusterKeys>;
  readonly #follower: Follower;
  readonly #turns: Turns;
  readonly #abort = new AbortController();
  #document: RingDocument | undefined;
  #leaving = false;
  #told = false;
  #started = false;
  #report: Omit<RingReport, "id" | "fresh"> = { task: 0, result: "done" };
  #reported = "";

  constructor(options: RingAgentOptions) {
    this.#options = options;
    const { client, clock, log, root, id } = options;
    this.#keys = clusterKeys(root, CASSANDRA);
    this.#follower = new Follower({
      client,
      clock,
      log,
      prefix: this.#keys.prefix,
      onChange: (entries) => this.#take(entries),
    });
    this.#turns = new Turns({
      clock,
      everyMs: options.everyMs ?? 1000,
      turn: () => this.#turn(),
      onError: (err) => {
        if (!this.#abort.signal.aborted)
          log.error(
            { err, id, problemId: etcdClusterProblems.cassandraOperationFailed.id },
            "Cassandra of this machine; tried again",
          );
      },
    });
  }

  async start(): Promise<void> {
    await this.#follower.start();
    this.#turns.start();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#turns.stop();
    this.#abort.abort();
    await this.#follower.stop();
    await this.#turns.ended();
  }

  #take(entries: ReadonlyMap<string, Entry>): void {
    const { root, name } = this.#options;
    const entry = entries.get(this.#keys.document);
    const document = entry === undefined ? undefined : parseJson(entry.value, ringDocumentSchema);
    this.#document = document ?? this.#document;
    if (!entries.has(this.#keys.user(name))) this.#reported = "";
    this.#leaving = entries.has(leavingKey(root, name));
    this.#turns.soon();
  }

  async #turn(): Promise<void> {
    const { control, id, onLeaving } = this.#options;
    if (this.#leaving !== this.#told) await onLeaving(this.#leaving);
    this.#told = this.#leaving;
    const operation = this.#document?.operation;
    const own = operation?.on === id && operation.task !== this.#report.task ? operation : undefined;
    const fresh = await control.fresh();
    // What is in the ring starts by itself, also while etcd has nothing to say. Who was taken out waits to be let in again.
    const known = this.#document?.nodes.some((one) => one.id === id) ?? true;
    if (!fresh && !this.#started && known && own?.kind !== "bootstrap") {
      await control.start({ seeds: this.#seeds() }, this.#abort.signal);
      this.#started = true;
    }
    await this.#say(fresh);
    if (own === undefined) return;
    await this.#do(own);
    await this.#say(await control.fresh());
  }

  async #do(operation: RingOperation): Promise<void> {
    const { log, id } = this.#options;
    const { task, kind, of } = operation;
    log.info({ id, task, kind, of }, "Cassandra: operation begins");
    try {
      await this.#run(operation);
      this.#report = { task, result: "done" };
      log.info({ id, task, kind }, "Cassandra: operation done");
    } catch (err) {
      if (this.#abort.signal.aborted) return;
      log.error(
        { err, id, task, kind, problemId: etcdClusterProblems.cassandraOperationFailed.id },
        "Cassandra: operation failed; tried again later",
      );
      this.#report = { task, result: "failed" };
    }
  }

  async #run({ kind, of }: RingOperation): Promise<void> {
    const { control } = this.#options;
    const { signal } = this.#abort;
    switch (kind) {
      case "bootstrap": {
        const first = (this.#document?.nodes ?? []).every(
          ({ state }) => state.endsWith("join") || state === "joining",
        );
        const enters = of !== undefined ? { replaces: hostOf(of) } : first ? "first" : "bootstrap";
        await control.start({ seeds: this.#seeds(), enters }, signal);
        this.#started = true;
        return;
      }
      case "decommission":
        await control.decommission(signal);
        this.#started = false;
        return;
      case "removenode":
        return control.removeNode(hostOf(of ?? ""), signal);
      case "cleanup":
        return control.cleanup(signal);
      case "repair":
        return control.repair(signal);
    }
  }

  /** Nodes in the ring, but for itself; alone: itself. */
  #seeds(): string[] {
    const { id } = this.#options;
    const others = (this.#document?.nodes ?? [])
      .filter(
        (one) => one.id !== id && one.lost !== true && ["normal", "waiting-to-leave"].includes(one.state),
      )
      .slice(0, 3)
      .map((one) => hostOf(one.id));
    return others.length > 0 ? others : [hostOf(id)];
  }

  async #say(fresh: boolean): Promise<void> {
    const { client, id, name } = this.#options;
    const lease = this.#options.lease();
    if (lease === undefined) return;
    const value = JSON.stringify({ id, fresh, ...this.#report } satisfies RingReport);
    if (this.#reported === value + lease) return;
    const result = await client.put(this.#keys.user(name), value, { lease });
    this.#reported = result.kind === "stored" ? value + lease : "";
  }
}

/** 10.0.0.1:7000, [2001:db8::1]:7000 */
function hostOf(id: string): string {
  return id.slice(0, id.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}
