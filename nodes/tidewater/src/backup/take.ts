import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../terminal/progress.ts";
import { ArchiveWriter } from "./archive/archive-writer.ts";
import type { Manifest } from "./archive/format.ts";
import { type KeySource, newArchiveKey, privateFile } from "./archive/key.ts";
import { archiveTables } from "./cassandra/archive-tables.ts";
import type { Ask } from "./cassandra/ask.ts";
import { opensPool } from "./cassandra/pool-key.ts";
import { fileFault } from "./errors.ts";
import { archiveKey, archiveStateDir } from "./files/archive-files.ts";
import { POOL_KEY } from "./files/state-files.ts";

export interface BackupRequest {
  /** A file that is not there yet, or a folder, where it gets a name by its time. */
  readonly to: string;
  readonly program: string;
  readonly key: KeySource;
  readonly stateDir: string | undefined;
  readonly cassandra: Ask | undefined;
  /** Of the subscribers in Cassandra; undefined: it is kept elsewhere. */
  readonly subscriberKeyFile: string | undefined;
}

export interface Backup {
  readonly path: string;
  readonly bytes: number;
  readonly manifest: Manifest;
}

/** Takes a backup while the nodes run. It is there whole or not at all. @throws BackupError */
export async function takeBackup(request: BackupRequest, progress: Progress): Promise<Backup> {
  const { program, cassandra, stateDir, subscriberKeyFile } = request;
  const taken = new Date().toISOString();
  const path = pathOf(request.to, taken);
  if (existsSync(path)) throw fileFault(path, "is there already: a backup is never written over");
  if (cassandra !== undefined && subscriberKeyFile !== undefined)
    await opensPool(cassandra, privateFile(subscriberKeyFile), subscriberKeyFile);
  const writer = await ArchiveWriter.create(path, { taken, program }, await newArchiveKey(request.key));
  try {
    const files: Manifest["files"] = [];
    if (stateDir !== undefined) files.push(...(await archiveStateDir(stateDir, writer, progress)));
    if (cassandra !== undefined && subscriberKeyFile !== undefined)
      files.push(await archiveKey(subscriberKeyFile, POOL_KEY, writer));
    const tables = cassandra === undefined ? undefined : await archiveTables(cassandra, writer, progress);
    const manifest: Manifest = {
      ...{ taken, finished: new Date().toISOString(), program, files },
      ...(tables === undefined ? {} : { cassandra: tables }),
    };
    await writer.finish(manifest);
    return { path, bytes: writer.bytes, manifest };
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    progress.end();
  }
}

function pathOf(to: string, taken: string): string {
  if (statSync(to, { throwIfNoEntry: false })?.isDirectory() !== true) return to;
  const name = `tidewater-${taken.replaceAll(/[-:]|\.[0-9]+/g, "")}`;
  for (let count = 1; ; count++) {
    const path = join(to, count === 1 ? `${name}.backup` : `${name}-${count}.backup`);
    if (!existsSync(path)) return path;
  }
}
