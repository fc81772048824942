import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { spareTime } from "../../src/trail/spare-time.ts";

const PERIOD_MS = 250;

function start(looks: readonly number[]) {
  const [clock, register, log] = [fakeClock(), metricsRegister(), memoryLogger()];
  const coming = [0, ...looks];
  const spare = spareTime({ clock, register, log, utilization: () => coming.shift() ?? 0.3 });
  return { clock, register, log, spare };
}

test("a node that is busy tells collectors less and less, down to nothing in two seconds", async () => {
  const { clock, register, log, spare } = start(Array(9).fill(0.95));
  await spare.start();
  clock.advance(PERIOD_MS);
  assert.equal(spare.share, 1, "one look may have met a garbage collection");
  const shares = Array.from({ length: 8 }, () => {
    clock.advance(PERIOD_MS);
    return spare.share;
  });
  assert.equal(shares[0]?.toFixed(2), "0.68");
  assert.ok(shares.every((share, at) => share < (shares[at - 1] ?? 1) || share === 0));
  assert.equal(shares.at(-1), 0);
  assert.match(await register.scrape(), /^ims_trail_told_share 0$/m);
  clock.advance(60_000);
  assert.equal(spare.share, 1);
  assert.deepEqual(
    log.lines.map(({ msg }) => msg),
    ["collectors are told less: the node is busy", "collectors are told of everything again"],
  );
  await spare.stop();
  assert.equal(clock.pending(), 0);
});

test("between busy and at ease the share stays as it is; single peaks do not matter", async () => {
  const { clock, spare } = start([0.95, 0.3, 0.95, 0.95, 0.8, 0.8, 0.8]);
  await spare.start();
  clock.advance(3 * PERIOD_MS);
  assert.equal(spare.share, 1);
  clock.advance(4 * PERIOD_MS);
  assert.equal(spare.share.toFixed(2), "0.68");
  await spare.stop();
});

test("the event loop of this process is looked at by default", async () => {
  const spare = spareTime({ clock: fakeClock(), register: metricsRegister(), log: memoryLogger() });
  await spare.start();
  assert.equal(spare.share, 1);
  await spare.stop();
});
