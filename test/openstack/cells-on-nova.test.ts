import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { cellMap, hostCap, hostsNeeded, scalingSteps, type Tolerance } from "../../vnf/src/index.ts";
import { makeProject } from "./lab/bootstrap.ts";
import { type Json, OpenStack } from "./lab/open-stack.ts";
import { until } from "./lab/processes.ts";
import { labFor, setHosts } from "./lab-for-tests.ts";
import { PlacementWatch } from "./placement-watch.ts";
import { serversOf } from "./servers.ts";

const QUARTER: Tolerance = { share: { numerator: 1, denominator: 4 } };
const PATIENCE = 900; // s

/**
 * Nova tries three hosts for a server (max_attempts). Servers of a group that are scheduled at the same moment may meet on a
 * host, and the late check of anti-affinity may turn all of them away: only one after the other are they sure of a host.
 */
const AT_ONCE = 1;

/** Members of a pool as bare servers. */
class Pool {
  readonly #cloud: OpenStack;
  readonly #admin: OpenStack;
  readonly #project: string;
  readonly #groups: readonly string[];
  readonly #image: string;
  readonly #flavor: string;

  private constructor(
    clouds: { readonly cloud: OpenStack; readonly admin: OpenStack; readonly project: string },
    groups: readonly string[],
    image: string,
    flavor: string,
  ) {
    this.#cloud = clouds.cloud;
    this.#admin = clouds.admin;
    this.#project = clouds.project;
    this.#groups = groups;
    this.#image = image;
    this.#flavor = flavor;
  }

  static async make(t: TestContext, cloud: OpenStack, admin: OpenStack, cells: number): Promise<Pool> {
    const groups: string[] = [];
    t.after(async () => {
      for (const id of groups) await cloud.delete("compute", `/os-server-groups/${id}`);
    });
    for (let cell = 0; cell < cells; cell++) {
      const wanted = { name: `bono-cell-${cell}`, policy: "anti-affinity" };
      const made = await cloud.post("compute", "/os-server-groups", { server_group: wanted });
      groups.push(String(made["server_group"]?.["id"]));
    }
    const named = async (service: "image" | "compute", path: string, key: string, name: string) => {
      const list = (await cloud.get(service, path))[key] as unknown as { id: string; name: string }[];
      return list.find((one) => one.name === name)?.id ?? assert.fail(`no ${name}`);
    };
    const image = await named("image", "/images", "images", "tidewater");
    const flavor = await named("compute", "/flavors", "flavors", "tidewater.bono");
    const { project } = await cloud.token();
    return new Pool({ cloud, admin, project }, groups, image, flavor);
  }

  async add(index: number, cell: number): Promise<string> {
    const { server } = (await this.#cloud.post("compute", "/servers", {
      server: {
        name: `bono-${index}`,
        imageRef: this.#image,
        flavorRef: this.#flavor,
        availability_zone: "dmz",
        networks: "none",
      },
      "os:scheduler_hints": { group: this.#groups[cell] },
    })) as unknown as { server: { id: string } };
    return server.id;
  }

  /** Adds or removes members until there are so many, and waits until they are where they stay. */
  async resize(size: number): Promise<void> {
    const map = cellMap(QUARTER, size);
    const there = await serversOf(this.#admin, this.#project);
    const has = (index: number): boolean => there.some(({ name }) => name === `bono-${index}`);
    const missing = map.map((cell, index) => ({ cell, index })).filter(({ index }) => !has(index));
    const surplus = there.filter(({ name }) => Number(name.slice("bono-".length)) >= size);
    await Promise.all(surplus.map(({ id }) => this.#cloud.delete("compute", `/servers/${id}`)));
    for (let first = 0; first < missing.length; first += AT_ONCE) {
      const some = missing.slice(first, first + AT_ONCE);
      await Promise.all(some.map(({ index, cell }) => this.add(index, cell)));
      await this.#settled(there.length - surplus.length + first + some.length);
    }
    await this.#settled(size);
  }

  async #settled(size: number): Promise<void> {
    await until(`${size} members`, PATIENCE, async () => {
      const now = await serversOf(this.#admin, this.#project);
      const failed = now.find(({ status }) => status === "ERROR");
      if (failed !== undefined) assert.fail(`${failed.name} found no host`);
      return now.length === size && now.every(({ status }) => status === "ACTIVE") ? true : undefined;
    });
  }
}

test("cells on Nova's scheduler", { timeout: 3_600_000 }, async (t) => {
  const lab = await labFor(t);
  const admin = new OpenStack(lab, "admin", "admin");
  await makeProject(lab, admin, "cells");
  const cloud = new OpenStack(lab, "operator", "cells");
  const { project } = await cloud.token();
  const most = 15;
  const map = cellMap(QUARTER, most);
  const hosts = lab.hosts.filter(({ zone }) => zone === "dmz").map(({ name }) => name);
  const needed = hostsNeeded(map);
  const spare = hosts.slice(needed);
  await setHosts(admin, spare, "disabled");
  t.after(() => setHosts(admin, hosts, "enabled"));
  const pool = await Pool.make(t, cloud, admin, Math.max(...map) + 1);
  t.after(async () => {
    for (const { id } of await serversOf(admin, project)) await cloud.delete("compute", `/servers/${id}`);
    await until("end of the servers", PATIENCE, async () =>
      (await serversOf(admin, project)).length === 0 ? true : undefined,
    );
  });
  const watch = new PlacementWatch(admin, project, () => QUARTER);
  t.after(() => watch.end());

  const steps = [7, ...scalingSteps(QUARTER, 7, most), ...scalingSteps(QUARTER, most, 7)];
  assert.deepEqual(steps, [7, 11, 15, 11, 7]);
  for (const size of steps)
    await t.test(`a pool of ${size} at a quarter is on ${needed} hosts, at every step`, async (t) => {
      const began = performance.now();
      await pool.resize(size);
      const now = await serversOf(admin, project);
      const perHost = [...Map.groupBy(now, ({ host }) => host).values()].map((there) => there.length);
      assert.ok(Math.max(...perHost) <= hostCap(QUARTER, size), perHost.join(" "));
      t.diagnostic(
        `${((performance.now() - began) / 1000).toFixed(1)} s; on the hosts: ${perHost.join(" ")}`,
      );
    });

  await t.test("with one host fewer than planned the last member finds none", async () => {
    const victim = (await serversOf(admin, project)).find(({ name }) => name === "bono-6");
    assert.ok(victim !== undefined);
    await setHosts(admin, [victim.host], "disabled");
    await cloud.delete("compute", `/servers/${victim.id}`);
    await until("end of bono-6", PATIENCE, async () =>
      (await serversOf(admin, project)).some(({ id }) => id === victim.id) ? undefined : true,
    );
    const again = await pool.add(6, map[6] ?? 0);
    const end = await until("the end of the new bono-6", PATIENCE, async () => {
      const seen = (await cloud.get("compute", `/servers/${again}`))["server"] as Json;
      const { status, fault } = seen as unknown as { status: string; fault?: unknown };
      return status === "BUILD" ? undefined : { status, fault };
    });
    assert.equal(end.status, "ERROR");
    assert.match(JSON.stringify(end.fault), /No valid host/);
    await cloud.delete("compute", `/servers/${again}`);
  });

  await t.test("every second of all that, no host held more than a quarter of the pool", async (t) => {
    await watch.end();
    const { samples, worst, hosts: used, violations } = watch.pools.get("bono") ?? assert.fail("no samples");
    const gap = (watch.longestGap / 1000).toFixed(1);
    t.diagnostic(
      `${samples} samples, ${gap} s apart at most: worst ${worst.onHost} of ${worst.members} on a host, ${used.size} hosts`,
    );
    assert.deepEqual(violations, []);
    assert.equal(used.size, needed);
    assert.ok([...used].every((host) => host.startsWith("dmz-")));
  });
});
