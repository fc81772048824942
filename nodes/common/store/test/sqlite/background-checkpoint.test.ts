import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BackgroundCheckpoint, GroupCommit, openDatabase } from "@ims/store";

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "a.db");
}

test("what is committed gets into the file without the writer doing it, and the log is used again", async (t) => {
  const path = file(t);
  const database = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER, value BLOB)"] });
  const checkpoint = new BackgroundCheckpoint(database, path, { everyMs: 50 });
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

test("a log that is written to all the time begins anew, too, and nobody waits for it standing still", async (t) => {
  const path = file(t);
  const database = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER, value BLOB)"] });
  const checkpoint = new BackgroundCheckpoint(database, path, { everyMs: 50, restartPages: 500 });
  const commits = new GroupCommit(database);
  const insert = database.prepare("INSERT INTO row VALUES (?, ?)");
  const value = Buffer.alloc(3000);
  let written = 0;
  const kinds = new Set<string>();
  for (const end = performance.now() + 4_000; performance.now() < end && written < 20_000; written += 40) {
    const results = Array.from({ length: 40 }, () => commits.run(() => void insert.run(1, value)));
    for (const { kind } of await Promise.all(results)) kinds.add(kind);
    await delay(4);
  }
  assert.deepEqual([...kinds], ["stored"]);
  assert.ok(written >= 4_000, `${written}`);
  const log = statSync(`${path}-wal`).size;
  assert.ok(log < (written * 4096) / 2, `${log} octets of log after ${written} pages`);
  assert.equal(database.prepare("SELECT count(*) AS n FROM row").get()?.["n"], written);
  database.close();
  await checkpoint.close();
});

test("who meets the write lock of somebody else waits for it while the loop goes on, and not for ever", async (t) => {
  const path = file(t);
  const database = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER)"] });
  const other = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER)"] });
  const commits = new GroupCommit(database);
  const insert = database.prepare("INSERT INTO row VALUES (?)");
  const order: string[] = [];
  const write = (n: number): Promise<void> =>
    commits.run(() => void insert.run(n)).then(({ kind }) => void order.push(`${n} ${kind}`));
  other.exec("BEGIN IMMEDIATE");
  const both = [write(1), write(2)];
  await delay(50);
  order.push("the loop goes on");
  other.exec("COMMIT");
  await Promise.all(both);
  assert.deepEqual(order, ["the loop goes on", "1 stored", "2 stored"]);
  other.exec("BEGIN IMMEDIATE");
  let turns = 0;
  const turning = setInterval(() => turns++, 5);
  const began = performance.now();
  const many = Array.from({ length: 500 }, () => commits.run(() => void insert.run(0)));
  await write(3);
  for (const { kind } of await Promise.all(many)) assert.equal(kind, "unavailable");
  clearInterval(turning);
  assert.equal(order.at(-1), "3 unavailable");
  assert.ok(performance.now() - began < 2_000, "all of them after the same time");
  assert.ok(turns > 30, `${turns} turns meanwhile`);
  other.exec("COMMIT");
  await write(4);
  assert.equal(order.at(-1), "4 stored");
  database.close();
  other.close();
});

test("who reads for long keeps nobody from writing", async (t) => {
  const path = file(t);
  const migrations = ["CREATE TABLE row (n INTEGER, value BLOB)"];
  const database = openDatabase(path, { migrations });
  const checkpoint = new BackgroundCheckpoint(database, path, { everyMs: 20, restartPages: 50 });
  const commits = new GroupCommit(database);
  const insert = database.prepare("INSERT INTO row VALUES (?, ?)");
  const write = () => commits.run(() => void insert.run(1, Buffer.alloc(3000)));
  await write();
  const reader = openDatabase(path, { migrations });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM row").get();
  for (const end = performance.now() + 1_500; performance.now() < end; await delay(1))
    assert.equal((await write()).kind, "stored");
  reader.exec("COMMIT");
  reader.close();
  database.close();
  await checkpoint.close();
});

test("a thread that is no more is not waited for, nor is one waited for twice", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "checkpoint-"));
  const path = join(folder, "a.db");
  const database = openDatabase(path, { migrations: ["CREATE TABLE row (n INTEGER)"] });
  t.after(() => database.close());
  rmSync(folder, { recursive: true }); // its thread, which opens the file only now, ends with an error
  const checkpoint = new BackgroundCheckpoint(database, path);
  await delay(500);
  await checkpoint.close();
  await checkpoint.close();
});
