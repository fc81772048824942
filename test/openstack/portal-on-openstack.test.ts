import assert from "node:assert/strict";
import { test } from "node:test";
import { FirstBootAgent } from "./first-boot-agent.ts";
import { makeProject } from "./lab/bootstrap.ts";
import { OpenStack } from "./lab/open-stack.ts";
import { labFor } from "./lab-for-tests.ts";
import { inventory, leftOver } from "./orphans.ts";
import { poolOf, type SeenServer, serversOf } from "./servers.ts";
import { Stacks } from "./stacks.ts";

const PATIENCE = 1800; // s
/** Few: where members are is what other tests look at. */
const HOSTS = "dmz=1,core=2";

test("a portal comes into a running stack, and goes again", { timeout: 3_600_000 }, async (t) => {
  const lab = await labFor(t, HOSTS);
  const admin = new OpenStack(lab, "admin", "admin");
  await makeProject(lab, admin, "portal");
  const stacks = new Stacks(new OpenStack(lab, "operator", "portal"));
  const name = `portal-${process.pid}`;
  const { project } = await new OpenStack(lab, "operator", "portal").token();
  const before = await inventory(admin, project);
  const agent = new FirstBootAgent(admin, project);
  t.after(() => agent.end());
  t.after(() => stacks.delete(name, PATIENCE));
  const servers = (): Promise<SeenServer[]> => serversOf(admin, project);
  const portals = (all: readonly SeenServer[]): SeenServer[] => all.filter((one) => poolOf(one) === "ellis");

  await t.test("without one nothing of it is there", async () => {
    const parameters = {
      ...{ dmz_zones: "dmz", core_zones: "core", join_token: "one-time", update_pause: 0 },
      bono_flavor: "tidewater.bono", // the hosts of the DMZ take nothing else
    };
    assert.equal(await stacks.create({ name, environments: ["lab-one-host"], parameters }), undefined);
    assert.deepEqual(await stacks.end(name, PATIENCE), {
      status: "CREATE_COMPLETE",
      reason: "Stack CREATE completed successfully",
    });
    assert.deepEqual(portals(await servers()), []);
    const outputs = await stacks.outputs(name);
    assert.deepEqual(outputs.get("ellis_members"), []);
    assert.deepEqual(outputs.get("ellis_management_addresses"), []);
    assert.deepEqual(
      (await stacks.resources(name)).filter(({ name: one }) => one.startsWith("ellis")),
      [],
    );
  });
  const kept = new Set((await servers()).map(({ id }) => id));

  await t.test("two come in, told who they are, and nobody else is made anew", async (t) => {
    await stacks.update(name, { ellis_count: 2 });
    const end = await stacks.end(name, PATIENCE);
    assert.equal(end.status, "UPDATE_COMPLETE", end.reason);
    const now = await servers();
    assert.deepEqual(
      portals(now)
        .map((one) => one.name)
        .sort(),
      ["ellis-0", "ellis-1"],
    );
    for (const { id, name: member } of portals(now)) {
      const given = agent.booted.get(id);
      const told = JSON.parse(given?.get("/etc/tidewater/member.json")?.content ?? "") as object;
      assert.partialDeepStrictEqual(told, { role: "ellis", pool: "ellis", name: member });
      const config = given?.get("/etc/tidewater/local_config")?.content ?? "";
      t.diagnostic(`${member}: ${config.match(/^(homestead|homer|cassandra)=.*$/gm)?.join("; ")}`);
      assert.match(config, /^homestead=http:\/\/[\d.]+:8889$/m);
    }
    const there = new Set(now.map(({ id }) => id));
    assert.deepEqual(
      [...kept].filter((id) => !there.has(id)),
      [],
    );
    assert.equal(((await stacks.outputs(name)).get("ellis_management_addresses") as unknown[]).length, 2);
  });

  await t.test("they go again, and the stack is deleted without a trace", async () => {
    await stacks.update(name, { ellis_count: 0 });
    const end = await stacks.end(name, PATIENCE);
    assert.equal(end.status, "UPDATE_COMPLETE", end.reason);
    assert.deepEqual(new Set((await servers()).map(({ id }) => id)), kept);
    await stacks.delete(name, PATIENCE);
    assert.deepEqual(leftOver(before, await inventory(admin, project)), []);
  });
});
