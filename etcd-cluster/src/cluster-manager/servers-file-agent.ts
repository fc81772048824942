import { readFile } from "node:fs/promises";
import type { Clock, Logger, Service } from "@ims/runtime";
import { replaceFile } from "@ims/runtime";
import { parseServers } from "@ims/store";
import type { EtcdClient } from "../etcd/client.ts";
import { Follower } from "../etcd/follow.ts";
import { etcdClusterProblems } from "../problems.ts";
import { Turns } from "../turns.ts";
import { type ClusterDocument, type ServerLists, serverLists } from "./cluster-document.ts";
import { clusterKeys } from "./cluster-keys.ts";
import { readCluster } from "./cluster-view.ts";

/** The node of this machine that works with the servers file. */
export interface ServersFileReader {
  /** What it has made of the file as it is now. Never rejects. */
  look(lists: ServerLists): Promise<"unread" | "read" | "synchronized">;
}

export interface ServersFileAgentOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  readonly cluster?: string;
  /** Of the node that uses the cluster: sprout-1. */
  readonly name: string;
  /** The servers file that it reads. */
  readonly path: string;
  readonly reader: ServersFileReader;
  /** That its registration is bound to: a user that is gone need not confirm. */
  readonly lease: () => string | undefined;
  /** Between two looks at the reader, ms. Default 500. */
  readonly everyMs?: number;
}

/** Writes the servers file as the cluster's document has it, and reports what the node has made of it. */
export class ServersFileAgent implements Service {
  readonly #options: ServersFileAgentOptions;
  readonly #keys: ReturnType<typeof clusterKeys>;
  readonly #follower: Follower;
  #document: ClusterDocument | undefined;
  #complained = 0;
  /** Report and lease as last written. */
  #reported = "";
  readonly #turns: Turns;

  constructor(options: ServersFileAgentOptions) {
    this.#options = options;
    const { client, clock, log, root, cluster = "memcached" } = options;
    this.#keys = clusterKeys(root, cluster);
    this.#turns = new Turns({
      clock,
      everyMs: options.everyMs ?? 500,
      turn: () => this.#follow(),
      onError: (err) => {
        if (this.#complained++ === 0)
          log.error(
            { err, path: options.path, problemId: etcdClusterProblems.fileUnwritten.id },
            "the servers file cannot be kept; tried again",
          );
      },
    });
    this.#follower = new Follower({
      client,
      clock,
      log,
      prefix: this.#keys.prefix,
      onChange: (entries) => {
        // One that is lost or cannot be read changes no file.
        this.#document = readCluster(entries, this.#keys) ?? this.#document;
        if (!entries.has(this.#keys.user(options.name))) this.#reported = "";
        this.#turns.soon();
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
    await this.#follower.stop();
    await this.#turns.ended();
  }

  async #follow(): Promise<void> {
    const { reader, path, log } = this.#options;
    const document = this.#document;
    if (document === undefined) return;
    const lists = serverLists(document);
    const text = serversFile(lists);
    if ((await readFile(path, "utf8").catch(() => "")) !== text) {
      await replaceFile(path, text);
      log.info({ path, step: document.step, ...lists }, "servers file written");
    }
    this.#complained = 0;
    const made = await reader.look(lists);
    // `read` counts for the step: both lists are used, entries are on their way.
    if (made !== "unread") await this.#report(document.step, made === "synchronized");
  }

  async #report(step: number, synchronized: boolean): Promise<void> {
    const { client, name } = this.#options;
    const lease = this.#options.lease();
    if (lease === undefined) return;
    const value = JSON.stringify({ step, synchronized });
    if (this.#reported === value + lease) return;
    const result = await client.put(this.#keys.user(name), value, { lease });
    this.#reported = result.kind === "stored" ? value + lease : "";
  }
}

/** @throws StoreError for what is no list of servers: the nodes could not read it either. */
function serversFile({ servers, next }: ServerLists): string {
  for (const list of next === undefined ? [servers] : [servers, next]) parseServers(list.join(","));
  return `${JSON.stringify({ version: 1, servers, ...(next === undefined ? {} : { next }) })}\n`;
}
