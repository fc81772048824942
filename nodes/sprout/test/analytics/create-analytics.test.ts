import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHealth, metricsRegister } from "@ims/runtime";
import { type FakeClock, memoryLogger } from "@ims/runtime/testing";
import { analyticsEventSchema } from "../../src/analytics/analytics-event.ts";
import { type Analytics, createAnalytics } from "../../src/analytics/create-analytics.ts";
import { type SproutError, sproutOptions } from "../../src/index.ts";
import { benchWithUsers } from "../support/bench.ts";

function create(clock: FakeClock, analyticsDir: string, memberName?: string): Analytics | undefined {
  const options = sproutOptions.parse({ analyticsDir, diameterHost: "sprout.example.com" });
  return createAnalytics(options, memberName, {
    clock,
    log: memoryLogger("silent"),
    register: metricsRegister(),
    health: createHealth(),
    pacer: { received: () => undefined },
  });
}

test("with a directory, what happens is there as lines by the schema, readable for its user and group only", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "analytics-"));
  t.after(() => rmSync(folder, { recursive: true }));
  let analytics: Analytics | undefined;
  const b = benchWithUsers({
    analytics: (clock) => {
      analytics = create(clock, join(folder, "made"), "sprout-1.sprout.example.com");
      return analytics?.observer;
    },
  });
  await analytics?.start();
  await b.registered();
  await b.registered({ expires: 0 });
  await analytics?.stop();
  const [file = "", ...others] = readdirSync(join(folder, "made"));
  assert.deepEqual(others, []);
  assert.equal(file, "analytics-sprout-1.sprout.example.com-20260101T000000Z-0001.jsonl");
  const path = join(folder, "made", file);
  assert.equal(statSync(path).mode & 0o007, 0);
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const events = lines.map((line) => analyticsEventSchema.parse(JSON.parse(line)));
  assert.deepEqual(
    events.map(({ event, nodeAddress }) => [event, nodeAddress]),
    [
      ["registered", "sprout-1.sprout.example.com"],
      ["deregistered", "sprout-1.sprout.example.com"],
    ],
  );
});

test("without a directory nobody looks on; one that cannot be used is named with its option", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "analytics-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { clock } = benchWithUsers();
  assert.equal(create(clock, ""), undefined);
  writeFileSync(join(folder, "file"), "");
  const below = join(folder, "file", "below");
  assert.throws(
    () => create(clock, below),
    (error: SproutError) => {
      assert.deepEqual(error.detail, { code: "SPROUT_ANALYTICS", folder: below });
      assert.match(error.message, /--analytics-dir/);
      return true;
    },
  );
});
