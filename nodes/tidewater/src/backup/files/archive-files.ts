import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { reasonOf } from "../../explain.ts";
import type { Progress } from "../../terminal/progress.ts";
import type { ArchiveWriter } from "../archive/archive-writer.ts";
import { CHUNK_BYTES, type Manifest } from "../archive/format.ts";
import { privateFile } from "../archive/key.ts";
import { fileFault } from "../errors.ts";
import { DATABASES, KEYS } from "./state-files.ts";

type ArchivedFile = Manifest["files"][number];

/** How long a node may hold a database while it writes, ms. */
const BUSY_MS = 10_000;

/** The databases and keys of a state directory, each database as it was at one moment, while nodes use it. @throws BackupError */
export async function archiveStateDir(
  stateDir: string,
  writer: ArchiveWriter,
  progress: Progress,
): Promise<ArchivedFile[]> {
  try {
    if (!statSync(stateDir).isDirectory()) throw fileFault(stateDir, "is no directory");
  } catch (cause) {
    throw fileFault(stateDir, reasonOf(cause), cause);
  }
  const names = DATABASES.filter((name) => existsSync(join(stateDir, name)));
  if (names.length === 0)
    throw fileFault(
      stateDir,
      `there is no database in it (${DATABASES.join(", ")}): is it a state directory?`,
    );
  const archived: ArchivedFile[] = [];
  // Beside the backup: where there is room for that, there is room for this.
  const folder = await mkdtemp(join(dirname(writer.path), ".copy-")).catch((cause: unknown) => {
    throw fileFault(dirname(writer.path), reasonOf(cause), cause);
  });
  try {
    for (const name of names) {
      const copy = join(folder, name);
      const tables = copyDatabase(join(stateDir, name), copy);
      const bytes = await archiveFile(copy, name, writer, progress);
      archived.push({ name, bytes, tables });
      await rm(copy);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  for (const name of KEYS) {
    const path = join(stateDir, name);
    if (existsSync(path)) archived.push(await archiveKey(path, name, writer));
  }
  return archived;
}

/** A secret that only its owner may read. @throws BackupError */
export async function archiveKey(path: string, name: string, writer: ArchiveWriter): Promise<ArchivedFile> {
  const secret = privateFile(path);
  await writer.add({ kind: "file", name });
  await writer.add({ kind: "bytes" }, secret);
  const sha256 = createHash("sha256").update(secret).digest("hex");
  await writer.add({ kind: "fileEnd", bytes: secret.length, sha256 });
  return { name, bytes: secret.length };
}

/** As it is at one moment; writers do not wait for it. Gives how many rows each table has. */
function copyDatabase(path: string, copy: string): { name: string; rows: number }[] {
  let source: DatabaseSync | undefined;
  let copied: DatabaseSync | undefined;
  try {
    source = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    source.prepare("VACUUM INTO ?").run(copy);
    copied = new DatabaseSync(copy, { readOnly: true });
    const problem = String(copied.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    if (problem !== "ok") throw new Error(`the database is damaged: ${problem}`);
    const tables = copied
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all();
    const database = copied;
    return tables.map((row) => {
      const name = String(row["name"]);
      const count = database.prepare(`SELECT count(*) AS n FROM "${name.replaceAll('"', '""')}"`).get();
      return { name, rows: Number(count?.["n"]) };
    });
  } catch (cause) {
    throw fileFault(path, reasonOf(cause), cause);
  } finally {
    source?.close();
    copied?.close();
  }
}

async function archiveFile(
  path: string,
  name: string,
  writer: ArchiveWriter,
  progress: Progress,
): Promise<number> {
  await writer.add({ kind: "file", name });
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const file = await open(path, "r");
  let bytes = 0;
  try {
    const { size } = await file.stat();
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      bytes += bytesRead;
      await writer.add({ kind: "bytes" }, piece);
      progress.say(`${name}, bytes`, bytes, size);
    }
  } finally {
    await file.close();
  }
  await writer.add({ kind: "fileEnd", bytes, sha256: hash.digest("hex") });
  return bytes;
}
