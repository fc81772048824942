import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Clock, replaceFile } from "@ims/runtime";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import { type ChangeOutcome, type ConfigChange, changesBetween } from "./config-change.ts";
import { type ConfigReader, checkConfig, type KeyReaders, keyReaders } from "./config-check.ts";
import { type ConfigDocument, configDocumentSchema, documentOf } from "./config-document.ts";
import { fileLock } from "./file-lock.ts";
import type { SettingChange } from "./settings.ts";

export interface FileConfigOptions {
  readonly path: string;
  readonly clock: Clock;
  /** All kinds of node that read it: their schemas say what is valid. */
  readonly nodes: readonly ConfigReader[];
  /** States that are kept. Default 100. */
  readonly keep?: number;
}

/** A state of the file; `recorded` false: somebody has edited it by hand since. */
export interface FileState {
  readonly document: ConfigDocument;
  readonly recorded: boolean;
}

export type FileApplyResult =
  | ChangeOutcome
  /** Somebody else is changing it at this moment. */
  | { readonly kind: "busy"; readonly pid: number }
  /** etcd-cluster writes this file: changed here it would be overwritten. */
  | { readonly kind: "foreign" };

const HEADER = /^# configuration ([0-9]{1,9})\n# Written by (etcd-cluster|tidewater config)[^\n]*\n/;
const MODE = 0o640;
/** More than any valid text has. */
const MAX_BYTES = 1_048_576;

/**
 * The configuration in one file: checked, compared, changed all at once or not at all, and taken back. What stood in it is kept beside
 * it, in `<path>.history`. Methods reject with what the file system says.
 */
export class FileConfig {
  readonly #options: FileConfigOptions;
  readonly #path: string;
  readonly #folder: string;
  readonly #readers: KeyReaders;

  constructor(options: FileConfigOptions) {
    this.#options = options;
    this.#readers = keyReaders(options.nodes);
    this.#path = resolve(options.path);
    this.#folder = `${this.#path}.history`;
  }

  /** The state in force; undefined: there is no file. */
  async show(): Promise<FileState | undefined> {
    const found = await this.#read();
    if (found === undefined) return undefined;
    const { number: written, text, at } = found;
    const kept = written === undefined ? undefined : await this.#entry(written);
    if (kept !== undefined && kept.text === text) return { document: kept, recorded: true };
    const number = (written ?? (await this.#numbers()).at(-1) ?? 0) + 1;
    const state = { number, at, author: "", comment: "edited by hand", text };
    return { document: documentOf(state, { readers: this.#readers, changed: [] }), recorded: false };
  }

  /** Whether etcd-cluster writes the file. */
  async isForeign(): Promise<boolean> {
    return (await this.#read())?.writer === "etcd-cluster";
  }

  /** The states that are kept, the newest first. */
  async history(): Promise<readonly ConfigDocument[]> {
    const now = await this.show();
    const last = now?.document.number ?? Number.POSITIVE_INFINITY;
    const numbers = (await this.#numbers()).filter((number) => number <= last);
    const documents: ConfigDocument[] = now === undefined || now.recorded ? [] : [now.document];
    for (const number of numbers.reverse()) {
      const document = await this.#entry(number);
      if (document !== undefined && document.number !== documents[0]?.number) documents.push(document);
    }
    return documents;
  }

  /** What `apply` would change; secrets do not show. */
  async diff(
    text: string,
  ): Promise<
    | Exclude<FileApplyResult, { readonly kind: "applied" }>
    | { readonly kind: "changes"; readonly changes: readonly SettingChange[] }
  > {
    const check = checkConfig(text, this.#options.nodes);
    if (check.kind === "invalid") return check;
    const now = await this.show();
    const changes = changesBetween(now?.document.text ?? "", text, this.#options.nodes);
    if (changes.length === 0 && now !== undefined) return { kind: "unchanged", document: now.document };
    return { kind: "changes", changes };
  }

  async apply(change: ConfigChange): Promise<FileApplyResult> {
    const check = checkConfig(change.text, this.#options.nodes);
    if (check.kind === "invalid") return check;
    // A copy of the file itself, edited.
    const text = change.text.replace(HEADER, "");
    const seen = (await this.show())?.document.number ?? 0;
    const lock = await fileLock(`${this.#path}.lock`);
    if (lock.kind === "busy") return lock;
    try {
      return await this.#write({ ...change, text }, change.on ?? seen);
    } finally {
      await lock.release();
    }
  }

  /** Takes an earlier state up again, as a new one: it is checked like any other. */
  async rollback(change: {
    readonly to: number;
    readonly author: string;
    readonly on?: number;
  }): Promise<FileApplyResult> {
    const { to, author, on } = change;
    const old = (await this.history()).find(({ number }) => number === to);
    if (old === undefined) return { kind: "none" };
    return this.apply({
      text: old.text,
      author,
      comment: `back to ${to}`,
      ...(on === undefined ? {} : { on }),
    });
  }

  async #write({ text, author, comment = "" }: ConfigChange, on: number): Promise<FileApplyResult> {
    const { clock, nodes, keep = 100 } = this.#options;
    if (await this.isForeign()) return { kind: "foreign" };
    const now = await this.show();
    const last = now?.document.number ?? 0;
    if (last !== on) return { kind: "contention", number: last };
    const before = now?.document.text ?? "";
    if (now !== undefined && before === text) return { kind: "unchanged", document: now.document };
    const changes = changesBetween(before, text, nodes);
    const document = documentOf(
      { number: last + 1, at: clock.now(), author, comment, text },
      { readers: this.#readers, changed: changes.map(({ key }) => key) },
    );
    await mkdir(this.#folder, { recursive: true, mode: 0o750 });
    if (now !== undefined && !now.recorded) await this.#keep(now.document);
    // Before the file: what is in force can always be taken up again. An entry beyond the file's number does not count.
    await this.#keep(document);
    const owner = await stat(this.#path).catch(() => undefined);
    const head = `# configuration ${document.number}\n# Written by tidewater config: change it with that, or by hand.\n`;
    await replaceFile(this.#path, head + text, owner === undefined ? MODE : owner.mode & 0o777, owner);
    await this.#forget(document.number - keep);
    return { kind: "applied", document, changes };
  }

  async #read(): Promise<
    | {
        readonly number: number | undefined;
        readonly writer: string | undefined;
        readonly text: string;
        readonly at: number;
      }
    | undefined
  > {
    try {
      const { size, mtimeMs } = await stat(this.#path);
      if (size > MAX_BYTES)
        throw new Error(`${this.#path}: larger than ${MAX_BYTES} bytes: no configuration`);
      const content = await readFile(this.#path, "utf8");
      const [head = "", number, writer] = HEADER.exec(content) ?? [];
      return {
        number: number === undefined ? undefined : Number(number),
        writer,
        text: content.slice(head.length),
        at: Math.round(mtimeMs),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #entry(number: number): Promise<ConfigDocument | undefined> {
    try {
      return parseJson(await readFile(this.#place(number), "utf8"), configDocumentSchema);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #keep(document: ConfigDocument): Promise<void> {
    const value = `${JSON.stringify(configDocumentSchema.parse(document), undefined, 2)}\n`;
    await replaceFile(this.#place(document.number), value, MODE);
  }

  async #forget(upTo: number): Promise<void> {
    for (const number of await this.#numbers())
      if (number <= upTo) await rm(this.#place(number), { force: true });
  }

  async #numbers(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names
      .flatMap((name) => (/^[0-9]{10}\.json$/.test(name) ? [Number(name.slice(0, 10))] : []))
      .sort((one, other) => one - other);
  }

  #place(number: number): string {
    return join(this.#folder, `${String(number).padStart(10, "0")}.json`);
  }
}
