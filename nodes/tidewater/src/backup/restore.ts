import { existsSync } from "node:fs";
import type { Progress } from "../terminal/progress.ts";
import type { ArchiveReader } from "./archive/archive-reader.ts";
import { privateFile } from "./archive/key.ts";
import { verifyArchive } from "./archive/verify.ts";
import type { Ask } from "./cassandra/ask.ts";
import { KeyspaceRestore } from "./cassandra/restore-tables.ts";
import { fileFault, storeFault } from "./errors.ts";
import { FileRestore, singleFile, stateDirectory } from "./files/restore-files.ts";
import { POOL_KEY } from "./files/state-files.ts";

export interface RestoreRequest {
  readonly reader: ArchiveReader;
  readonly key: Buffer;
  readonly stateDir: string | undefined;
  /** Opened when the backup has been read: that may make the keyspace. */
  readonly cassandra: (() => Promise<Ask>) | undefined;
  readonly subscriberKeyFile: string | undefined;
  readonly replace: boolean;
}

export interface Restored {
  readonly rows: number;
  /** Their time was over. */
  readonly expired: number;
  readonly files: readonly string[];
  /** Folders with what was there before. */
  readonly putAside: readonly string[];
  /** Chunks that a restore before this one had brought in. */
  readonly resumedAfter: number;
}

/**
 * Brings a backup back. All of it is read and proven before anything is changed. Interrupted, the same command goes on.
 * @throws BackupError
 */
export async function restoreBackup(request: RestoreRequest, progress: Progress): Promise<Restored> {
  const { reader, key, stateDir, replace } = request;
  checkPlaces(request);
  const restores: FileRestore[] = [];
  try {
    const verified = await verifyArchive(reader, key, progress);
    checkKey(request, verified.poolKey);
    const poolKeyFile = keyToWrite(request, verified.poolKey);
    const names = reader.manifest.files.map(({ name }) => name).filter((name) => name !== POOL_KEY);
    if (stateDir !== undefined && names.length > 0)
      restores.push(await FileRestore.begin(stateDirectory(stateDir, names), reader.id, replace));
    if (poolKeyFile !== undefined)
      restores.push(await FileRestore.begin(singleFile(POOL_KEY, poolKeyFile), reader.id, replace));
    const ask = reader.manifest.cassandra === undefined ? undefined : await request.cassandra?.();
    const keyspace = ask && (await KeyspaceRestore.begin(ask, reader.id, verified, replace));
    const loaded = await load(reader, key, keyspace, restores, progress);
    const putAside: string[] = [];
    for (const each of restores) {
      const aside = await each.end();
      if (aside !== undefined) putAside.push(aside);
    }
    await keyspace?.end();
    return { ...loaded, files: [...names, ...(poolKeyFile === undefined ? [] : [POOL_KEY])], putAside };
  } catch (error) {
    for (const each of restores) await each.abandon();
    throw error;
  } finally {
    progress.end();
  }
}

async function load(
  reader: ArchiveReader,
  key: Buffer,
  keyspace: KeyspaceRestore | undefined,
  restores: readonly FileRestore[],
  progress: Progress,
): Promise<Pick<Restored, "rows" | "expired" | "resumedAfter">> {
  const loader = keyspace?.loader();
  const done = keyspace?.done ?? 0;
  const total = reader.manifest.cassandra?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
  let rows = 0;
  let expired = 0;
  let index = 0;
  for await (const chunk of reader.chunks(key)) {
    index++;
    for (const each of restores) await each.take(chunk);
    const { head, payload } = chunk;
    if (loader === undefined || head.kind !== "rows" || index <= done) continue;
    const loaded = await loader.load(head.table, payload, head.again);
    rows += loaded.written;
    expired += loaded.expired;
    progress.say("restored, rows", rows + expired, total);
    await keyspace?.reached(index);
  }
  return { rows, expired, resumedAfter: done };
}

/** Every part of the backup has a place to go to. */
function checkPlaces({ reader, stateDir, cassandra, subscriberKeyFile }: RestoreRequest): void {
  const { manifest, path } = reader;
  const names = manifest.files.map(({ name }) => name);
  const stateFiles = names.filter((name) => name !== POOL_KEY);
  if (stateFiles.length > 0 && stateDir === undefined)
    throw fileFault(path, `holds files of a state directory (${stateFiles.join(", ")}): give --state-dir`);
  if (manifest.cassandra !== undefined && cassandra === undefined)
    throw fileFault(path, "holds tables of Cassandra: give --cassandra");
  if (names.includes(POOL_KEY) && subscriberKeyFile === undefined)
    throw fileFault(path, "holds the key of the subscribers in Cassandra: give --subscriber-key-file");
  if (manifest.cassandra === undefined && cassandra !== undefined)
    throw storeFault("--cassandra", `there are no tables of Cassandra in ${path}`);
  if (stateFiles.length === 0 && stateDir !== undefined)
    throw fileFault(stateDir, `--state-dir: there are no files of a state directory in ${path}`);
}

/** Another key that is there is in use by somebody. */
function checkKey({ subscriberKeyFile: file, replace }: RestoreRequest, key: Buffer | undefined): void {
  if (
    file === undefined ||
    key === undefined ||
    replace ||
    !existsSync(file) ||
    privateFile(file).equals(key)
  )
    return;
  throw fileFault(
    file,
    "is another key than that of the subscribers in the backup: give --replace to put it aside, or another --subscriber-key-file",
  );
}

/** Where the key has to be written; undefined: it is there, or there is none. */
function keyToWrite(
  { subscriberKeyFile: file }: RestoreRequest,
  key: Buffer | undefined,
): string | undefined {
  if (file === undefined || key === undefined) return undefined;
  return existsSync(file) && privateFile(file).equals(key) ? undefined : file;
}
