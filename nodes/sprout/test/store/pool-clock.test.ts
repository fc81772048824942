import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { PoolClock } from "../../src/store/pool-clock.ts";

const HOUR = 3_600_000;

/** A member whose own clock is off by so much, beside a store with the right time. */
function member(
  t: TestContext,
  off: number,
  store: (right: number) => number | undefined = (right) => right,
) {
  const right = fakeClock();
  const pool = new PoolClock({ ...right, now: () => right.now() + off }, async () => store(right.now()));
  t.after(() => pool.stop());
  return { right, pool };
}

test("a clock that is an hour off, either way, counts as the store's says", async (t) => {
  for (const off of [HOUR, -HOUR]) {
    const { right, pool } = member(t, off);
    assert.equal(pool.now(), right.now() + off);
    await pool.start();
    assert.equal(pool.now(), right.now());
    assert.equal(pool.correction, -off);
    await right.advanceAsync(25_000);
    assert.equal(pool.now(), right.now());
  }
});

test("a clock that is right, or off by less than two seconds, is left alone", async (t) => {
  for (const off of [0, 1_500, -1_500]) {
    const { right, pool } = member(t, off);
    await pool.start();
    assert.equal(pool.now(), right.now() + off);
    assert.equal(pool.correction, 0);
  }
});

test("one store node with a wrong clock among several changes nothing", async (t) => {
  let asked = 0;
  const { right, pool } = member(t, 0, (now) => (asked++ % 3 === 2 ? now + HOUR : now));
  await pool.start();
  for (let i = 0; i < 20; i++) {
    await right.advanceAsync(10_000);
    assert.equal(pool.now(), right.now());
  }
  assert.ok(asked > 15);
});

test("a store that does not answer leaves things as they are", async (t) => {
  let up = true;
  const { right, pool } = member(t, HOUR, (now) => (up ? now : undefined));
  await pool.start();
  up = false;
  await right.advanceAsync(60_000);
  assert.equal(pool.now(), right.now());
  const other = member(t, HOUR, () => undefined);
  await other.pool.start();
  assert.equal(other.pool.now(), other.right.now() + HOUR);
});

test("a clock that is set right again is used again", async (t) => {
  const right = fakeClock();
  let off = HOUR;
  const pool = new PoolClock({ ...right, now: () => right.now() + off }, async () => right.now());
  t.after(() => pool.stop());
  await pool.start();
  off = 0;
  assert.equal(pool.now(), right.now());
  await right.advanceAsync(10_000);
  assert.equal(pool.correction, 0);
});
