import { createHash, type Hash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "@ims/runtime";
import { reasonOf } from "../../explain.ts";
import type { Chunk } from "../archive/format.ts";
import { BackupError, fileFault } from "../errors.ts";
import { isDatabase } from "./state-files.ts";

/** Of a database: what SQLite leaves beside it. */
const COMPANIONS = ["-wal", "-shm", "-journal"];

/** Where a file of a backup goes. */
export interface Destination {
  /** Tells restores into one folder apart. */
  readonly what: string;
  readonly folder: string;
  /** By the name in the backup; others are not restored. */
  readonly paths: ReadonlyMap<string, string>;
}

/**
 * Files of a backup on their way to a folder: whole and on disk beside their places first, then moved to them one after the other.
 * Interrupted, the same restore again goes on.
 */
export class FileRestore {
  readonly #destination: Destination;
  readonly #waiting: string;
  readonly #aside: string;
  readonly #replace: boolean;
  readonly #resumed: boolean;
  /** By name: where it waits. */
  readonly #ready = new Map<string, string>();
  #current:
    | { readonly name: string; readonly file: FileHandle; readonly hash: Hash; bytes: number }
    | undefined;

  private constructor(destination: Destination, backup: string, replace: boolean) {
    const { folder } = destination;
    this.#destination = destination;
    this.#waiting = join(folder, `.restore-${backup}-${destination.what}`);
    this.#aside = join(folder, `before-restore-${backup}`);
    this.#replace = replace;
    this.#resumed = existsSync(this.#waiting);
  }

  /**
   * @throws BackupError BACKUP_FILE when files are there already and `replace` is not given, or a node uses them; then nothing has
   * been changed.
   */
  static async begin(destination: Destination, backup: string, replace: boolean): Promise<FileRestore> {
    const { folder, paths } = destination;
    try {
      makeFolder(folder);
    } catch (cause) {
      throw fileFault(folder, reasonOf(cause), cause);
    }
    const restore = new FileRestore(destination, backup, replace);
    const there = [...paths.values()].filter((path) => existsSync(path));
    if (there.length > 0 && !replace && !restore.#resumed)
      throw fileFault(
        folder,
        `is not empty (${there.map((path) => basename(path)).join(", ")}): give --replace to put what is there aside`,
      );
    for (const path of there) if (isDatabase(path)) refuseInUse(path);
    await mkdir(restore.#waiting, { recursive: true, mode: 0o700 });
    return restore;
  }

  /** Chunks of files, in their order. @throws BackupError BACKUP_FILE, on a full disk for one */
  async take({ head, payload }: Chunk): Promise<void> {
    try {
      if (head.kind === "file") await this.#open(head.name);
      else if (head.kind === "bytes") await this.#append(payload);
      else if (head.kind === "fileEnd") await this.#close(head.bytes, head.sha256);
    } catch (cause) {
      if (cause instanceof BackupError) throw cause;
      throw fileFault(this.#waiting, reasonOf(cause), cause);
    }
  }

  /** Moves the files to their places; what was there is put aside. Gives where, when there was something. */
  async end(): Promise<string | undefined> {
    let aside: string | undefined;
    try {
      for (const [name, from] of this.#ready) {
        const to = this.#destination.paths.get(name);
        if (to === undefined) continue;
        for (const old of [to, ...COMPANIONS.map((end) => to + end)]) {
          if (!existsSync(old)) continue;
          if (!this.#replace && !this.#resumed)
            throw fileFault(old, "has appeared meanwhile: does a node run?");
          await mkdir(this.#aside, { recursive: true, mode: 0o700 });
          await rename(old, freeName(join(this.#aside, basename(old))));
          aside = this.#aside;
        }
        await rename(from, to);
      }
      await syncFolder(this.#destination.folder);
      await rm(this.#waiting, { recursive: true, force: true });
    } catch (cause) {
      if (cause instanceof BackupError) throw cause;
      throw fileFault(this.#destination.folder, reasonOf(cause), cause);
    }
    return aside;
  }

  /** What was begun is left for the next try; nothing has got its name. */
  async abandon(): Promise<void> {
    await this.#current?.file.close().catch(() => undefined);
    // Without a whole file there is nothing to go on with.
    const left = await readdir(this.#waiting).catch(() => []);
    if (left.length === 0) await rm(this.#waiting, { recursive: true, force: true });
  }

  async #open(name: string): Promise<void> {
    this.#current = undefined;
    if (!this.#destination.paths.has(name)) return;
    const file = await open(join(this.#waiting, name), "w", 0o600);
    this.#current = { name, file, hash: createHash("sha256"), bytes: 0 };
  }

  async #append(payload: Buffer): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    try {
      await current.file.appendFile(payload);
    } catch (cause) {
      await current.file.close().catch(() => undefined);
      await rm(join(this.#waiting, current.name), { force: true });
      this.#current = undefined;
      throw cause;
    }
    current.hash.update(payload);
    current.bytes += payload.length;
  }

  async #close(bytes: number, sha256: string): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    await current.file.sync();
    await current.file.close();
    const path = join(this.#waiting, current.name);
    if (current.bytes !== bytes || current.hash.digest("hex") !== sha256)
      throw fileFault(path, "is not as it was archived");
    this.#ready.set(current.name, path);
  }
}

/** Leaving the write-ahead log is possible only for who is alone with a database. */
function refuseInUse(path: string): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA journal_mode = DELETE");
  } catch (cause) {
    if (/locked|busy/i.test(reasonOf(cause)))
      throw fileFault(path, "is in use: stop the nodes of this state directory first", cause);
    // What is damaged is put aside.
  } finally {
    database?.close();
  }
}

function freeName(path: string): string {
  for (let count = 0; ; count++) {
    const name = count === 0 ? path : `${path}.${count}`;
    if (!existsSync(name)) return name;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}

/** One file of a backup, at a place of its own. */
export function singleFile(name: string, path: string): Destination {
  return { what: "key", folder: dirname(resolve(path)), paths: new Map([[name, resolve(path)]]) };
}

/** Files of a backup in a state directory. */
export function stateDirectory(folder: string, names: readonly string[]): Destination {
  return { what: "state", folder, paths: new Map(names.map((name) => [name, join(folder, name)])) };
}
