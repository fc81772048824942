import assert from "node:assert/strict";
import { test } from "node:test";
import { auditPlacement } from "../../src/lcm/audit.ts";
import { refusalsIn } from "../../src/lcm/check.ts";
import { preflight } from "../../src/lcm/preflight.ts";
import { small, startLab } from "../../testing/lab.ts";

test("a VNF is made, every member in its pool; the same command again finds it done", async (t) => {
  const { driver, run, lines, cloud } = await startLab(t);
  const first = await driver.instantiate("ims", small(), run);
  assert.deepEqual(first, { kind: "done", changed: true, said: "ims is made, CREATE_COMPLETE" });
  assert.ok(
    lines.some((line) => /^create: bono 3 of 7/.test(line)),
    lines.join("\n"),
  );
  const instance = await driver.find("ims");
  assert.ok(instance !== undefined);
  const members = await driver.members(instance);
  assert.equal(members.length, 24);
  assert.ok(members.every(({ state, serverStatus }) => state === "ready" && serverStatus === "ACTIVE"));
  const audit = auditPlacement(instance, members);
  assert.equal(audit.kept, true);
  assert.deepEqual(
    audit.pools.map(({ pool, members: n, most, cap }) => [pool, n, most, cap]),
    [
      ["bono", 7, 1, 1],
      ["sprout", 7, 1, 1],
      ["homestead", 7, 1, 1],
      ["vellum", 3, 1, 1],
    ],
  );
  const asked = cloud.requests.filter((one) => one.startsWith("POST /heat")).length;
  const second = await driver.instantiate("ims", small(), run);
  assert.deepEqual(second, { kind: "done", changed: false, said: "ims is there already, CREATE_COMPLETE" });
  assert.equal(cloud.requests.filter((one) => one.startsWith("POST /heat")).length, asked);
});

test("a stack that failed half way is told with its reason and completed by the same command", async (t) => {
  const { driver, run, cloud } = await startLab(t, { dmz: 8, core: 6 });
  const first = await driver.instantiate("ims", small(), run);
  assert.equal(first.kind, "failed");
  assert.match(first.kind === "failed" ? first.reason : "", /^CREATE_FAILED: .*server: .*No valid host/);
  assert.deepEqual(first.kind === "failed" ? first.exists.slice(0, 2) : [], [
    "stack ims, CREATE_FAILED",
    "bono: 7 of 7 members complete, 7 servers",
  ]);
  assert.match(
    first.kind === "failed" ? first.next.join("\n") : "",
    /same command.*\n.*status ims.*\n.*terminate ims/,
  );
  cloud.compute.hosts.get("core")?.push("core-7");
  const second = await driver.instantiate("ims", small(), run);
  assert.deepEqual(second, { kind: "done", changed: true, said: "ims is completed" });
  assert.equal(cloud.compute.servers.size, 24, "no twin is left of what failed");
});

test("values that are JSON are the same however they are written", async (t) => {
  const { driver, run } = await startLab(t);
  const routes = { default: ["sip:psap@example.com"], routes: [] };
  const made = await driver.instantiate("ims", small({ psap_routes: JSON.stringify(routes) }), run);
  assert.equal(made.kind, "done");
  const again = '{ "routes": [],\n "default": [ "sip:psap@example.com" ] }';
  const second = await driver.instantiate("ims", small({ psap_routes: again }), run);
  assert.deepEqual(second, { kind: "done", changed: false, said: "ims is there already, CREATE_COMPLETE" });
  const other = await driver.instantiate("ims", small({ psap_routes: "{}" }), run);
  assert.match(other.kind === "failed" ? other.reason : "", /^ims exists with other values: psap_routes is /);
});

test("a stack that exists with other values is not touched", async (t) => {
  const { driver, run, cloud } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const outcome = await driver.instantiate("ims", small({ home_domain: "other.example" }), run);
  assert.equal(outcome.kind, "failed");
  assert.match(
    outcome.kind === "failed" ? outcome.reason : "",
    /^ims exists with other values: home_domain is example.com, not other.example$/,
  );
  assert.ok(!cloud.requests.some((one) => one.startsWith("PUT ")));
});

test("an answer that is lost after the stack was begun does not make a second one", async (t) => {
  for (const status of [0, 500, 504]) {
    const { driver, run, cloud, lines } = await startLab(t);
    cloud.faults.push({ on: /^POST \/heat\/stacks$/, status, carriedOut: true });
    const outcome = await driver.instantiate("ims", small(), run);
    assert.equal(outcome.kind, "done", JSON.stringify(outcome));
    assert.equal(cloud.requests.filter((one) => one === "POST /heat/stacks").length, 1);
    assert.ok(lines.some((line) => line.endsWith("looking whether it was begun")));
  }
});

test("a creation that Heat did not begin is asked for again", async (t) => {
  const { driver, run, cloud } = await startLab(t);
  cloud.faults.push({ on: /^POST \/heat\/stacks$/, status: 503, times: 2 });
  assert.equal((await driver.instantiate("ims", small(), run)).kind, "done");
  assert.equal(cloud.requests.filter((one) => one === "POST /heat/stacks").length, 3);
});

test("a stack that is being deleted is waited for, then made anew", async (t) => {
  const { driver, run, heat } = await startLab(t);
  await driver.instantiate("ims", small(), run);
  const before = await driver.find("ims");
  await heat.delete({ name: "ims", id: before?.id ?? "" });
  const outcome = await driver.instantiate("ims", small(), run);
  assert.equal(outcome.kind, "done");
  assert.notEqual((await driver.find("ims"))?.id, before?.id);
});

test("a stack that is deleted by someone else half way is told, and made by the same command", async (t) => {
  const { driver, run, cloud, pace } = await startLab(t);
  let turns = 0;
  pace.whileWaiting(() => {
    if (++turns === 3) for (const stack of cloud.stacks.values()) stack.status = "DELETE_IN_PROGRESS";
  });
  const outcome = await driver.instantiate("ims", small(), run);
  assert.match(outcome.kind === "failed" ? outcome.reason : "", /deleted meanwhile/);
  assert.equal(cloud.compute.servers.size, 0);
  assert.equal((await driver.instantiate("ims", small(), run)).kind, "done");
});

test("a Heat that takes longer than the time given is left to it, and gone on with later", async (t) => {
  const { driver, run, cloud } = await startLab(t);
  cloud.idle = 30;
  const late = await driver.instantiate("ims", small(), { ...run, timeoutMs: 20_000 });
  assert.match(late.kind === "failed" ? late.reason : "", /still at it \(CREATE_IN_PROGRESS\) and goes on/);
  assert.equal((await driver.instantiate("ims", small(), run)).kind, "done");
});

test("an interrupt ends the waiting and says that the cloud goes on", async (t) => {
  const { driver, run, pace } = await startLab(t);
  const stop = new AbortController();
  pace.whileWaiting(() => stop.abort(new Error("interrupted")));
  const outcome = await driver.instantiate("ims", small(), { ...run, signal: stop.signal });
  assert.match(
    outcome.kind === "failed" ? outcome.reason : "",
    /^interrupted; what the cloud has begun goes on/,
  );
});

test("preflight tells everything that is missing at once, with a remedy, and makes nothing", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 8 });
  const { cloud } = lab;
  const [image] = cloud.images;
  assert.ok(image !== undefined);
  image.status = "queued";
  cloud.flavors.shift();
  cloud.limits.instances = 10;
  cloud.limits.securityGroups = 5;
  cloud.compute.hosts.delete("dmz");
  const deployment = small({ access_network: "nowhere", external_network: "dmz" });
  const checks = await preflight(lab, { name: "ims", deployment, hosts: new Map([["core", 6]]) });
  const refused = refusalsIn(checks);
  assert.ok(refused.every(({ remedy }) => (remedy ?? "") !== ""));
  const told = refused.map(({ check, what }) => `${check}: ${what}`).join("\n");
  for (const expected of [
    /^image: image tidewater is queued, not active$/m,
    /^flavour: bono: there is no flavour tidewater.bono$/m,
    /^zone: availability zone dmz does not exist$/m,
    /^hosts: sprout: zone core has 6 hosts; 7 sprouts need 7/m,
    /^network: access_network: there is no network nowhere$/m,
    /^network: external_network: dmz is not external$/m,
    /^quota: instances: 24 needed, 10 left of 10$/m,
    /^quota: security_group: 9 needed, 4 left of 5$/m,
  ])
    assert.match(told, expected);
  assert.equal(refused.length, 9, told); // homestead's hosts, too
  assert.equal(cloud.stacks.size, 0);
});

test("preflight looks at the networks that are given: of the project where members have addresses, with port security", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 8 });
  const networks = async (given: Readonly<Record<string, string>>): Promise<string[]> =>
    (await preflight(lab, { name: "ims", deployment: small(given), hosts: new Map() }))
      .filter(({ check }) => check === "network")
      .map(({ verdict, what }) => `${verdict} ${what}`);
  assert.deepEqual(await networks({ access_network: "dmz" }), ["ok access_network: dmz"]);
  const [foreign] = await networks({ mw_network: "dmz" });
  assert.match(
    foreign ?? "",
    /^warning mw_network: dmz is another project's: .* its owner alone choose addresses/,
  );
  const [unsecured] = await networks({ access_network: "open" });
  assert.match(unsecured ?? "", /^refused access_network: open has no port security/);
});

test("preflight counts data volumes and what they hold against the quotas of Cinder, and tells of a cloud without it", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 8 });
  const told = async (volume: string): Promise<string[]> =>
    (await preflight(lab, { name: "ims", deployment: small({ vellum_volume: volume }), hosts: new Map() }))
      .filter(({ what }) => /^(volumes|gigabytes|data volumes)/.test(what))
      .map(({ verdict, what }) => `${verdict} ${what}`);
  assert.deepEqual(await told("50"), ["ok volumes: 3 of 10 left", "ok gigabytes: 150 of 1000 left"]);
  assert.deepEqual(await told("500"), [
    "ok volumes: 3 of 10 left",
    "refused gigabytes: 1500 needed, 1000 left of 1000",
  ]);
  assert.deepEqual(await told("0"), []);
  lab.cloud.blockStorage = false;
  lab.cloud.revokeTokens();
  assert.deepEqual(await told("50"), [
    "refused data volumes are wanted, and this cloud has no block storage",
  ]);
  assert.deepEqual(await told("0"), []);
});

test("preflight counts the hosts for the cells that are deployed: with a host for every member as many as there are members", async (t) => {
  const lab = await startLab(t, { dmz: 8, core: 8 });
  const cells = Array.from({ length: 64 }, () => 0).join(",");
  const deployment = small({ sprout_count: "11", sprout_cell_map: cells });
  const onHosts = async (core: number) =>
    refusalsIn(await preflight(lab, { name: "ims", deployment, hosts: new Map([["core", core]]) }))
      .filter(({ check }) => check === "hosts")
      .map(({ what, remedy }) => `${what}; ${remedy}`);
  assert.deepEqual(await onHosts(10), [
    "sprout: zone core has 10 hosts; 11 sprouts need 11 there with the cells of sprout_cell_map; add 1 host to core, or leave sprout_cell_map as it comes",
  ]);
  assert.deepEqual(await onHosts(11), []);
});

test("preflight counts the security groups against the usual ten: nine of ours and the project's own fit, one more does not", async (t) => {
  const lab = await startLab(t);
  const { cloud } = lab;
  const told = async (): Promise<string> => {
    const checks = await preflight(lab, { name: "ims", deployment: small(), hosts: new Map() });
    return checks.map(({ verdict, what, remedy }) => `${verdict} ${what}; ${remedy ?? ""}`).join("\n");
  };
  cloud.limits.securityGroups = 10;
  assert.match(await told(), /^ok security_group: 9 of 9 left; $/m);
  cloud.limits.securityGroupsUsed = 0; // The group "default" is yet to be made.
  assert.match(await told(), /^ok security_group: 10 of 10 left; $/m);
  cloud.limits.securityGroupsUsed = 2;
  assert.match(
    await told(),
    /^refused security_group: 9 needed, 8 left of 10; have the quota raised to 11 \(openstack quota set --secgroups 11 <project>, for an administrator\), or free 1$/m,
  );
  assert.match(await told(), /^ok security_group_rule: \d\d of 99 left; $/m);
});

test("preflight without the right to see hosts says so, and how to tell them", async (t) => {
  const lab = await startLab(t);
  const checks = await preflight(lab, { name: "ims", deployment: small(), hosts: new Map() });
  assert.equal(refusalsIn(checks).length, 0, JSON.stringify(refusalsIn(checks)));
  const unknown = checks.filter(({ verdict }) => verdict === "unknown");
  assert.deepEqual(
    unknown.map(({ remedy }) => remedy),
    ["dmz", "core"].map((zone) => `say it with --hosts ${zone}=N, or run preflight as an administrator`),
  );
});
