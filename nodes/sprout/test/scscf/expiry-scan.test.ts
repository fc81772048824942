import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  CALENDAR_SHARDS,
  type CalendarStore,
  type KvStore,
  memoryCalendar,
  memoryStore,
  shardOf,
} from "@ims/store";
import { ExpiryScan } from "../../src/scscf/expiry-scan.ts";

const MINUTE = 60_000;
const all = Array.from({ length: CALENDAR_SHARDS }, (_, shard) => shard);

interface World {
  readonly clock: FakeClock;
  readonly calendar: CalendarStore;
  readonly cursors: KvStore;
  /** When each set was looked at, ms since the start. */
  readonly seen: Map<string, number[]>;
  up: boolean;
}

function world(): World {
  const clock = fakeClock();
  const inner = memoryCalendar({ clock });
  const made: World = {
    clock,
    cursors: memoryStore({ clock }),
    seen: new Map(),
    up: true,
    calendar: {
      add: (entries) => (made.up ? inner.add(entries) : away()),
      entries: (minute, shard) => (made.up ? inner.entries(minute, shard) : away()),
    },
  };
  return made;
}

async function away() {
  return { kind: "unavailable", cause: new Error("gone") } as const;
}

function scan(
  t: TestContext,
  w: World,
  {
    onDue,
    shards = all,
    perSecond,
  }: {
    onDue?: (key: string, times: number) => Promise<number | undefined>;
    shards?: readonly number[];
    perSecond?: number;
  } = {},
): ExpiryScan & { shards: readonly number[] } {
  const held = { shards };
  const made = new ExpiryScan({
    ...w,
    leases: { held: () => [...held.shards], holds: (shard) => held.shards.includes(shard) },
    onDue: async (key) => {
      const times = w.seen.get(key) ?? [];
      times.push(w.clock.monotonic());
      w.seen.set(key, times);
      return onDue?.(key, times.length);
    },
    ...(perSecond === undefined ? {} : { perSecond }),
  });
  made.start();
  t.after(() => made.stop());
  return Object.assign(made, held, {
    set shards(value: readonly number[]) {
      held.shards = value;
    },
  });
}

async function run(w: World, ms: number, step = 1_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) await w.clock.advanceAsync(Math.min(step, ms - passed));
}

test("a set is looked at within two seconds of its time, never before, and once", async (t) => {
  const w = world();
  scan(t, w);
  await run(w, 10_000);
  const dueAt = w.clock.monotonic() + 3 * MINUTE + 17_400;
  await w.calendar.add([{ key: "a", at: w.clock.now() + 3 * MINUTE + 17_400 }]);
  await run(w, 10 * MINUTE);
  const [first, ...more] = w.seen.get("a") ?? [];
  assert.deepEqual(more, []);
  assert.ok(first !== undefined && first >= dueAt && first < dueAt + 2_000, `${first} for ${dueAt}`);
});

test("what a slow writer adds to a minute that is running is found too", async (t) => {
  const w = world();
  scan(t, w);
  await run(w, 90_000);
  await w.calendar.add([{ key: "late", at: w.clock.now() }]);
  await run(w, 5 * MINUTE);
  assert.equal(w.seen.get("late")?.length, 1);
});

test("a set that was refreshed is named again at its new time before it is done, and looked at then", async (t) => {
  const w = world();
  const first = scan(t, w, {
    onDue: async (_key, times) => (times === 1 ? Date.UTC(2026, 0, 1) + 40 * MINUTE : undefined),
  });
  await w.calendar.add([{ key: "a", at: w.clock.now() + MINUTE }]);
  await run(w, 10 * MINUTE);
  assert.equal(w.seen.get("a")?.length, 1);
  first.stop();
  // Another member goes on: nothing was in memory only.
  scan(t, w);
  await run(w, 40 * MINUTE);
  assert.equal(w.seen.get("a")?.length, 2);
  assert.ok((w.seen.get("a")?.[1] ?? 0) >= 40 * MINUTE);
});

test("what fails or is to come again soon does, and holds the cursor until then", async (t) => {
  const w = world();
  let failing = true;
  const first = scan(t, w, {
    onDue: async (key) => {
      if (key === "broken" && failing) throw new Error("a defect");
      return undefined;
    },
  });
  await w.calendar.add([
    { key: "broken", at: w.clock.now() + MINUTE },
    { key: "fine", at: w.clock.now() + MINUTE },
  ]);
  await run(w, 8 * MINUTE);
  assert.ok((w.seen.get("broken")?.length ?? 0) > 5);
  assert.equal(w.seen.get("fine")?.length, 1);
  assert.ok(first.lag > 3, `${first.lag}`);
  first.stop();
  failing = false;
  w.seen.clear();
  const second = scan(t, w);
  await run(w, 3 * MINUTE);
  assert.equal(w.seen.get("broken")?.length, 1, "whoever takes over finds it");
  assert.ok(second.lag <= 1);
});

test("the calendar is away when a set has to be named again: it is tried until that is done", async (t) => {
  const w = world();
  const later = w.clock.now() + 30 * MINUTE;
  scan(t, w, {
    onDue: async (_key, times) => {
      w.up = times > 1;
      return times <= 2 ? later : undefined;
    },
  });
  await w.calendar.add([{ key: "a", at: w.clock.now() + MINUTE }]);
  await run(w, 20 * MINUTE);
  assert.ok(w.up);
  assert.equal(w.seen.get("a")?.length, 2);
  await run(w, 15 * MINUTE);
  assert.equal(w.seen.get("a")?.length, 3);
});

test("everything is down for hours: what was due meanwhile is caught up, what is due now is not kept waiting for that", async (t) => {
  const w = world();
  const first = scan(t, w);
  await run(w, 5 * MINUTE);
  const now = w.clock.now();
  for (let m = 1; m <= 300; m++) await w.calendar.add([{ key: `user-${m}`, at: now + m * MINUTE }]);
  await run(w, 3 * MINUTE);
  first.stop();
  w.clock.advance(4 * 60 * MINUTE);
  const back = w.clock.monotonic();
  scan(t, w);
  const soon = w.clock.now() + 20_000;
  await w.calendar.add([{ key: "now", at: soon }]);
  await run(w, 6 * MINUTE);
  const [seenNow] = w.seen.get("now") ?? [];
  assert.ok(seenNow !== undefined && seenNow - back < 24_000, `${seenNow} after ${back}`);
  // The last minutes before the end are looked at again: their sets have gone meanwhile.
  for (let m = 4; m <= 240; m++) assert.equal(w.seen.get(`user-${m}`)?.length, 1, `user-${m}`);
});

test("without any cursor the calendar is caught up from where it began", async (t) => {
  const w = world();
  scan(t, w).stop();
  const first = scan(t, w);
  await run(w, 2_000);
  first.stop();
  await w.calendar.add([{ key: "a", at: w.clock.now() + 2 * MINUTE }]);
  // Not a minute has been done when everything goes down.
  w.clock.advance(60 * MINUTE);
  scan(t, w);
  await run(w, 3 * MINUTE);
  assert.equal(w.seen.get("a")?.length, 1);
});

test("a shard that goes to another member is gone on with there; none is looked at by both for long", async (t) => {
  const w = world();
  const even = all.filter((shard) => shard % 2 === 0);
  const odd = all.filter((shard) => shard % 2 === 1);
  const a = scan(t, w, { shards: even });
  const b = scan(t, w, { shards: odd });
  const now = w.clock.now();
  const keys = Array.from({ length: 600 }, (_, i) => `user-${i}`);
  await w.calendar.add(keys.map((key, i) => ({ key, at: now + MINUTE + i * 1_000 })));
  await run(w, 5 * MINUTE);
  const moved = all.slice(0, 32);
  a.shards = moved;
  b.shards = all.filter((shard) => !moved.includes(shard));
  await run(w, 20 * MINUTE);
  for (const key of keys) {
    const times = w.seen.get(key)?.length ?? 0;
    // Those of the last minutes may be checked by both; whether anything is done is the live set's say.
    assert.ok(times >= 1 && times <= 2, `${key} (${shardOf(key)}): ${times}`);
  }
});

test("ten thousand due at once are looked at so many a second, a few at a time", async (t) => {
  const w = world();
  scan(t, w, { perSecond: 500 });
  await run(w, 1_000);
  const at = w.clock.now() + MINUTE;
  await w.calendar.add(Array.from({ length: 10_000 }, (_, i) => ({ key: `user-${i}`, at })));
  await run(w, MINUTE);
  // What is done in a turn is counted, not timed: ten thousand at once would be a stall.
  let most = 0;
  for (let turn = 0; turn < 20 * 300 && w.seen.size < 10_000; turn++) {
    const before = w.seen.size;
    await run(w, 50, 50);
    most = Math.max(most, w.seen.size - before);
  }
  assert.equal(w.seen.size, 10_000);
  for (const times of w.seen.values()) assert.equal(times.length, 1);
  assert.ok(most > 0 && most <= 70, `${most} in 50 ms`);
});

test("a member stopped says nothing more", async (t) => {
  const w = world();
  const first = scan(t, w);
  await w.calendar.add([{ key: "a", at: w.clock.now() + MINUTE }]);
  await run(w, 30_000);
  first.stop();
  await run(w, 5 * MINUTE);
  assert.equal(w.seen.size, 0);
});
