import assert from "node:assert/strict";
import { test } from "node:test";
import { atOnce, inSlices, Slices, type Work } from "@ims/runtime";

function* counting(pieces: number, done: number[] = []): Work<number> {
  for (let piece = 0; piece < pieces; piece++) {
    done.push(piece);
    yield;
  }
  return done.length;
}

test("work in slices lets the event loop go on between pieces, and ends as it does at once", async () => {
  const done: number[] = [];
  const seen: number[] = [];
  let ended = false;
  const look = (): void => {
    seen.push(done.length);
    if (!ended) setImmediate(look);
  };
  setImmediate(look);
  assert.equal(await inSlices(counting(10, done), 0), 10);
  ended = true;
  assert.deepEqual(seen.slice(0, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(atOnce(counting(10)), 10);
});

test("pieces that together are short are done in one turn; what fails is told to who waits", async () => {
  let turns = 0;
  setImmediate(() => turns++);
  assert.equal(await inSlices(counting(100), 60_000), 100);
  assert.equal(turns, 0);
  function* failing(): Work<never> {
    yield;
    throw new Error("no");
  }
  await assert.rejects(inSlices(failing(), 0), /no/);
});

test("of several works one is done after the other, and one that fails does not keep the next ones", async () => {
  const slices = new Slices();
  const seen: string[] = [];
  function* noting(name: string): Work<string> {
    for (let piece = 0; piece < 2; piece++) {
      seen.push(name);
      yield;
    }
    if (name === "b") throw new Error("no");
    return name;
  }
  const works = await Promise.allSettled(["a", "b", "c"].map((name) => slices.run(noting(name))));
  assert.deepEqual(
    works.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(seen, ["a", "a", "b", "b", "c", "c"]);
});
