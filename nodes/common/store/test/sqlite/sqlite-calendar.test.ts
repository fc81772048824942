import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { minuteOf, openDatabase, shardOf, sqliteCalendar } from "@ims/store";
import { calendarCompliance } from "@ims/store/testing";

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-calendar-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "calendar.db");
}

calendarCompliance("sqlite, in memory", (t) => {
  const clock = fakeClock();
  const calendar = sqliteCalendar({ path: ":memory:", clock });
  t.after(() => calendar.close());
  return { calendar, now: clock.now(), advance: clock.advance };
});

test("entries that were answered as stored outlive the handle, and those still queued when it is closed", async (t) => {
  const path = file(t);
  const clock = fakeClock();
  const first = sqliteCalendar({ path, clock });
  const at = clock.now() + 90_000;
  assert.deepEqual(await first.add([{ key: "sip:a@example.com", at }]), { kind: "stored" });
  const queued = first.add([{ key: "sip:a@example.com", at: at + 1 }]);
  first.close();
  assert.deepEqual(await queued, { kind: "stored" });
  const second = sqliteCalendar({ path, clock });
  t.after(() => second.close());
  const found = await second.entries(minuteOf(at), shardOf("sip:a@example.com"));
  assert.deepEqual(found.kind === "found" && found.entries.map(({ at }) => at), [at, at + 1]);
});

test("a closed calendar is unavailable, not an exception", async () => {
  const calendar = sqliteCalendar({ path: ":memory:", clock: fakeClock() });
  calendar.close();
  assert.equal((await calendar.add([{ key: "a", at: 1 }])).kind, "unavailable");
  assert.equal((await calendar.entries(1, 1)).kind, "unavailable");
});

test("a lock held by somebody else for too long is unavailable, and the next entry is stored again", async (t) => {
  const path = file(t);
  const calendar = sqliteCalendar({ path, clock: fakeClock() });
  t.after(() => calendar.close());
  const other = openDatabase(path, { migrations: [""] });
  other.exec("BEGIN IMMEDIATE");
  const lost = calendar.add([{ key: "a", at: 60_000 }]);
  assert.equal((await lost).kind, "unavailable");
  other.exec("ROLLBACK");
  other.close();
  assert.deepEqual(await calendar.add([{ key: "b", at: 60_000 }]), { kind: "stored" });
});
