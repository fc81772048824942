import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { ArchiveReader } from "../../src/backup/archive/archive-reader.ts";
import type { KeySource } from "../../src/backup/archive/key.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { takeBackup } from "../../src/backup/take.ts";

export const silent = { say: () => undefined, end: () => undefined };
export const KEY: KeySource = { by: "keyFile", secret: Buffer.alloc(32, 7) };

/** A folder of this test. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "backup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A state directory in use: its databases are open, and what was written last stands in their write-ahead logs. */
export function stateIn(t: TestContext, folder: string, subscribers = 200): { dir: string; close(): void } {
  const dir = join(folder, "state");
  mkdirSync(dir, { mode: 0o700 });
  const open = (name: string, schema: string): DatabaseSync => {
    const database = new DatabaseSync(join(dir, name));
    database.exec(`PRAGMA journal_mode = WAL; ${schema}; PRAGMA user_version = 3`);
    return database;
  };
  const hss = open(
    "subscribers.db",
    "CREATE TABLE subscriber (impi TEXT PRIMARY KEY, credentials BLOB, sqn INTEGER) WITHOUT ROWID",
  );
  const insert = hss.prepare("INSERT INTO subscriber VALUES (?, ?, ?)");
  for (let number = 0; number < subscribers; number++)
    insert.run(`user${number}@example.com`, randomBytes(200), number);
  const simservs = open("simservs.db", "CREATE TABLE simservs (canonical TEXT PRIMARY KEY, document TEXT)");
  simservs.prepare("INSERT INTO simservs VALUES (?, ?)").run("sip:user1@example.com", "<simservs/>");
  writeFileSync(join(dir, "subscribers.key"), Buffer.alloc(32, 9), { mode: 0o600 });
  // Not ours to keep.
  writeFileSync(join(dir, "pools.json"), "{}");
  const close = (): void => {
    for (const each of [hss, simservs]) if (each.isOpen) each.close();
  };
  t.after(close);
  return { dir, close };
}

/** All that is in the databases and keys of a state directory. */
export function contentsOf(dir: string): unknown {
  const rows = (name: string, table: string): unknown => {
    const database = new DatabaseSync(join(dir, name), { readOnly: true });
    try {
      return [
        database.prepare(`SELECT * FROM ${table} ORDER BY 1`).all(),
        database.prepare("PRAGMA user_version").get(),
      ];
    } finally {
      database.close();
    }
  };
  return [rows("subscribers.db", "subscriber"), rows("simservs.db", "simservs")];
}

export async function take(stateDir: string, to: string, key: KeySource = KEY): Promise<string> {
  const request = { to, program: "test", key, stateDir };
  return (await takeBackup({ ...request, cassandra: undefined, subscriberKeyFile: undefined }, silent)).path;
}

export async function restore(
  file: string,
  stateDir: string,
  { replace = false, key = KEY }: { readonly replace?: boolean; readonly key?: KeySource } = {},
): Promise<Awaited<ReturnType<typeof restoreBackup>>> {
  const reader = await ArchiveReader.open(file);
  try {
    await reader.checkDigest();
    return await restoreBackup(
      {
        ...{ reader, key: await reader.unlock(key), stateDir, replace },
        ...{ cassandra: undefined, subscriberKeyFile: undefined },
      },
      silent,
    );
  } finally {
    await reader.close();
  }
}

export const namesIn = (folder: string): string[] => readdirSync(folder).sort();
