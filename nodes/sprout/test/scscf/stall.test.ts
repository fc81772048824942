import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "@ims/runtime";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { CALENDAR_SHARDS, type KvStore, memoryCalendar, memoryStore, shardOf } from "@ims/store";
import { ExpiryScan } from "../../src/scscf/expiry-scan.ts";
import { ShardLeases } from "../../src/scscf/shard-leases.ts";
import { Stopped } from "../support/stopped.ts";

async function run(clock: FakeClock, seconds: number): Promise<void> {
  for (let s = 0; s < seconds; s++) await clock.advanceAsync(1_000);
}

/** Two members on one calendar; the first one can be stopped. */
function world() {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  const calendar = memoryCalendar({ clock });
  const stopped = new Stopped(clock);
  const seen: { member: string; key: string; alone: boolean }[] = [];
  const all: ShardLeases[] = [];
  const member = (name: string, own: Clock, kv: KvStore) => {
    const leases = new ShardLeases({ store: kv, clock: own, member: name });
    all.push(leases);
    const scan = new ExpiryScan({
      calendar,
      cursors: kv,
      leases,
      clock: own,
      onDue: async (key) => {
        const holders = all.filter((one) => one.holds(shardOf(key)));
        seen.push({ member: name, key, alone: holders.length === 1 && holders[0] === leases });
        return undefined;
      },
    });
    leases.start();
    scan.start();
    const end = (): Promise<void> => {
      scan.stop();
      return leases.stop();
    };
    return { leases, end };
  };
  return {
    ...{ clock, calendar, stopped, seen },
    a: member("a", stopped.clock, stopped.store(store)),
    b: member("b", clock, store),
  };
}

for (const seconds of [33, 60, 400])
  test(`a member stopped for ${seconds} s acts on no lease that it has lost meanwhile, and on no timer of what others have done`, async () => {
    const { clock, calendar, stopped, seen, a, b } = world();
    await run(clock, 45);
    const held = a.leases.held();
    assert.ok(held.length > 0 && held.length < CALENDAR_SHARDS);
    const keys = Array.from({ length: 200 }, (_, index) => `sip:u${index}@example.com`);
    // Due while it is stopped; it has read the minute before and has all of them in mind.
    const due = clock.now() + 75_000;
    await calendar.add(keys.map((key) => ({ key, at: due })));
    await run(clock, 70);
    stopped.stop();
    await run(clock, seconds);
    const before = seen.length;
    stopped.go();
    // Before anything else has come to it, and with all its overdue timers run.
    await clock.advanceAsync(0);
    assert.deepEqual(
      a.leases.held().filter((shard) => b.leases.holds(shard)),
      [],
    );
    assert.deepEqual(
      seen.slice(before).filter(({ member }) => member === "a"),
      [],
    );
    await run(clock, 240);
    // It may look again when the shard is its own again: nothing is left to do then. Nobody ever looks at what is another's.
    for (const key of keys) assert.ok(seen.find((one) => one.key === key)?.member === "b", key);
    assert.ok(seen.every(({ alone }) => alone));
    assert.equal(a.leases.held().length + b.leases.held().length, CALENDAR_SHARDS);
    await Promise.all([a.end(), b.end()]);
  });
