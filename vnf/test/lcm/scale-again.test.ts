import assert from "node:assert/strict";
import { test } from "node:test";
import { scalePool } from "../../src/lcm/scale.ts";
import { type Lab, small, startLab } from "../../testing/lab.ts";

const CORE_DOWN = ["core-1", "core-2", "core-3", "core-4"];

/** A step from 7 to 11 sprouts that found too few hosts; they are there again afterwards. */
async function halfGrown(lab: Lab): Promise<void> {
  const { driver, model, run, cloud } = lab;
  await driver.instantiate("ims", small(), run);
  for (const host of CORE_DOWN) cloud.compute.down.add(host);
  const failed = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 11 }, run);
  assert.equal(failed.kind, "failed");
  cloud.compute.down.clear();
  lab.lines.length = 0;
  cloud.requests.length = 0;
}

const patches = ({ cloud }: Lab): number => cloud.requests.filter((one) => one.startsWith("PATCH ")).length;

test("after a step that failed another size is asked for: the step ends first, then the next begins", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 7 });
  const { driver, model, run, cloud, pace, lines } = lab;
  await halfGrown(lab);
  const mixed: string[] = [];
  pace.whileWaiting(() => {
    const stack = cloud.stacks.get("ims");
    const there =
      stack?.members.filter(({ pool, status }) => pool === "sprout" && status === "COMPLETE") ?? [];
    const first = there.filter(({ index }) => index < 11).length;
    if (first < 11 && there.some(({ index }) => index >= 11))
      mixed.push(`${first} of 11, and one of the next`);
  });
  const outcome = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run);
  assert.deepEqual(outcome, { kind: "done", changed: true, said: "sprout has 15 members" });
  assert.deepEqual(mixed, []);
  assert.equal(patches(lab), 2);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("sprout: ")),
    ["sprout: what was begun with 11 members is ended first", "sprout: 11 > 15", "sprout: 11 > 15"],
  );
});

test("growth that found no room is taken back at once", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 7 });
  const { driver, model, run, cloud } = lab;
  await halfGrown(lab);
  for (const host of CORE_DOWN) cloud.compute.down.add(host);
  const outcome = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 7 }, run);
  assert.deepEqual(outcome, { kind: "done", changed: true, said: "sprout has 7 members" });
  assert.equal(patches(lab), 1);
});

test("someone else scales while his action is waited for: nothing of ours is asked for", async (t) => {
  const lab = await startLab(t);
  const { driver, model, run, cloud, pace } = lab;
  await driver.instantiate("ims", small(), run);
  const stack = cloud.stacks.get("ims");
  assert.ok(stack !== undefined);
  cloud.requests.length = 0;
  // Between what the command has read and its request another one begins.
  cloud.faults.push({ on: /^PATCH \/heat\/stacks\/ims\/[^/]*$/, status: 409 });
  let begun = false;
  pace.whileWaiting(() => {
    if (begun) return;
    begun = true;
    stack.update(new Map([["sprout_count", "11"]]));
  });
  const outcome = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run);
  assert.match(outcome.kind === "failed" ? outcome.reason : "", /has 11 members, not the 7 .*someone else/);
  assert.equal(patches(lab), 1);
  assert.equal(stack.parameters.get("sprout_count"), "11");
});

test("members that hold a store leave one after the other, the last first", async (t) => {
  const lab = await startLab(t);
  const { driver, model, run, cloud, lines } = lab;
  await driver.instantiate("ims", small({ vellum_count: "5" }), run);
  cloud.requests.length = 0;
  const outcome = await scalePool(driver, model, { name: "ims", pool: "vellum", size: 3 }, run);
  assert.equal(outcome.kind, "done", JSON.stringify(outcome));
  assert.deepEqual(
    lines.filter((line) => line.endsWith("SHUTOFF")),
    ["vellum-4: SHUTOFF", "vellum-3: SHUTOFF"],
  );
  const actions = cloud.requests.filter((one) =>
    /^(POST \/nova\/servers\/.*\/action|GET \/nova\/servers\/[^/]+)$/.test(one),
  );
  const second = actions.findLastIndex((one) => one.startsWith("POST "));
  assert.ok(
    actions.slice(0, second).some((one) => one.startsWith("GET ")),
    actions.join("\n"),
  );
});
