import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import { openDatabase, sqliteStore } from "@ims/store";
import { kvStoreCompliance } from "@ims/store/testing";

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-store-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "store.db");
}

kvStoreCompliance("sqlite, in memory", (t) => {
  const clock = fakeClock();
  const store = sqliteStore({ path: ":memory:", clock });
  t.after(() => store.close());
  return { store, advance: clock.advance };
});

kvStoreCompliance("sqlite, in a file", (t) => {
  const clock = fakeClock();
  const store = sqliteStore({ path: file(t), clock });
  t.after(() => store.close());
  return { store, advance: clock.advance };
});

test("entries outlive the handle", async (t) => {
  const path = file(t);
  const clock = fakeClock();
  const first = sqliteStore({ path, clock });
  await first.put("aor", "a", Buffer.from("one"), { ifVersion: "absent", ttlSeconds: 60 });
  first.close();
  const second = sqliteStore({ path, clock });
  t.after(() => second.close());
  const found = await second.get("aor", "a");
  assert.equal(found.kind === "found" && Buffer.from(found.value).toString(), "one");
});

test("two processes on one file lose no increment", async (t) => {
  const path = file(t);
  const program = join(import.meta.dirname, "increment.ts");
  const run = () =>
    promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", program, path, "200"]);
  await Promise.all([run(), run()]);
  const store = sqliteStore({ path, clock: systemClock() });
  t.after(() => store.close());
  const found = await store.get("count", "n");
  assert.equal(found.kind === "found" && Buffer.from(found.value).toString(), "400");
});

test("expired rows leave with the puts of others", async (t) => {
  const clock = fakeClock();
  const store = sqliteStore({ path: ":memory:", clock });
  t.after(() => store.close());
  const put = (key: string) =>
    store.put("nonce", key, Buffer.alloc(10), { ifVersion: "absent", ttlSeconds: 40 });
  for (let i = 0; i < 256; i++) await put(`old-${i}`);
  clock.advance(41_000);
  for (let i = 0; i < 128; i++) await put(`new-${i}`);
  assert.equal(store.size, 128);
});

test("a closed store is unavailable, not an exception", async () => {
  const store = sqliteStore({ path: ":memory:", clock: fakeClock() });
  store.close();
  assert.equal((await store.get("a", "b")).kind, "unavailable");
  const put = await store.put("a", "b", Buffer.alloc(1), { ifVersion: "absent", ttlSeconds: 1 });
  assert.equal(put.kind, "unavailable");
  assert.equal((await store.delete("a", "b")).kind, "unavailable");
});

test("a lock held by somebody else for too long is unavailable", async (t) => {
  const path = file(t);
  const store = sqliteStore({ path, clock: fakeClock(), busyTimeoutMs: 5 });
  const other = openDatabase(path, { migrations: [""] });
  t.after(() => store.close());
  other.exec("BEGIN IMMEDIATE");
  const put = await store.put("a", "b", Buffer.alloc(1), { ifVersion: "absent", ttlSeconds: 1 });
  other.exec("ROLLBACK");
  other.close();
  assert.equal(put.kind, "unavailable");
});

test("a file that is no database is refused with a code", (t) => {
  const path = file(t);
  writeFileSync(path, "this is not a database file, but long enough to look like one ".repeat(20));
  assert.throws(() => sqliteStore({ path, clock: fakeClock() }), {
    detail: { code: "STORE_DATABASE", path, problem: "file is not a database" },
  });
});
