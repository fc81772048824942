import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry } from "@ims/api";
import { fakeClock } from "@ims/runtime/testing";
import { type KvStore, memoryStore } from "@ims/store";
import { AuditLog } from "../../src/audit/audit-log.ts";

const DAY_MS = 86_400_000;

function logs(keepDays = 30) {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  const open = (kv: KvStore = store) => new AuditLog({ store: kv, clock, keepDays });
  const entry = (target: string, detail = ""): AuditEntry => ({
    ...{ at: new Date(clock.now()).toISOString(), who: "ann@example.com", action: "subscriber.add", target },
    ...{ from: "192.0.2.1", outcome: "done", status: 201, detail },
  });
  return { clock, store, open, entry };
}

async function targetsOf(log: AuditLog): Promise<(string | undefined)[]> {
  const targets: (string | undefined)[] = [];
  let before: string | undefined;
  do {
    const page = await log.page({}, { before, limit: 50 });
    if (typeof page === "string") assert.fail(page);
    targets.push(...page.entries.map(({ target }) => target));
    before = page.next;
  } while (before !== undefined);
  return targets.toReversed();
}

test("entries of several members of a pool are all there, in parts that stay small", async () => {
  const { open, entry } = logs();
  const [one, other] = [open(), open()];
  const wanted: string[] = [];
  for (let at = 0; at < 150; at++) {
    wanted.push(`a${at}`, `b${at}`);
    const written = await Promise.all([
      one.append(entry(`a${at}`, "x".repeat(500))),
      other.append(entry(`b${at}`, "x".repeat(500))),
    ]);
    assert.deepEqual(written, ["written", "written"]);
  }
  assert.deepEqual((await targetsOf(open())).toSorted(), wanted.toSorted());
});

test("an entry is kept for the days it is to be, and goes then", async () => {
  const { open, entry, clock } = logs(3);
  for (let day = 0; day < 8; day++) {
    await open().append(entry(`day ${day}`));
    clock.advance(DAY_MS);
  }
  assert.deepEqual(await targetsOf(open()), ["day 5", "day 6", "day 7"]);
  clock.advance(30 * DAY_MS);
  assert.deepEqual(await targetsOf(open()), []);
  await open().append(entry("after a long time"));
  assert.deepEqual(await targetsOf(open()), ["after a long time"]);
});

test("a store that does not answer is told, and nothing is lost of what was written", async () => {
  const { open, entry, store } = logs();
  await open().append(entry("first"));
  const away: KvStore = {
    get: async () => ({ kind: "unavailable", cause: new Error("away") }),
    put: async () => ({ kind: "unavailable", cause: new Error("away") }),
    delete: async () => ({ kind: "unavailable", cause: new Error("away") }),
  };
  assert.equal(await open(away).append(entry("second")), "unavailable");
  assert.equal(await open(away).page({}, { before: undefined, limit: 10 }), "unavailable");
  assert.deepEqual(await targetsOf(open(store)), ["first"]);
});
