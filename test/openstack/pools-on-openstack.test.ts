import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { planVnf, readModel, type Tolerance } from "../../vnf/src/index.ts";
import { FirstBootAgent } from "./first-boot-agent.ts";
import { makeProject } from "./lab/bootstrap.ts";
import { type Json, OpenStack } from "./lab/open-stack.ts";
import { until } from "./lab/processes.ts";
import { labFor, setHosts } from "./lab-for-tests.ts";
import { inventory, leftOver } from "./orphans.ts";
import { PlacementWatch } from "./placement-watch.ts";
import { poolOf, type SeenServer, serversOf } from "./servers.ts";
import { type StackResource, Stacks } from "./stacks.ts";

const POOLS = ["bono", "sprout", "homestead"] as const;
/** Pools of 7 at a quarter that are scaled; the others, where fewer are named, are pools of 2 at a half. */
const SCALED = (process.env["OPENSTACK_POOLS"] ?? POOLS.join(",")).split(",");
const PATIENCE = 2400; // s, for one thing that is asked of Heat on a busy machine

const reading = readModel();
assert.ok(reading.kind === "model");
const { model } = reading;

function toleranceOf(pool: string): Tolerance {
  const { tolerated } = model.vdus.find(({ name }) => name === pool) ?? assert.fail(`no pool ${pool}`);
  const { share, members } = tolerated;
  if (POOLS.some((one) => one === pool) && !SCALED.includes(pool))
    return { share: { numerator: 1, denominator: 2 } };
  return members === undefined ? { share } : { share, members };
}

async function seconds(work: () => Promise<unknown>): Promise<string> {
  const began = performance.now();
  await work();
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

function sizes(size: number): Record<string, number> {
  const parameters = SCALED.flatMap((pool): [string, number][] => [
    [`${pool}_count`, size],
    [`${pool}_spare`, Math.floor(size / 4)],
  ]);
  return Object.fromEntries(parameters);
}

function sizeOf(pool: string, size: number): number {
  return SCALED.includes(pool) ? size : 2;
}

const PAIRS = Object.fromEntries(
  POOLS.filter((pool) => !SCALED.includes(pool)).flatMap((pool): [string, number][] => [
    [`${pool}_count`, 2],
    [`${pool}_spare`, 1],
    [`${pool}_members_per_share`, 2],
  ]),
);

async function addressesOf(cloud: OpenStack): Promise<Map<string, string>> {
  const ports = (await cloud.get("network", "/ports"))["ports"] as unknown as Json[];
  return new Map(
    ports
      .filter((port) => port["device_id"] !== ("" as unknown))
      .map((port): [string, string] => {
        const fixed = port["fixed_ips"] as unknown as { ip_address: string }[];
        return [String(port["id"]), fixed.map(({ ip_address }) => ip_address).join(" ")];
      }),
  );
}

test("pools of the small environment on a running OpenStack", { timeout: 5_400_000 }, async (t) => {
  const lab = await labFor(t);
  const admin = new OpenStack(lab, "admin", "admin");
  // A project of its own: nothing in it is of someone else.
  await makeProject(lab, admin, "pools");
  const cloud = new OpenStack(lab, "operator", "pools");
  const stacks = new Stacks(cloud);
  const name = `test-${process.pid}`;
  const { project } = await cloud.token();
  const before = await inventory(admin, project);
  const ours = (): Promise<SeenServer[]> => serversOf(admin, project);
  const zone = (prefix: string): string[] =>
    lab.hosts.filter((host) => host.zone === prefix).map((host) => host.name);
  const agent = new FirstBootAgent(admin, project);
  t.after(() => agent.end());
  t.after(async () => {
    await stacks.delete(name, PATIENCE);
  });
  const small = {
    name,
    environments: ["small", "dmz-provider-network", "external-dns"],
    parameters: { join_token: "one-time", update_pause: 0, ...PAIRS },
  };

  await t.test("a bad combination is refused before anything is made", async () => {
    const refusals: readonly (readonly [Record<string, string | number>, RegExp])[] = [
      [{ core_zones: "dmz" }, /zones_of_bono_and_core_are_apart/],
      [{ bono_count: 8, bono_spare: 2 }, /bono_pool_is_sound.*size_is_aligned/],
      [{ bono_count: 11 }, /bono_pool_is_sound.*spare/],
      [{ vellum_count: 2, vellum_members_per_share: 2 }, /stores_have_a_majority/],
      [{ dns_servers: "" }, /bono_finds_sprouts_by_dns/],
      [{ mw_cidr: "10.20.3.0/24" }, /address_ranges_are_four/],
      [{ mw_network: "dmz" }, /networks_are_four/],
      [{ image: "no-such-image" }, /no-such-image/],
      [{ sprout_flavor: "no-such-flavor" }, /no-such-flavor/],
    ];
    for (const [parameters, reason] of refusals) {
      const refusal = await stacks.create({ ...small, parameters: { ...small.parameters, ...parameters } });
      assert.match(String(refusal), reason, JSON.stringify(parameters));
    }
    assert.deepEqual(leftOver(before, await inventory(admin, project)), []);
  });

  await t.test("hosts are too few: the plan is refused", () => {
    const zones = new Map([
      ["dmz", [{ name: "dmz", hosts: 6 }]],
      ["core", [{ name: "core", hosts: 7 }]],
    ]);
    const planning = planVnf(model, {
      pools: model.vdus.map((vdu) => ({ vdu, size: vdu.pool.default })),
      zones,
    });
    assert.equal(planning.kind, "refused");
  });

  const watch = new PlacementWatch(admin, project, toleranceOf);
  t.after(() => watch.end());
  const seven = [...zone("dmz"), ...zone("core")].filter((host) => host.endsWith("-8"));
  await setHosts(admin, seven, "disabled");
  t.after(() => setHosts(admin, seven, "enabled"));

  await t.test("the small environment is made on seven hosts of the DMZ and seven of the core", async (t) => {
    const took = await seconds(async () => {
      assert.equal(await stacks.create(small), undefined);
      assert.deepEqual(await stacks.end(name, PATIENCE), {
        status: "CREATE_COMPLETE",
        reason: "Stack CREATE completed successfully",
      });
    });
    const outputs = await stacks.outputs(name);
    t.diagnostic(`${(await ours()).length} members: CREATE_COMPLETE after ${took}`);
    for (const pool of POOLS) {
      const size = sizeOf(pool, 7);
      assert.equal(Number(outputs.get(`${pool}_hosts_needed`)), size);
      assert.equal(watch.pools.get(pool)?.hosts.size, size, `hosts of ${pool}`);
      assert.equal((outputs.get(`${pool}_members`) as unknown[]).length, size);
    }
    for (const address of outputs.get("access_addresses") as string[])
      assert.match(address, /^198\.51\.100\./);
  });

  if ((await stacks.state(name)).status !== "CREATE_COMPLETE") return;

  await t.test("every member is told who it is, and signalled with what it was given", async () => {
    for (const server of await ours()) {
      const file = agent.booted.get(server.id)?.get("/etc/tidewater/member.json");
      const member = JSON.parse(file?.content ?? "") as { name: string };
      assert.equal(member.name, server.name);
    }
  });

  for (const size of [11, 15, 11, 7])
    await t.test(`the pools are scaled to ${size}, still on seven hosts`, async (t) => {
      const kept = new Set((await ours()).map(({ id }) => id));
      const took = await seconds(async () => {
        await stacks.update(name, sizes(size));
        assert.equal((await stacks.end(name, PATIENCE)).status, "UPDATE_COMPLETE");
      });
      t.diagnostic(`${SCALED.join(", ")} to ${size}: UPDATE_COMPLETE after ${took}`);
      const now = await ours();
      for (const pool of POOLS) {
        const members = now.filter((server) => poolOf(server) === pool);
        assert.deepEqual(
          members.map((server) => server.name).sort(),
          Array.from({ length: sizeOf(pool, size) }, (_, index) => `${pool}-${index}`).sort(),
        );
        assert.equal(watch.pools.get(pool)?.hosts.size, sizeOf(pool, 7), `hosts of ${pool}`);
      }
      const there = new Set(now.map(({ id }) => id));
      assert.equal(
        [...kept].filter((id) => there.has(id)).length,
        Math.min(kept.size, there.size),
        "no member was made anew",
      );
    });

  await t.test("a node of the core finds no place in the DMZ, wherever it is asked for", async () => {
    const images = (await cloud.get("image", "/images?name=tidewater"))["images"] as unknown as Json[];
    const flavors = (await cloud.get("compute", "/flavors"))["flavors"] as unknown as Json[];
    const flavor = flavors.find((one) => one["name"] === ("tidewater.sprout" as unknown));
    const { server } = (await cloud.post("compute", "/servers", {
      server: {
        name: "stray",
        imageRef: String(images[0]?.["id"]),
        flavorRef: String(flavor?.["id"]),
        availability_zone: "dmz",
        networks: "none",
      },
    })) as unknown as { server: { id: string } };
    const end = await until("the end of the stray server", 120, async () => {
      const seen = (await cloud.get("compute", `/servers/${server.id}`))["server"] as Json;
      const { status, fault } = seen as unknown as { status: string; fault?: unknown };
      return status === "BUILD" ? undefined : { status, fault };
    });
    await cloud.delete("compute", `/servers/${server.id}`);
    assert.equal(end.status, "ERROR");
    assert.match(JSON.stringify(end.fault), /No valid host/);
  });

  await t.test(
    "a host of the DMZ and one of the core fail: one member of a pool is lost, and healed elsewhere",
    async (t) => {
      const all = await ours();
      const hostOf = (name: string): string => all.find((server) => server.name === name)?.host ?? "";
      const failed = [hostOf("bono-2"), hostOf("sprout-1")];
      const lost = all.filter(({ host }) => failed.includes(host));
      for (const pool of POOLS)
        assert.ok(lost.filter((server) => poolOf(server) === pool).length <= 1, `lost of ${pool}`);
      for (const host of failed) writeFileSync(join(lab.folder, "failed", host), "");
      t.after(() => failed.map((host) => rmSync(join(lab.folder, "failed", host), { force: true })));
      await until("the hosts are down", 120, async () => {
        const services = (await admin.get("compute", "/os-services?binary=nova-compute"))["services"];
        const down = (services as unknown as Json[]).filter((one) => one["state"] === ("down" as unknown));
        return down.length === failed.length ? true : undefined;
      });
      const addresses = await addressesOf(cloud);
      await setHosts(admin, seven, "enabled");
      const took = await seconds(async () => {
        await replace(stacks, cloud, name, lost);
        assert.equal((await stacks.end(name, PATIENCE)).status, "UPDATE_COMPLETE");
      });
      t.diagnostic(`${lost.length} members healed: UPDATE_COMPLETE after ${took}`);
      const healed = (await ours()).filter((server) => lost.some((one) => one.name === server.name));
      assert.equal(healed.length, lost.length);
      for (const { host, status, id } of healed) {
        assert.ok(!failed.includes(host), host);
        assert.equal(status, "ACTIVE");
        assert.ok(agent.booted.has(id), "it has said that it is ready");
      }
      assert.deepEqual(await addressesOf(cloud), addresses);
    },
  );

  await t.test(
    "another image is put on members one after the other: same servers, hosts and addresses",
    async (t) => {
      const old = new Map((await ours()).map((server) => [server.id, server]));
      const addresses = await addressesOf(cloud);
      let most = 0;
      let ended = false;
      const observer = (async () => {
        const path = `/servers?all_tenants=true&status=REBUILD&project_id=${project}`;
        while (!ended) {
          const list = (await admin.get("compute", path))["servers"] as unknown as { name: string }[];
          for (const pool of POOLS)
            most = Math.max(most, list.filter((server) => poolOf(server) === pool).length);
          await delay(1000);
        }
      })();
      const took = await seconds(async () => {
        await stacks.update(name, { image: "tidewater-next" });
        assert.equal((await stacks.end(name, PATIENCE)).status, "UPDATE_COMPLETE");
      }).finally(() => {
        ended = true;
      });
      await observer;
      const now = await ours();
      t.diagnostic(
        `${now.length} members have another image: UPDATE_COMPLETE after ${took}, ${most} of a pool at once`,
      );
      assert.equal(now.length, old.size);
      for (const { id, host, image, status } of now) {
        assert.equal(host, old.get(id)?.host);
        assert.notEqual(image, old.get(id)?.image);
        assert.equal(status, "ACTIVE");
      }
      assert.ok(most <= 1, `${most} members of a pool were rebuilt at once`);
      assert.deepEqual(await addressesOf(cloud), addresses);
    },
  );

  await t.test(
    "at no moment did a host hold more of a pool than it may, nor bono share a host with the core",
    async (t) => {
      await watch.end();
      for (const [pool, { samples, worst, hosts, violations }] of watch.pools) {
        t.diagnostic(
          `${pool}: ${samples} samples, worst ${worst.onHost} of ${worst.members} on a host, ${hosts.size} hosts`,
        );
        assert.deepEqual(violations, [], pool);
        assert.ok(
          [...hosts].every((host) => host.startsWith(pool === "bono" ? "dmz-" : "core-")),
          pool,
        );
      }
      t.diagnostic(`longest time between two samples: ${(watch.longestGap / 1000).toFixed(1)} s`);
      assert.deepEqual([...watch.pools.keys()].sort(), [...POOLS, "vellum"].sort());
    },
  );

  await t.test("the stack is deleted, and nothing is left of it", async (t) => {
    const took = await seconds(() => stacks.delete(name, PATIENCE));
    t.diagnostic(`deleted after ${took}`);
    assert.deepEqual(leftOver(before, await inventory(admin, project)), []);
  });
});

/** What a plain member of a project can do for members on a dead host: the server goes, the next update makes it anew on its ports. */
async function replace(
  stacks: Stacks,
  cloud: OpenStack,
  name: string,
  lost: readonly SeenServer[],
): Promise<void> {
  const resources = await stacks.resources(name);
  for (const { id } of lost) await cloud.delete("compute", `/servers/${id}`);
  for (const { id } of lost) {
    await until(`end of server ${id}`, 120, async () => {
      const { servers } = (await cloud.get("compute", "/servers")) as unknown as {
        servers: { id: string }[];
      };
      return servers.some((server) => server.id === id) ? undefined : true;
    });
    const server = resources.find((one) => one.id === id) ?? assert.fail(`no resource is ${id}`);
    const parts = resources.filter(
      (one: StackResource) =>
        one.stack === server.stack && ["server", "ready", "ready_handle"].includes(one.name),
    );
    assert.equal(parts.length, 3);
    for (const part of parts) await stacks.markUnhealthy(part);
  }
  await stacks.update(name, {});
}
