import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openDatabase } from "@ims/store";

const FIRST = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)";
const SECOND = "ALTER TABLE a ADD COLUMN y TEXT DEFAULT 'new'";

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "open-database-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "file.db");
}

test("migrations run once each, in order", (t) => {
  const path = file(t);
  openDatabase(path, { migrations: [FIRST] }).close();
  openDatabase(path, { migrations: [FIRST] }).close();
  const database = openDatabase(path, { migrations: [FIRST, SECOND] });
  t.after(() => database.close());
  assert.deepEqual({ ...database.prepare("SELECT * FROM a").get() }, { x: 1, y: "new" });
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 2);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  assert.equal(database.prepare("PRAGMA foreign_keys").get()?.["foreign_keys"], 1);
});

test("a migration that fails leaves the schema as it was", (t) => {
  const path = file(t);
  openDatabase(path, { migrations: [FIRST] }).close();
  assert.throws(() => openDatabase(path, { migrations: [FIRST, "CREATE TABLE b (x); NONSENSE"] }), {
    detail: { code: "STORE_DATABASE", path, problem: 'near "NONSENSE": syntax error' },
  });
  const database = openDatabase(path, { migrations: [FIRST, SECOND] });
  t.after(() => database.close());
  const tables = database.prepare("SELECT name FROM sqlite_schema ORDER BY name").all();
  assert.deepEqual(
    tables.map(({ name }) => name),
    ["a"],
  );
});

test("a file of a newer release is refused", (t) => {
  const path = file(t);
  openDatabase(path, { migrations: [FIRST, SECOND] }).close();
  assert.throws(() => openDatabase(path, { migrations: [FIRST] }), {
    detail: { code: "STORE_DATABASE", path, problem: "schema 2 is newer than this program's 1" },
  });
});

test("a folder that does not exist is refused with a code", () => {
  assert.throws(() => openDatabase("/nonexistent/file.db", { migrations: [] }), {
    detail: { code: "STORE_DATABASE", path: "/nonexistent/file.db", problem: "unable to open database file" },
  });
});
