import type { Clock, Logger, Service } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { etcdClusterProblems } from "../problems.ts";
import type { EtcdClient } from "./client.ts";
import type { Entry } from "./wire.ts";

export interface FollowOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly prefix: string;
  /** All entries by key, at first and after every change. While etcd is away nothing is told: the last ones stay. */
  readonly onChange: (entries: ReadonlyMap<string, Entry>, revision: number) => void;
}

const RETRY_MS = 500;

/** A range of etcd in memory: read once, then watched; read again where the watch cannot go on. */
export class Follower implements Service {
  readonly #options: FollowOptions;
  #abort: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Does not wait for etcd. */
  start(): Promise<void> {
    if (this.#abort !== undefined) return Promise.resolve();
    this.#abort = new AbortController();
    this.#ended = this.#run(this.#abort.signal);
    return Promise.resolve();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    await this.#ended;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log, prefix } = this.#options;
    let complained = false;
    while (!signal.aborted) {
      try {
        const result = await this.#round(signal);
        if (result === "again") {
          complained = false;
          continue;
        }
        if (!complained && !signal.aborted)
          log.warn(
            { err: result, prefix, problemId: etcdClusterProblems.etcdAway.id },
            "etcd is away; what it last said stays",
          );
        complained = true;
      } catch (err) {
        log.error({ err, prefix, problemId: runtimeProblems.defect.id }, "following etcd failed");
      }
      if (!signal.aborted) await new Promise<void>((resolve) => clock.setTimer(RETRY_MS, resolve));
    }
  }

  async #round(signal: AbortSignal): Promise<"again" | Error> {
    const { client, prefix, onChange } = this.#options;
    const all = await client.range({ prefix });
    if (all.kind === "unavailable") return all.cause;
    if (signal.aborted) return "again";
    const entries = new Map(all.entries.map((entry) => [entry.key, entry]));
    onChange(new Map(entries), all.revision);
    for await (const turn of client.watch({ prefix }, all.revision + 1, signal)) {
      if (turn.kind === "restart") break;
      for (const event of turn.events)
        if (event.kind === "put") entries.set(event.entry.key, event.entry);
        else entries.delete(event.key);
      onChange(new Map(entries), turn.revision);
    }
    return "again";
  }
}
