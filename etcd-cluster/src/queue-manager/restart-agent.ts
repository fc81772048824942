import type { Clock, Logger, Service } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { etcdClusterProblems } from "../problems.ts";
import { type MemberRecord, membersPrefix, readMember } from "../registry/member-record.ts";
import { Turns } from "../turns.ts";
import {
  type PoolView,
  type QueueInput,
  type QueueTimes,
  type RestartQueue,
  restartQueueSchema,
  stepQueue,
} from "./restart-queue.fsm.ts";

export interface RestartAgentOptions extends QueueTimes {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  readonly pool: string;
  /** The member of this machine. */
  readonly name: string;
  /** Restarts it; resolves when it is up again. */
  readonly restart: () => Promise<void>;
  /** Is it well? Asked after the restart until it has been so for `steadyMs`. */
  readonly healthy: () => Promise<boolean>;
  /** Default 3,000. */
  readonly steadyMs?: number;
  /** From the restart until it must be well, ms. Default 120,000. */
  readonly healthMs?: number;
  /** Between two looks, ms. Default 1,000. */
  readonly everyMs?: number;
}

export type QueueResult =
  | { readonly kind: "changed" | "unchanged"; readonly queue: RestartQueue }
  | { readonly kind: "invalid" | "contention" }
  | { readonly kind: "unavailable"; readonly cause: Error };

/** Where the restart queue of a pool stands. */
export function queueKey(root: string, pool: string): string {
  return `${root}/restart-queues/${pool}`;
}

/** One input to the queue of a pool, by compare-and-swap. */
export async function changeQueue(
  client: EtcdClient,
  key: string,
  input: QueueInput,
  now: number,
  times?: QueueTimes,
): Promise<QueueResult> {
  for (let tries = 0; tries < 8; tries++) {
    const found = await client.range({ key });
    if (found.kind === "unavailable") return found;
    const [entry] = found.entries;
    const queue = entry === undefined ? EMPTY : parseQueue(entry.value);
    if (queue === undefined) return { kind: "invalid" };
    const next = stepQueue(queue, input, now, times);
    if (next === undefined) return { kind: "unchanged", queue };
    const result = await client.transact({
      when: [entry === undefined ? { key, is: "absent" } : { key, is: "at", revision: entry.revision }],
      run: [{ do: "put", key, value: JSON.stringify(next) }],
    });
    if (result.kind === "unavailable") return result;
    if (result.kind === "done" && result.held) return { kind: "changed", queue: next };
  }
  return { kind: "contention" };
}

const EMPTY: RestartQueue = { version: 1, entries: [] };

function parseQueue(text: string): RestartQueue | undefined {
  try {
    const parsed = restartQueueSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Restarts its member when it is its turn, and lets the next one begin when the pool is well. */
export class RestartAgent implements Service {
  readonly #options: RestartAgentOptions;
  readonly #key: string;
  /** Since when those of the queue are not registered. */
  readonly #absentSince = new Map<string, number>();
  #running = false;
  readonly #turns: Turns;

  constructor(options: RestartAgentOptions) {
    this.#options = options;
    const { clock, log, everyMs = 1000, root, pool } = options;
    this.#key = queueKey(root, pool);
    this.#turns = new Turns({
      clock,
      everyMs,
      turn: () => this.#look(),
      onError: (err) =>
        log.error(
          { err, queue: this.#key, problemId: runtimeProblems.defect.id },
          "the restart queue failed",
        ),
    });
  }

  start(): Promise<void> {
    this.#running = true;
    this.#turns.start();
    return Promise.resolve();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#turns.stop();
    await this.#turns.ended();
  }

  async #look(): Promise<void> {
    const { client, clock, root, pool, name } = this.#options;
    const prefix = `${membersPrefix(root)}${pool}/`;
    const members = await client.range({ prefix });
    const found = await client.range({ key: this.#key });
    // etcd was away, and so are members who could not renew their lease: they get their time once it is back.
    if (members.kind === "unavailable" || found.kind === "unavailable") return this.#absentSince.clear();
    const known = members.entries
      .map(({ key, value }) => readMember(root, key, value))
      .filter((member): member is MemberRecord => member !== undefined);
    const [entry] = found.entries;
    const queue = entry === undefined ? undefined : parseQueue(entry.value);
    if (queue === undefined) return;
    const view = { kind: "look", ...this.#view(known, queue) } as const;
    const result = await changeQueue(client, this.#key, view, clock.now(), this.#options);
    if (result.kind !== "changed" && result.kind !== "unchanged") return;
    const own = result.queue.entries.find((one) => one.name === name);
    if (own?.state === "restarting") await this.#restart();
  }

  #view(known: readonly MemberRecord[], { entries }: RestartQueue): PoolView {
    const now = this.#options.clock.monotonic();
    const registered = new Set(known.map((member) => member.name));
    const healthy = new Set(known.filter(({ state }) => state === "up").map((member) => member.name));
    const absent = entries.map((one) => one.name).filter((name) => !registered.has(name));
    const since = new Map(absent.map((name) => [name, this.#absentSince.get(name) ?? now]));
    this.#absentSince.clear();
    for (const [name, from] of since) this.#absentSince.set(name, from);
    return { registered, healthy, absentMs: new Map([...since].map(([name, from]) => [name, now - from])) };
  }

  async #restart(): Promise<void> {
    const { client, clock, log, name, restart } = this.#options;
    log.info({ name }, "restarting, as the queue says");
    let healthy = false;
    try {
      await restart();
      healthy = await this.#becomesHealthy();
    } catch (err) {
      log.error(
        { err, name, problemId: etcdClusterProblems.restartFailed.id },
        "the restart failed; the queue stops here",
      );
    }
    while (this.#running) {
      const result = await changeQueue(client, this.#key, { kind: "finished", name, healthy }, clock.now());
      if (result.kind === "changed" || result.kind === "unchanged" || result.kind === "invalid") return;
      await this.#pause(1000); // etcd is away: the others wait for the word
    }
  }

  async #becomesHealthy(): Promise<boolean> {
    const { clock, healthy, steadyMs = 3000, healthMs = 120_000 } = this.#options;
    const end = clock.monotonic() + healthMs;
    let since: number | undefined;
    while (this.#running && clock.monotonic() < end) {
      const well = await healthy().catch(() => false);
      const now = clock.monotonic();
      since = well ? (since ?? now) : undefined;
      if (since !== undefined && now - since >= steadyMs) return true;
      await this.#pause(Math.min(250, Math.max(10, steadyMs / 4)));
    }
    return false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(ms, resolve));
  }
}
