import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../explain.ts";
import { ArchiveReader } from "./archive/archive-reader.ts";
import type { Manifest } from "./archive/format.ts";
import { BackupError, fileFault } from "./errors.ts";

/** A file of a folder of backups. */
export type Listed =
  | { readonly file: string; readonly bytes: number; readonly state: "whole"; readonly manifest: Manifest }
  | { readonly file: string; readonly bytes: number; readonly state: "unusable"; readonly problem: string };

/** The backups in a folder, the newest first; what is something else is left out. Looks at start and end of each only. */
export async function listBackups(folder: string): Promise<readonly Listed[]> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw fileFault(folder, reasonOf(cause), cause);
  }
  const listed: Listed[] = [];
  for (const name of names) {
    const path = join(folder, name);
    // What is being written begins with a dot.
    const status = name.startsWith(".") ? undefined : statSync(path, { throwIfNoEntry: false });
    if (status?.isFile() !== true) continue;
    const bytes = status.size;
    try {
      const reader = await ArchiveReader.open(path);
      await reader.close();
      listed.push({ file: name, bytes, state: "whole", manifest: reader.manifest });
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      if (error.detail.code === "BACKUP_FOREIGN" && !name.endsWith(".backup")) continue;
      listed.push({ file: name, bytes, state: "unusable", problem: error.message });
    }
  }
  const when = (one: Listed): string => (one.state === "whole" ? one.manifest.taken : "");
  return listed.sort((one, other) => (when(one) < when(other) ? 1 : -1));
}

/** "subscriber 2, simservs 1": tables that have rows. */
export function contentsOf({ cassandra, files }: Manifest): string {
  const tables = [...(cassandra?.tables ?? []), ...files.flatMap((file) => file.tables ?? [])];
  const said = tables.filter(({ rows }) => rows > 0).map(({ name, rows }) => `${name} ${rows}`);
  const keys = files.filter((file) => file.tables === undefined).length;
  if (keys > 0) said.push(keys === 1 ? "a key" : `${keys} keys`);
  return said.join(", ") || "nothing";
}
