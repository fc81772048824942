import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { CALENDAR_RETENTION_SECONDS, minuteOf, openDatabase, shardOf, sqliteCalendar } from "@ims/store";
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

test("what is old shrinks while there are additions, whatever a process before has left behind", async (t) => {
  const path = file(t);
  const clock = fakeClock();
  const count = (): number => {
    const database = openDatabase(path, { migrations: [""] });
    const { n } = database.prepare("SELECT count(*) AS n FROM due").get() ?? {};
    database.close();
    return Number(n);
  };
  const first = sqliteCalendar({ path, clock });
  for (let key = 0; key < 300; key++) await first.add([{ key: `old-${key}`, at: clock.now() }]);
  assert.equal(count(), 300);
  first.close();
  clock.advance((CALENDAR_RETENTION_SECONDS + 120) * 1000);
  const second = sqliteCalendar({ path, clock });
  t.after(() => second.close());
  await second.add([{ key: "new", at: clock.now() }]);
  assert.ok(count() < 300, "the first addition sweeps");
  for (let key = 0; key < 200; key++) await second.add([{ key: `new-${key}`, at: clock.now() }]);
  assert.equal(count(), 201);
});
