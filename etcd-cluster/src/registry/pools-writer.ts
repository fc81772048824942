import { readFile } from "node:fs/promises";
import type { Clock, Logger, PoolsFile, Service, Timer } from "@ims/runtime";
import { parsePoolsFile, writePoolsFile } from "@ims/runtime";
import type { EtcdClient } from "../etcd/client.ts";
import { Follower } from "../etcd/follow.ts";
import type { Entry } from "../etcd/wire.ts";
import { etcdClusterProblems } from "../problems.ts";
import { type MemberRecord, membersPrefix, readMember } from "./member-record.ts";
import { type PoolsPlan, poolsDocument } from "./pools-document.ts";

export interface PoolsWriterOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  readonly plan: PoolsPlan;
  /** The pools file of the nodes of this machine. */
  readonly path: string;
  /** Changes within this time are written together, ms. Default 100. */
  readonly settleMs?: number;
}

const RETRY_MS = 1000;

/** Keeps the pools file as the registry has it. While etcd is away, and before it answers, the file stays as it is. */
export class PoolsWriter implements Service {
  readonly #options: PoolsWriterOptions;
  readonly #follower: Follower;
  #members: readonly MemberRecord[] = [];
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #running = false;
  #writes = 0;

  constructor(options: PoolsWriterOptions) {
    this.#options = options;
    const { client, clock, log, root } = options;
    this.#follower = new Follower({
      client,
      clock,
      log,
      prefix: membersPrefix(root),
      onChange: (entries) => this.#take(entries),
    });
  }

  /** How often the file was replaced. */
  get writes(): number {
    return this.#writes;
  }

  start(): Promise<void> {
    this.#running = true;
    return this.#follower.start();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#follower.stop();
    await this.#writing;
  }

  #take(entries: ReadonlyMap<string, Entry>): void {
    const { log, root, settleMs = 100 } = this.#options;
    this.#members = [...entries.values()].flatMap(({ key, value }) => {
      const member = readMember(root, key, value);
      if (member === undefined)
        log.warn(
          { key, problemId: etcdClusterProblems.documentUnreadable.id },
          "an entry of the registry cannot be read; it is left out",
        );
      return member === undefined ? [] : [member];
    });
    this.#writeIn(settleMs);
  }

  #writeIn(ms: number): void {
    // Not put off by further changes: a member that comes and goes must not keep the others out.
    if (!this.#running || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    });
  }

  async #write(): Promise<void> {
    const { log, path, plan } = this.#options;
    try {
      const before = await readPools(path);
      const next = poolsDocument(plan, this.#members, before.pools);
      const text = JSON.stringify(parsed(next));
      if (before.pools !== undefined && JSON.stringify(before.pools) === text) return;
      await writePoolsFile(path, next);
      this.#writes++;
      log.info({ path, members: this.#members.length }, "pools file written");
    } catch (err) {
      log.error(
        { err, path, problemId: etcdClusterProblems.fileUnwritten.id },
        "the pools file cannot be written; tried again",
      );
      this.#writeIn(RETRY_MS);
    }
  }
}

async function readPools(path: string): Promise<{ pools: PoolsFile | undefined }> {
  try {
    const result = parsePoolsFile(await readFile(path, "utf8"));
    return { pools: result.kind === "pools" ? result.pools : undefined };
  } catch {
    return { pools: undefined }; // none yet
  }
}

/** With defaults filled in, to compare. */
function parsed(document: unknown): unknown {
  const result = parsePoolsFile(JSON.stringify(document));
  return result.kind === "pools" ? result.pools : undefined;
}
