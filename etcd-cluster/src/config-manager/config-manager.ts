import type { Clock } from "@ims/runtime";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import type { EtcdClient } from "../etcd/client.ts";
import type { Unavailable } from "../etcd/errors.ts";
import { type ChangeOutcome, type ConfigChange, changesBetween } from "./config-change.ts";
import { type ConfigReader, checkConfig, type KeyReaders, keyReaders } from "./config-check.ts";
import { type ConfigDocument, configDocumentSchema, configKeys, documentOf } from "./config-document.ts";
import { type SettingChange, writeSettings } from "./settings.ts";

export interface ConfigManagerOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly root: string;
  /** All kinds of node that read it: their schemas say what is valid. */
  readonly nodes: readonly ConfigReader[];
  /** States that are kept. Default 100. */
  readonly keep?: number;
}

/** Damaged, or of a later release. */
type Unreadable = { readonly kind: "unreadable"; readonly key: string };
export type ConfigResult =
  | { readonly kind: "config"; readonly document: ConfigDocument }
  | { readonly kind: "none" }
  | Unreadable
  | Unavailable;
export type ApplyResult =
  | ChangeOutcome
  | Unreadable
  /** No quorum: refused. With `maybeDone` look with `show`. */
  | Unavailable;

/** The configuration that all nodes share: checked, compared, changed all at once or not at all, and taken back. */
export class ConfigManager {
  readonly #options: ConfigManagerOptions;
  readonly #keys: ReturnType<typeof configKeys>;
  readonly #readers: KeyReaders;

  constructor(options: ConfigManagerOptions) {
    this.#options = options;
    this.#readers = keyReaders(options.nodes);
    this.#keys = configKeys(options.root);
  }

  /** The state in force. */
  async show(): Promise<ConfigResult> {
    return this.#read(this.#keys.current);
  }

  /** The states that are kept, the newest first. Those that cannot be read are left out. */
  async history(): Promise<
    { readonly kind: "history"; readonly documents: readonly ConfigDocument[] } | Unavailable
  > {
    const found = await this.#options.client.range({ prefix: this.#keys.history });
    if (found.kind === "unavailable") return found;
    const documents = found.entries
      .flatMap(({ value }) => parseJson(value, configDocumentSchema) ?? [])
      .reverse();
    return { kind: "history", documents };
  }

  /** What `apply` would change; secrets do not show. */
  async diff(
    text: string,
  ): Promise<
    Exclude<ApplyResult, { kind: "applied" }> | { kind: "changes"; changes: readonly SettingChange[] }
  > {
    const check = checkConfig(text, this.#options.nodes);
    if (check.kind === "invalid") return check;
    const now = await this.show();
    if (now.kind === "unavailable" || now.kind === "unreadable") return now;
    const changes = changesBetween(textOf(now), text, this.#options.nodes);
    if (changes.length === 0 && now.kind === "config") return { kind: "unchanged", document: now.document };
    return { kind: "changes", changes };
  }

  async apply({ text, author, comment = "", on }: ConfigChange): Promise<ApplyResult> {
    const { client, clock, nodes, keep = 100 } = this.#options;
    const check = checkConfig(text, nodes);
    if (check.kind === "invalid") return check;
    const found = await client.range({ key: this.#keys.current });
    if (found.kind === "unavailable") return found;
    const [entry] = found.entries;
    const now = read(this.#keys.current, entry?.value);
    if (now.kind === "unreadable") return now;
    const last = now.kind === "config" ? now.document.number : 0;
    if (on !== undefined && on !== last) return { kind: "contention", number: last };
    const changes = changesBetween(textOf(now), text, nodes);
    if (changes.length === 0 && now.kind === "config") return { kind: "unchanged", document: now.document };
    const document = documentOf(
      { number: last + 1, at: clock.now(), author, comment, text: writeSettings(check.settings) },
      { readers: this.#readers, changed: changes.map(({ key }) => key) },
    );
    const value = JSON.stringify(configDocumentSchema.parse(document));
    const key = this.#keys.current;
    const result = await client.transact({
      when: [entry === undefined ? { key, is: "absent" } : { key, is: "at", revision: entry.revision }],
      run: [
        { do: "put", key, value },
        { do: "put", key: this.#keys.entry(document.number), value },
        ...(document.number > keep
          ? [{ do: "delete", range: { key: this.#keys.entry(document.number - keep) } } as const]
          : []),
      ],
    });
    if (result.kind === "unavailable") return result;
    if (result.kind === "done" && result.held) return { kind: "applied", document, changes };
    return { kind: "contention", number: last + 1 };
  }

  /** Takes an earlier state up again, as a new one: it is checked like any other. */
  async rollback(change: {
    readonly to: number;
    readonly author: string;
    readonly on?: number;
  }): Promise<ApplyResult> {
    const { to, author, on } = change;
    const old = await this.#read(this.#keys.entry(to));
    if (old.kind !== "config") return old;
    const { text } = old.document;
    return this.apply({ text, author, comment: `back to ${to}`, ...(on === undefined ? {} : { on }) });
  }

  async #read(key: string): Promise<ConfigResult> {
    const found = await this.#options.client.range({ key });
    return found.kind === "unavailable" ? found : read(key, found.entries[0]?.value);
  }
}

function read(key: string, value: string | undefined): Exclude<ConfigResult, Unavailable> {
  if (value === undefined) return { kind: "none" };
  const document = parseJson(value, configDocumentSchema);
  return document === undefined ? { kind: "unreadable", key } : { kind: "config", document };
}

function textOf(now: ConfigResult): string {
  return now.kind === "config" ? now.document.text : "";
}
