import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLevelSwitch, RecentLines } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";

test("the level changes while the process runs, and goes back by itself when its time is over", async () => {
  const clock = fakeClock();
  const log = memoryLogger("warn");
  const level = new LogLevelSwitch("warn", { log, clock });
  const loudest = (): string => (log.isLevelEnabled("debug") ? "debug" : log.level);
  level.set("debug", 600);
  assert.equal(loudest(), "debug");
  assert.equal(level.until, clock.now() + 600_000);
  await clock.advanceAsync(599_000);
  assert.equal(loudest(), "debug");
  await clock.advanceAsync(1_000);
  assert.equal(loudest(), "warn");
  assert.equal(level.until, undefined);
  assert.deepEqual(
    log.lines.map(({ msg, from, to }) => [msg, from, to]),
    [
      ["log level changed", "warn", "debug"],
      ["log level changed", "debug", "warn"],
    ],
  );
});

test("a level that is set again has no end any more; toggling goes to debug and back", async () => {
  const clock = fakeClock();
  const log = memoryLogger("silent");
  const level = new LogLevelSwitch("silent", { log, clock });
  level.set("trace", 5);
  level.set("info");
  await clock.advanceAsync(60_000);
  assert.equal(level.current, "info");
  level.toggle();
  assert.equal(level.current, "silent");
  level.toggle();
  assert.equal(level.current, "debug");
  level.toggle();
  assert.equal(level.current, "silent");
});

test("the last lines are kept within bounds of number and length, and reach their destination all the same", () => {
  const written: string[] = [];
  const recent = new RecentLines({ maxLines: 3, maxLength: 20_000 });
  const stream = recent.before({ write: (line) => void written.push(line) });
  for (let n = 1; n <= 10; n++) stream.write(`${n}\n`);
  assert.deepEqual(recent.lines(), ["8", "9", "10"]);
  stream.write(`${"x".repeat(50_000)}\n`);
  assert.deepEqual(
    recent.lines().map((line) => line.length),
    [1, 2, 16_385],
  );
  stream.write(`${"y".repeat(16_000)}\n`);
  assert.deepEqual(recent.lines(), ["y".repeat(16_000)]);
  assert.equal(written.length, 12);
});
