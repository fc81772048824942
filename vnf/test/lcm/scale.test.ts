import assert from "node:assert/strict";
import { test } from "node:test";
import { auditPlacement } from "../../src/lcm/audit.ts";
import { planScaling, scalePool } from "../../src/lcm/scale.ts";
import { type Lab, small, startLab } from "../../testing/lab.ts";

/** Looks at the placement at every turn of the cloud, as `placement audit --every` does. */
function watchPlacement({ cloud, pace }: Lab): { worst: () => number; broken: string[] } {
  const broken: string[] = [];
  let worst = 0;
  pace.whileWaiting(() => {
    const byPool = new Map<string, Map<string, number>>();
    for (const { name, host } of cloud.compute.servers.values()) {
      if (host === "") continue;
      const pool = name.replace(/-\d+$/, "");
      const hosts = byPool.get(pool) ?? new Map<string, number>();
      byPool.set(pool, hosts.set(host, (hosts.get(host) ?? 0) + 1));
    }
    const hosts = byPool.get("sprout") ?? new Map<string, number>();
    const size = [...hosts.values()].reduce((sum, n) => sum + n, 0);
    if (size < 7) return;
    const most = Math.max(...hosts.values());
    worst = Math.max(worst, most / size);
    if (most > Math.floor(size / 4)) broken.push(`${most} of ${size}`);
  });
  return { worst: () => worst, broken };
}

test("7, 11, 15 and back to 7: each step alone, nothing above the share at any turn", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 7 });
  const { driver, model, run, cloud, lines } = lab;
  assert.equal((await driver.instantiate("ims", small(), run)).kind, "done");
  const watch = watchPlacement(lab);
  const up = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run);
  assert.deepEqual(up, { kind: "done", changed: true, said: "sprout has 15 members" });
  assert.equal(cloud.stacks.get("ims")?.parameters.get("sprout_spare"), "3");
  assert.ok(lines.includes("sprout: 7 > 11 > 15"));
  const patches = () => cloud.requests.filter((one) => one.startsWith("PATCH /heat/stacks/ims/")).length;
  assert.equal(patches(), 2);
  const down = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 7 }, run);
  assert.equal(down.kind, "done");
  assert.equal(patches(), 4);
  assert.equal(cloud.stacks.get("ims")?.parameters.get("sprout_spare"), "1");
  assert.equal(
    [...cloud.compute.servers.values()].filter(({ name }) => name.startsWith("sprout-")).length,
    7,
  );
  assert.deepEqual(watch.broken, []);
  assert.ok(watch.worst() <= 0.25 && watch.worst() > 0, String(watch.worst()));
});

test("members that leave are drained before Heat is asked: switched off gracefully by Nova", async (t) => {
  const { driver, model, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small({ sprout_count: "11", sprout_spare: "2" }), run);
  cloud.requests.length = 0;
  assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size: 7 }, run)).kind, "done");
  const stops = cloud.requests.flatMap((one, at) =>
    /^POST \/nova\/servers\/.*\/action$/.test(one) ? [at] : [],
  );
  const patch = cloud.requests.findIndex((one) => one.startsWith("PATCH /heat/"));
  assert.equal(stops.length, 4);
  assert.ok(stops.every((at) => at < patch));
  assert.deepEqual(
    lines.filter((line) => line.endsWith("SHUTOFF")),
    ["sprout-7", "sprout-8", "sprout-9", "sprout-10"].map((name) => `${name}: SHUTOFF`),
  );
});

test("sizes that cannot be are refused with those that can, and nothing is asked of Heat", async (t) => {
  const { driver, model, run } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const refusals: readonly [string, number, RegExp, RegExp][] = [
    ["sprout", 9, /cannot stay at 9/, /7 and 11/],
    ["sprout", 0, /cannot have 0/, /1 to 64/],
    ["sprout", 65, /cannot have 65/, /1 to 64/],
    ["sprout", 8.5, /cannot have 8.5/, /1 to 64/],
    ["spruit", 7, /no pool spruit/, /bono, sprout, homestead, vellum/],
    ["__proto__", 7, /no pool __proto__/, /bono/],
  ];
  for (const [pool, size, reason, remedy] of refusals) {
    const planning = planScaling(instance, model, pool, size);
    assert.ok(planning.kind === "refused", `${pool}=${size}`);
    assert.match(planning.reason, reason);
    assert.match(planning.remedy, remedy);
  }
});

test("a map that is too short grows by the planner's, its beginning unchanged", async (t) => {
  const { driver, model, run } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const planning = planScaling(instance, model, "sprout", 23);
  assert.ok(planning.kind === "steps");
  assert.deepEqual(
    planning.changes.map(({ size, spare }) => [size, spare]),
    [
      [11, 2],
      [15, 3],
      [19, 4],
      [23, 5],
    ],
  );
  assert.equal(planning.changes[0]?.cellMap.join(","), "0,0,0,0,0,0,0,1,1,1,1,2,2,2,2,3,3,3,3,4,4,4,4");
});

test("too few hosts for a step: what exists is told; the same command goes on when there are enough", async (t) => {
  const { driver, model, run, cloud } = await startLab(t, { dmz: 8, core: 7 });
  await driver.instantiate("ims", small(), run);
  for (const host of ["core-1", "core-2", "core-3", "core-4"]) cloud.compute.down.add(host);
  const failed = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 11 }, run);
  assert.equal(failed.kind, "failed");
  assert.match(failed.kind === "failed" ? failed.reason : "", /^UPDATE_FAILED: .*No valid host/);
  assert.equal(
    failed.kind === "failed" ? failed.next[0] : "",
    "tidewater vnf scale ims sprout=11 again goes on from here",
  );
  cloud.compute.down.clear();
  const again = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 11 }, run);
  assert.equal(again.kind, "done", JSON.stringify(again));
  const instance = await driver.find("ims");
  assert.equal(instance?.status, "UPDATE_COMPLETE");
  const members = instance === undefined ? [] : await driver.members(instance);
  assert.equal(members.filter(({ pool, state }) => pool === "sprout" && state === "ready").length, 11);
});

test("Heat busy with another update (409) is waited for; a 500 after the update was begun is not repeated", async (t) => {
  const { driver, model, run, cloud } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  cloud.faults.push({ on: /^PATCH \/heat\/stacks\/ims\/[^/]*$/, status: 409 });
  assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size: 11 }, run)).kind, "done");
  cloud.requests.length = 0;
  cloud.faults.push({ on: /^PATCH \/heat\/stacks\/ims\/[^/]*$/, status: 500, carriedOut: true });
  assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run)).kind, "done");
  assert.equal(cloud.requests.filter((one) => one.startsWith("PATCH ")).length, 1);
});

test("two that scale at once: the second one sees it and stops", async (t) => {
  const { driver, model, run, cloud, pace } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  let meddled = false;
  pace.whileWaiting(() => {
    const stack = cloud.stacks.get("ims");
    if (!meddled && stack?.status === "UPDATE_COMPLETE") {
      stack.parameters.set("sprout_count", "7");
      meddled = true;
    }
  });
  const outcome = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run);
  assert.match(
    outcome.kind === "failed" ? outcome.reason : "",
    /has 7 members, not the 11 .*someone else scales it/,
  );
});

test("the host of a member fails: heal makes its members anew elsewhere, addresses and cells kept", async (t) => {
  const { driver, run, cloud } = await startLab(t, { dmz: 8, core: 8 });
  await driver.instantiate("ims", small(), run);
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const before = await driver.members(instance);
  const host = [...cloud.compute.servers.values()].find(({ name }) => name === "sprout-3")?.host ?? "";
  cloud.compute.down.add(host);
  const { hostId } = before.find(({ name }) => name === "sprout-3") ?? {};
  const lost = before.filter((member) => member.hostId === hostId);
  assert.ok(lost.length >= 1);
  const outcome = await driver.heal(instance, lost, run);
  assert.equal(outcome.kind, "done", JSON.stringify(outcome));
  const after = await driver.members(instance);
  assert.equal(after.length, before.length);
  assert.ok(after.every(({ state }) => state === "ready"));
  assert.ok(!after.some((member) => member.hostId === hostId));
  assert.equal(auditPlacement(instance, after).kept, true);
  const untouched = before.filter((member) => !lost.includes(member));
  for (const { name, serverId } of untouched)
    assert.equal(after.find((member) => member.name === name)?.serverId, serverId);
  assert.equal(cloud.compute.servers.size, before.length, "no twin is left");
});

test("the audit sees a host with too many of a pool, and one that has members of two zones", () => {
  const pool = (name: string, zone: string) => ({
    pool: name,
    size: 7,
    share: { numerator: 1, denominator: 4 },
    spare: 1,
    cellMap: [],
    zoneMap: [],
    zones: [zone],
  });
  const member = (name: string, hostId: string) => ({
    pool: name.replace(/-\d+$/, ""),
    index: 0,
    name,
    state: "ready" as const,
    reason: "",
    hostId,
    addresses: [],
  });
  const members = [..."abcdef"].map((host, at) => member(`sprout-${at}`, host));
  members.push(member("sprout-6", "a"), member("bono-0", "b"));
  const audit = auditPlacement(
    { pools: [pool("bono", "dmz"), pool("sprout", "core")], guaranteed: true },
    members,
  );
  assert.equal(audit.kept, false);
  assert.deepEqual(audit.pools[1]?.crowded, [{ hostId: "a", members: ["sprout-0", "sprout-6"] }]);
  assert.deepEqual(audit.mixed, [{ hostId: "b", members: ["sprout-1", "bono-0"] }]);
});

test("a Heat too busy to list the stack does not end the operation", async (t) => {
  const { driver, model, run, cloud, lines } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  cloud.faults.push({ on: /^GET .*\/resources$/, status: 500, times: 3 });
  const outcome = await scalePool(driver, model, { name: "ims", pool: "sprout", size: 11 }, run);
  assert.equal(outcome.kind, "done", JSON.stringify(outcome));
  assert.ok(lines.some((line) => line.startsWith("how far it is, Heat does not say now: heat answers 500")));
});

test("interrupted in a step: the same command waits for its end and does not ask Heat a second time", async (t) => {
  const { driver, model, run, cloud, pace } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const stop = new AbortController();
  pace.whileWaiting(() => stop.abort(new Error("interrupted")));
  const wanted = { name: "ims", pool: "sprout", size: 11 };
  const first = await scalePool(driver, model, wanted, { ...run, signal: stop.signal });
  assert.match(first.kind === "failed" ? first.reason : "", /^interrupted/);
  assert.equal(cloud.stacks.get("ims")?.status, "UPDATE_IN_PROGRESS");
  assert.equal((await scalePool(driver, model, wanted, run)).kind, "done");
  assert.equal(cloud.requests.filter((one) => one.startsWith("PATCH ")).length, 1);
});
