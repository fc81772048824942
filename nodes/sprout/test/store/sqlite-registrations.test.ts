import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { openDatabase } from "@ims/store";
import { calendarCompliance } from "@ims/store/testing";
import type { PartitionWrite } from "../../src/store/durable-registrations.ts";
import { SqliteRegistrations } from "../../src/store/sqlite-registrations.ts";
import { durableCompliance } from "../support/durable-compliance.ts";

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-registrations-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "registrations.db");
}

function put(item: string, stamp = 1, ttlSeconds = 60): PartitionWrite {
  return {
    partition: "sip:a@example.com",
    stamp,
    puts: [{ item, value: Buffer.from("one"), ttlSeconds }],
    removes: [],
    clearedTo: undefined,
  };
}

durableCompliance("sqlite, in memory", (t) => {
  const clock = fakeClock();
  const rows = new SqliteRegistrations({ path: ":memory:", clock });
  t.after(() => rows.close());
  return { rows, advance: clock.advance };
});

calendarCompliance("sqlite, beside the registrations", (t) => {
  const clock = fakeClock();
  const rows = new SqliteRegistrations({ path: ":memory:", clock });
  t.after(() => rows.close());
  return { calendar: rows.calendar, now: clock.now(), advance: clock.advance };
});

test("rows answered as stored outlive the handle, and those still queued when it is closed", async (t) => {
  const path = file(t);
  const clock = fakeClock();
  const first = new SqliteRegistrations({ path, clock });
  await first.write([put("a")]);
  const queued = first.write([put("b")]);
  await first.close();
  assert.deepEqual(await queued, { kind: "stored" });
  const second = new SqliteRegistrations({ path, clock });
  t.after(() => second.close());
  const read = await second.read("sip:a@example.com");
  assert.deepEqual(read.kind === "found" && read.rows.map(({ item }) => item), ["a", "b"]);
});

test("expired rows leave the file with the writes of others", async (t) => {
  const clock = fakeClock();
  const rows = new SqliteRegistrations({ path: ":memory:", clock });
  t.after(() => rows.close());
  for (let i = 0; i < 1000; i++) void rows.write([put(`old-${i}`, 1, 10)]);
  await rows.write([put("last-old", 1, 10)]);
  clock.advance(11_000);
  for (let i = 0; i < 300; i++) await rows.write([put(`new-${i}`)]);
  assert.ok(rows.size < 400, `${rows.size} rows`);
});

test("a closed file and one that somebody else holds are unavailable, not exceptions", async (t) => {
  const path = file(t);
  const rows = new SqliteRegistrations({ path, clock: fakeClock() });
  const other = openDatabase(path, { migrations: ["", ""] });
  other.exec("BEGIN IMMEDIATE");
  let turns = 0;
  const turning = setInterval(() => turns++, 5);
  assert.equal((await rows.write([put("a")])).kind, "unavailable");
  clearInterval(turning);
  assert.ok(turns > 20, "it does not stand still while it waits for the lock");
  other.exec("ROLLBACK");
  other.close();
  assert.equal((await rows.write([put("a")])).kind, "stored");
  await rows.close();
  assert.equal((await rows.write([put("a")])).kind, "unavailable");
  assert.equal((await rows.read("sip:a@example.com")).kind, "unavailable");
});
