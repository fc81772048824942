import assert from "node:assert/strict";
import { test } from "node:test";
import { FileAllowance } from "../../src/http/file-allowance.ts";
import { fakeClock } from "../../testing/index.ts";

test("files are allowed so many a second to one client and to all, and again in the next second", () => {
  const clock = fakeClock();
  const files = new FileAllowance({ clock, each: 3, all: 5 });
  const taken = (client: string, count: number): number =>
    Array.from({ length: count }, () => files.takes(client)).filter(Boolean).length;
  assert.equal(taken("192.0.2.1", 4), 3);
  assert.equal(taken("192.0.2.2", 4), 2);
  assert.equal(taken("192.0.2.3", 1), 0);
  clock.advance(999);
  assert.equal(taken("192.0.2.1", 1), 0);
  clock.advance(1);
  assert.equal(taken("192.0.2.1", 4), 3);
});
