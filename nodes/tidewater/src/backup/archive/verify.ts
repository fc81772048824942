import { createHash, type Hash } from "node:crypto";
import type { Progress } from "../../terminal/progress.ts";
import { damaged } from "../errors.ts";
import { POOL_KEY } from "../files/state-files.ts";
import type { ArchiveReader } from "./archive-reader.ts";
import type { SchemaVersion, TableDefinition } from "./format.ts";

/** What a backup says about itself, once all of it has been read. */
export interface VerifiedArchive {
  readonly versions: readonly SchemaVersion[];
  readonly tables: readonly TableDefinition[];
  /** That of the subscribers in Cassandra. */
  readonly poolKey: Buffer | undefined;
}

/**
 * Reads all of a backup: every chunk is what was written, and what the manifest promises is there. Changes nothing.
 * @throws BackupError BACKUP_DAMAGED
 */
export async function verifyArchive(
  reader: ArchiveReader,
  key: Buffer,
  progress: Progress,
): Promise<VerifiedArchive> {
  const { path, manifest } = reader;
  const tables: TableDefinition[] = [];
  let versions: readonly SchemaVersion[] = [];
  let poolKey: Buffer | undefined;
  const sizes = new Map<string, number>();
  let current: { readonly name: string; readonly hash: Hash; bytes: number; small: Buffer[] } | undefined;
  let read = 0;
  for await (const { head, payload } of reader.chunks(key)) {
    read += payload.length;
    progress.say("checked, bytes", read);
    switch (head.kind) {
      case "schemas":
        versions = head.versions;
        break;
      case "table":
        tables.push(head.table);
        break;
      case "rows":
        break;
      case "file":
        current = { name: head.name, hash: createHash("sha256"), bytes: 0, small: [] };
        break;
      case "bytes":
        if (current === undefined) throw damaged(path, "octets of no file");
        current.hash.update(payload);
        current.bytes += payload.length;
        if (current.name === POOL_KEY) current.small.push(payload);
        break;
      case "fileEnd": {
        if (current === undefined) throw damaged(path, "the end of no file");
        const { name, hash, bytes, small } = current;
        if (bytes !== head.bytes || hash.digest("hex") !== head.sha256) throw damaged(path, name);
        if (name === POOL_KEY) poolKey = Buffer.concat(small);
        sizes.set(name, bytes);
        current = undefined;
        break;
      }
      case "manifest":
        break;
    }
  }
  for (const { name, bytes } of manifest.files) if (sizes.get(name) !== bytes) throw damaged(path, name);
  return { versions, tables, poolKey };
}
