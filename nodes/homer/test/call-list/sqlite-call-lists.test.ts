import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { sqliteCallLists } from "../../src/store/sqlite-call-lists.ts";

const fragment = (startedAt: number, call = "000000000001") => ({
  ...{ call, startedAt, kind: "rejected" as const, elements: "<x/>" },
});

test("fragments come newest first, twice written is once there, and their time ends", async (t) => {
  const clock = fakeClock();
  const lists = sqliteCallLists({
    ...{ path: ":memory:", ttlSeconds: 100, clock },
    onFailure: (error) => assert.fail(String(error)),
  });
  t.after(() => lists.close());
  const canonical = "__proto__";
  await lists.add({ canonical, fragments: [fragment(1), fragment(3)] });
  await lists.add({ canonical, fragments: [fragment(3), fragment(2)] });
  const starts = async (limit = 10): Promise<number[]> => {
    const found = await lists.find(canonical, limit);
    assert.ok(found !== "unavailable");
    return found.map(({ startedAt }) => startedAt);
  };
  assert.deepEqual(await starts(), [3, 2, 1]);
  assert.deepEqual(await starts(2), [3, 2]);
  await lists.removeBefore(canonical, 2);
  assert.deepEqual(await starts(), [3, 2]);
  assert.deepEqual(await lists.find("somebody else", 10), []);
  await clock.advanceAsync(60_000);
  await lists.add({ canonical, fragments: [fragment(4)] });
  await clock.advanceAsync(41_000);
  assert.deepEqual(await starts(), [4]);
});

test("a disk that fails is told of, and nothing is half written", async () => {
  const failures: unknown[] = [];
  const lists = sqliteCallLists({
    ...{ path: ":memory:", ttlSeconds: 100, clock: fakeClock() },
    onFailure: (error) => failures.push(error),
  });
  lists.close();
  assert.equal(await lists.add({ canonical: "a", fragments: [fragment(1)] }), "unavailable");
  assert.equal(await lists.find("a", 1), "unavailable");
  assert.equal(await lists.removeBefore("a", 1), "unavailable");
  assert.equal(failures.length, 3);
});
