import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { strayErrors } from "../src/index.ts";

const thrownAt = (...frames: readonly string[]): Error =>
  Object.assign(new Error("stray"), { stack: ["Error: stray", ...frames].join("\n    at ") });

test("errors that nobody catches go to whoever has the code that they were thrown in, by path or by URL", () => {
  const strays = strayErrors();
  const taken: string[] = [];
  strays.claim("/opt/guest", () => void taken.push("guest"));
  strays.claim("/opt/with space", () => void taken.push("space"));
  assert.equal(strays.taken(thrownAt("Timeout._onTimeout (file:///opt/guest/lib/a.mjs:3:5)")), true);
  assert.equal(strays.taken(thrownAt("parse (node:url:1:1)", "/opt/guest/a.mjs:3:5")), true);
  assert.equal(strays.taken(thrownAt("x (file:///opt/with%20space/a.mjs:1:1)")), true);
  assert.deepEqual(taken, ["guest", "guest", "space"]);
  for (const frame of ["x (file:///opt/guest-of-another/a.mjs:1:1)", "x (file:///srv/opt/guest.mjs:1:1)"])
    assert.equal(strays.taken(thrownAt(frame)), false, frame);
  for (const nobodys of [undefined, null, "text", 1, {}]) assert.equal(strays.taken(nobodys), false);
});

test("a folder that has our own code in it is nobody's: our errors still end the process", () => {
  const strays = strayErrors();
  const own = join(import.meta.dirname, "../src");
  for (const folder of [own, join(own, ".."), "/"]) strays.claim(folder, () => assert.fail());
  assert.equal(strays.taken(thrownAt(`x (file://${own}/run-service.ts:1:1)`)), false);
});
