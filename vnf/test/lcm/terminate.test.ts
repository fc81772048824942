import assert from "node:assert/strict";
import { test } from "node:test";
import { small, startLab } from "../../testing/lab.ts";

test("terminate leaves nothing; a second time there is nothing to do", async (t) => {
  const { driver, run, cloud } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  assert.ok(cloud.compute.things.size > 40);
  const outcome = await driver.terminate("ims", run);
  assert.equal(outcome.kind, "done");
  assert.deepEqual([cloud.stacks.size, cloud.compute.servers.size, cloud.compute.things.size], [0, 0, 0]);
  assert.deepEqual(await driver.terminate("ims", run), {
    kind: "done",
    changed: false,
    said: "there is no ims",
  });
});

test("what Heat leaves behind is found and deleted", async (t) => {
  const { driver, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const [server] = cloud.compute.servers.keys();
  const [port] = [...cloud.compute.things]
    .filter(([, collection]) => collection === "ports")
    .map(([id]) => id);
  cloud.compute.sticky.add(server ?? "").add(port ?? "");
  assert.equal((await driver.terminate("ims", run)).kind, "done");
  assert.ok(
    lines.includes(`left behind: OS::Nova::Server ${server} (0.server); deleting it`),
    lines.join("\n"),
  );
  assert.deepEqual([cloud.compute.servers.size, cloud.compute.things.size], [0, 0]);
});

test("a data volume that Heat leaves behind is found and deleted, too", async (t) => {
  const { driver, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small({ vellum_volume: "50" }), run);
  const volumes = [...cloud.compute.things].filter(([, collection]) => collection === "volumes");
  assert.equal(volumes.length, 3);
  const [[volume = ""] = []] = volumes;
  cloud.compute.sticky.add(volume);
  assert.equal((await driver.terminate("ims", run)).kind, "done");
  assert.ok(
    lines.includes(`left behind: OS::Cinder::Volume ${volume} (0.volume); deleting it`),
    lines.join("\n"),
  );
  assert.equal(cloud.compute.things.size, 0);
});

test("what is in use for a while yet is deleted again, and the rest does not wait for it", async (t) => {
  const { driver, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small({ vellum_volume: "50" }), run);
  const of = (wanted: string) =>
    [...cloud.compute.things].find(([, collection]) => collection === wanted)?.[0] ?? "";
  const [volume, port] = [of("volumes"), of("ports")];
  cloud.compute.sticky.add(volume).add(port);
  cloud.faults.push({ on: /^DELETE \/cinder\/volumes\//, status: 400 });
  assert.equal((await driver.terminate("ims", run)).kind, "done");
  assert.ok(
    lines.some((line) => line.startsWith(`OS::Cinder::Volume ${volume}: `)),
    lines.join("\n"),
  );
  assert.deepEqual([cloud.compute.servers.size, cloud.compute.things.size], [0, 0]);
});

test("a deletion that fails is repeated; one that keeps failing says what exists, and may be asked again", async (t) => {
  const { driver, run, cloud } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const stack = cloud.stacks.get("ims");
  assert.ok(stack !== undefined);
  stack.failDeletes = 1;
  const once = await driver.terminate("ims", run);
  assert.equal(once.kind, "done");
  await driver.instantiate("ims", small(), run);
  const other = cloud.stacks.get("ims");
  assert.ok(other !== undefined);
  other.failDeletes = 3;
  const failed = await driver.terminate("ims", run);
  assert.match(failed.kind === "failed" ? failed.reason : "", /^DELETE_FAILED: .*ports still in use/);
  assert.ok(failed.kind === "failed" && failed.exists.length > 20);
  assert.equal((await driver.terminate("ims", run)).kind, "done");
  assert.equal(cloud.compute.servers.size, 0);
});

test("a stack that is half deleted already is gone on with", async (t) => {
  const { driver, run, cloud, heat, pace } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  await heat.delete({ name: "ims", id: cloud.stacks.get("ims")?.id ?? "" });
  await pace.sleep(1);
  assert.ok(cloud.compute.servers.size > 0 && cloud.compute.servers.size < 24);
  const outcome = await driver.terminate("ims", run);
  assert.equal(outcome.kind, "done");
  assert.equal(cloud.compute.servers.size, 0);
});

test("members that wait at their pre-delete hook are let go", async (t) => {
  const { driver, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const stack = cloud.stacks.get("ims");
  assert.ok(stack !== undefined);
  stack.hook = true;
  assert.equal((await driver.terminate("ims", run)).kind, "done");
  assert.ok(lines.includes("ims-bono-g-0: server may be deleted (hook cleared)"), lines.join("\n"));
});
