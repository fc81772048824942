import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { SharedAnswers } from "../../src/core-view/shared-answers.ts";
import { Turns, TurnsFullError } from "../../src/core-view/turns.ts";

test("a thousand who ask for the same are one question, and so for a while after its answer", async () => {
  const clock = fakeClock();
  const shared = new SharedAnswers(clock);
  let made = 0;
  const ask = () => shared.get("pools", 1_000, async () => ++made);
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 1_000 }, ask))), new Set([1]));
  clock.advance(999);
  assert.equal(await ask(), 1);
  clock.advance(2);
  assert.equal(await ask(), 2);
  await assert.rejects(
    shared.get("broken", 1_000, () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await shared.get("broken", 1_000, async () => 3), 3, "what failed is asked again");
});

test("searches go one by one, what fails does not stop the line, and a line has an end", async () => {
  const turns = new Turns();
  const order: number[] = [];
  let under = 0;
  const work = (n: number) =>
    turns.take(async () => {
      assert.equal(++under, 1);
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      order.push(n);
      if (n === 1) throw new Error("one");
    });
  const all = Array.from({ length: 17 }, (_, n) => work(n).catch((error: unknown) => error));
  const results = await Promise.all(all);
  assert.deepEqual(
    order,
    Array.from({ length: 16 }, (_, n) => n),
  );
  assert.match(String(results[1]), /one/);
  assert.ok(results[16] instanceof TurnsFullError);
  await work(17);
});
