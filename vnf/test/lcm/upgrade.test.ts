import assert from "node:assert/strict";
import { test } from "node:test";
import { scalePool } from "../../src/lcm/scale.ts";
import { type Lab, small, startLab } from "../../testing/lab.ts";

async function serversOf({ driver }: Lab): Promise<Map<string, readonly (string | undefined)[]>> {
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const members = await driver.members(instance);
  return new Map(members.map(({ name, serverId, hostId }) => [name, [serverId, hostId]]));
}

async function upgraded(lab: Lab, joinToken?: string): Promise<void> {
  const { driver, run } = lab;
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const how = { pauseSeconds: 10, ...(joinToken === undefined ? {} : { joinToken }) };
  const outcome = await driver.upgrade(instance, { image: "tidewater-next", ...how }, run);
  assert.equal(outcome.kind, "done");
  const members = await driver.members(instance);
  assert.ok(members.every(({ image }) => image === "image-tidewater-next"));
}

test("an upgrade rebuilds every member with the image, in place", async (t) => {
  const lab = await startLab(t);
  await lab.driver.instantiate("ims", small(), lab.run);
  const before = await serversOf(lab);
  await upgraded(lab);
  assert.deepEqual(await serversOf(lab), before);
});

test("with a token for the members the servers are others; a new token to scale with afterwards leaves them alone", async (t) => {
  const lab = await startLab(t);
  const { driver, model, run } = lab;
  await driver.instantiate("ims", small(), run);
  const before = await serversOf(lab);
  await upgraded(lab, "t0ken");
  const between = await serversOf(lab);
  assert.deepEqual([...between.keys()], [...before.keys()]);
  for (const [name, [server]] of between) assert.notEqual(server, before.get(name)?.[0]);
  const wanted = { name: "ims", pool: "sprout", size: 11 };
  const scaled = await scalePool(driver, model, wanted, run, { joinToken: "an0ther" });
  assert.equal(scaled.kind, "done");
  const after = await serversOf(lab);
  for (const [name, server] of between) assert.deepEqual(after.get(name), server);
});
