import { readFile, rm } from "node:fs/promises";
import { type Clock, type Logger, replaceFile, type Service } from "@ims/runtime";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import type { EtcdClient } from "../etcd/client.ts";
import { Follower } from "../etcd/follow.ts";
import { etcdClusterProblems } from "../problems.ts";
import { changeQueue, queueKey } from "../queue-manager/restart-agent.ts";
import { Turns } from "../turns.ts";
import { type ConfigDocument, configDocumentSchema, configKeys } from "./config-document.ts";

export interface ConfigWriterOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** shared_config of the nodes of this machine. */
  readonly path: string;
  /** The member of this machine, which is put into the restart queue of its pool when it must restart. */
  readonly member: { readonly pool: string; readonly name: string };
  /** Between two tries, ms. Default 1,000. */
  readonly everyMs?: number;
}

/** It may hold keys: for the group that nodes run in. */
const MODE = 0o640;
const HEADER = /^# configuration ([0-9]+)$/m;

/**
 * Keeps the shared_config of a machine as etcd has it, and queues its node for a restart when a change is for it. Before etcd has
 * told, while it is away and when nothing stands there, the file stays as it is.
 */
export class ConfigWriter implements Service {
  readonly #options: ConfigWriterOptions;
  readonly #follower: Follower;
  readonly #turns: Turns;
  #document: ConfigDocument | undefined;
  #complained = false;

  constructor(options: ConfigWriterOptions) {
    this.#options = options;
    const { client, clock, log, root, path } = options;
    const prefix = configKeys(root).current;
    this.#follower = new Follower({
      client,
      clock,
      log,
      prefix,
      onChange: (entries) => {
        const entry = entries.get(prefix);
        if (entry === undefined) return;
        const document = parseJson(entry.value, configDocumentSchema);
        if (document === undefined)
          log.warn(
            { key: prefix, problemId: etcdClusterProblems.documentUnreadable.id },
            "the configuration cannot be read; the last one stays",
          );
        this.#document = document ?? this.#document;
        this.#turns.soon();
      },
    });
    this.#turns = new Turns({
      clock,
      everyMs: options.everyMs ?? 1000,
      turn: () => this.#write(),
      onError: (err) => {
        if (!this.#complained)
          log.error(
            { err, path, problemId: etcdClusterProblems.fileUnwritten.id },
            "the shared configuration cannot be written; tried again",
          );
        this.#complained = true;
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

  async #write(): Promise<void> {
    const { log, path } = this.#options;
    const document = this.#document;
    if (document === undefined) return;
    const before = await textOf(path);
    const text = `# configuration ${document.number}\n# Written by etcd-cluster; change it with tidewater config.\n${document.text}`;
    if (before !== text) {
      // What a restart is owed for is noted before the file changes: a crash in between forgets nothing.
      if (before !== undefined && this.#concerns(document, before))
        await replaceFile(owed(path), `${document.number}\n`);
      await replaceFile(path, text, MODE);
      log.info({ path, number: document.number }, "shared configuration written");
    }
    this.#complained = false;
    if ((await textOf(owed(path))) !== undefined) await this.#queue();
  }

  /** A change that this member reads, or several at once of which any may be. */
  #concerns({ number, restart }: ConfigDocument, before: string): boolean {
    const last = Number(HEADER.exec(before)?.[1] ?? 0);
    return number !== last + 1 || restart.includes(this.#options.member.pool);
  }

  async #queue(): Promise<void> {
    const { client, clock, root, path, member } = this.#options;
    const key = queueKey(root, member.pool);
    const result = await changeQueue(client, key, { kind: "enqueue", names: [member.name] }, clock.now());
    if (result.kind === "changed" || result.kind === "unchanged") await rm(owed(path), { force: true });
  }
}

function owed(path: string): string {
  return `${path}.restart`;
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
