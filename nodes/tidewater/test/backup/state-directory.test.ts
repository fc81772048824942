import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { BackupError } from "../../src/backup/errors.ts";
import { contentsOf, folderOf, namesIn, restore, stateIn, take } from "./state-under-test.ts";

const refused = (code: string, says: RegExp) => (error: unknown) =>
  error instanceof BackupError && error.detail.code === code && says.test(error.message);

test("a state directory is backed up while it is written to, lost, and restored as it was", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder);
  const before = contentsOf(dir);
  // Somebody else is in the middle of a write: it is in the backup whole or not at all.
  const writer = new DatabaseSync(join(dir, "subscribers.db"));
  writer.exec("BEGIN IMMEDIATE; UPDATE subscriber SET sqn = -1");
  const file = await take(dir, folder);
  writer.exec("COMMIT");
  writer.close();
  close();
  rmSync(dir, { recursive: true });

  const restored = await restore(file, dir);
  assert.deepEqual(restored.files, ["subscribers.db", "simservs.db", "subscribers.key"]);
  assert.deepEqual(contentsOf(dir), before);
  assert.deepEqual(readFileSync(join(dir, "subscribers.key")), Buffer.alloc(32, 9));
  assert.deepEqual(namesIn(dir), ["simservs.db", "subscribers.db", "subscribers.key"]);
  for (const name of namesIn(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("a restore is refused where something is, and with --replace puts it aside", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder);
  const before = contentsOf(dir);
  const file = await take(dir, folder);
  await assert.rejects(
    restore(file, dir),
    refused("BACKUP_FILE", /is not empty \(subscribers\.db, .*--replace/),
  );
  await assert.rejects(
    restore(file, dir, { replace: true }),
    refused("BACKUP_FILE", /in use: stop the nodes/),
  );
  close();
  const changed = new DatabaseSync(join(dir, "subscribers.db"));
  changed.exec("DELETE FROM subscriber");
  changed.close();
  const emptied = contentsOf(dir);

  const { putAside } = await restore(file, dir, { replace: true });
  assert.deepEqual(contentsOf(dir), before);
  assert.equal(putAside.length, 1);
  assert.deepEqual(contentsOf(putAside[0] ?? ""), emptied);
  assert.deepEqual(
    namesIn(putAside[0] ?? "").filter((name) => name.endsWith(".key")),
    ["subscribers.key"],
  );
});

test("a restore that was interrupted goes on, also in the middle of moving files", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder);
  const before = contentsOf(dir);
  const file = await take(dir, folder);
  const copy = join(folder, "copy");
  close();
  rmSync(dir, { recursive: true });
  await restore(file, copy);
  // As it looks when the first file has its name and the second one has not.
  mkdirSync(dir);
  const id = (await import("../../src/backup/archive/archive-reader.ts")).ArchiveReader;
  const reader = await id.open(file);
  await reader.close();
  mkdirSync(join(dir, `.restore-${reader.id}-state`));
  writeFileSync(join(dir, `.restore-${reader.id}-state`, "simservs.db"), "half of it");
  writeFileSync(join(dir, "subscribers.db"), readFileSync(join(copy, "subscribers.db")));

  await restore(file, dir);
  assert.deepEqual(contentsOf(dir), before);
  assert.deepEqual(
    namesIn(dir).filter((name) => name.startsWith(".")),
    [],
  );
});

test("a folder takes a backup under its time, one that is there is never written over, and nothing else is left", async (t) => {
  const folder = folderOf(t);
  const { dir } = stateIn(t, folder);
  const to = mkdtempSync(join(folder, "backups-"));
  const file = await take(dir, to);
  assert.match(file, /\/tidewater-\d{8}T\d{6}Z\.backup$/);
  await assert.rejects(take(dir, file), refused("BACKUP_FILE", /there already/));
  assert.equal(namesIn(to).length, 1);
  await assert.rejects(take(join(folder, "nothing"), to), refused("BACKUP_FILE", /no such file/));
  await assert.rejects(take(to, to), refused("BACKUP_FILE", /is it a state directory/));
  await assert.rejects(take(dir, join(folder, "nowhere", "x")), refused("BACKUP_FILE", /no such file/));
  assert.equal(namesIn(to).length, 1);
});

test("a key that others may read, or a damaged database, is told of instead of archived", async (t) => {
  const folder = folderOf(t);
  const { dir, close } = stateIn(t, folder);
  const to = mkdtempSync(join(folder, "backups-"));
  writeFileSync(join(dir, "ellis-api-key"), "secret", { mode: 0o644 });
  await assert.rejects(take(dir, to), refused("BACKUP_FILE", /ellis-api-key: may be read by others/));
  rmSync(join(dir, "ellis-api-key"));
  close();
  const whole = readFileSync(join(dir, "subscribers.db"));
  writeFileSync(join(dir, "subscribers.db"), whole.fill(0xee, 4_096));
  await assert.rejects(take(dir, to), refused("BACKUP_FILE", /subscribers\.db: .*malformed|damaged/));
  assert.deepEqual(namesIn(to), []);
});
