import assert from "node:assert/strict";
import { test } from "node:test";
import { auditPlacement } from "../../src/lcm/audit.ts";
import { small, startLab } from "../../testing/lab.ts";

test("a list of Heat's that lacks members while the stack changes does not take them out of sight; who is gone from Nova is", async (t) => {
  const { driver, heat, run, pace, cloud } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const counts = async (): Promise<number[]> => {
    await pace.sleep(11_000); // what is known is old by now
    const members = await driver.whereabouts(instance, pace);
    return auditPlacement(instance, members).pools.map(({ members: placed }) => placed);
  };
  assert.deepEqual(await counts(), [7, 7, 7, 3]);
  const whole = heat.resources.bind(heat);
  heat.resources = async (...asked) => (await whole(...asked))?.filter((_, at) => at < 8);
  assert.deepEqual(await counts(), [7, 7, 7, 3]);
  const [gone] = cloud.compute.servers.values();
  cloud.compute.remove(gone?.id ?? "");
  assert.equal(
    (await counts()).reduce((sum, one) => sum + one, 0),
    23,
  );
});
