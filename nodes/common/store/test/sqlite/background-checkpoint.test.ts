import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BackgroundCheckpoint, openDatabase } from "@ims/store";

test("what is committed gets into the file without the writer doing it, and the log is used again", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "a.db");
  const database = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER, value BLOB)"] });
  const checkpoint = new BackgroundCheckpoint(database, path, 50);
  const insert = database.prepare("INSERT INTO row VALUES (?, ?)");
  const value = Buffer.alloc(3000);
  const fill = (): void => {
    database.exec("BEGIN");
    for (let n = 0; n < 1_500; n++) insert.run(n, value);
    database.exec("COMMIT");
  };
  fill();
  const size = (): number => statSync(path).size;
  for (let i = 0; i < 100 && size() < 4_000_000; i++) await delay(100);
  assert.ok(size() > 4_000_000, `${size()}`);
  await delay(500); // it may have been amid it
  const log = statSync(`${path}-wal`).size;
  fill();
  assert.ok(statSync(`${path}-wal`).size < log * 1.5, "the log begins anew");
  database.close();
  await checkpoint.close();
});
