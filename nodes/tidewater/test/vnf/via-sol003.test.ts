import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeVnfm } from "../../../../vnf/testing/fake-vnfm.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");
/** Of vnf/model/vnfd.yaml. */
const VNFD = "0b1f6f5e-7a55-4c0b-8a3b-2c9c3a1d2a61";

async function startManager(t: TestContext) {
  const fake = new FakeVnfm();
  fake.looks = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "GET", url = "/" } = request;
      fake
        .send({
          service: "test",
          method: method as "GET",
          url: `${fake.base}${url}`,
          headers: { Version: String(request.headers["version"] ?? "") },
          body: Buffer.concat(parts).toString("utf8"),
          timeoutMs: 1_000,
        })
        .then(({ status, headers, text }) => {
          response.writeHead(status, { "content-type": "application/json", ...headers });
          response.end(text);
        }, response.destroy.bind(response));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  fake.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    OS_AUTH_URL: `${fake.base}/v3`,
    OS_USERNAME: "operator",
    OS_PASSWORD: "pa55phrase",
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_NAME: "ims",
    OS_PROJECT_DOMAIN_NAME: "Default",
  };
  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [PROGRAM, "vnf", ...args], { env: environment }, (error, stdout, stderr) => {
        assert.doesNotMatch(stdout + stderr, /pa55phrase|\n {4}at /, "no secret, no stack trace");
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  return { fake, run };
}

test("--via sol003: the commands of a life through Heat go through a VNF manager, in the same words and the same aligned steps", async (t) => {
  const { fake, run } = await startManager(t);
  fake.packages.set("package-1", { state: "ONBOARDED", vnfdId: VNFD });
  const made = await run("instantiate", "ims", "--via", "sol003", "-p", "dns_servers=192.0.2.53");
  assert.deepEqual([made.code, made.stdout], [0, "INSTANTIATE COMPLETED\n"], made.stderr);
  const given = fake.bodies[0]?.["additionalParams"] as { tidewater?: unknown };
  assert.deepEqual(given.tidewater, { parameters: { dns_servers: "192.0.2.53" } });
  const planned = await run("scale", "ims", "bono=15", "--via", "sol003", "--dry-run");
  assert.deepEqual([planned.code, planned.stdout], [0, "bono: 7 > 11 > 15\n"], planned.stderr);
  const grown = await run("scale", "ims", "bono=15", "--via", "sol003");
  assert.deepEqual([grown.code, grown.stdout, fake.vnfcs.length], [0, "bono has 15 members\n", 15]);
  fake.asked.length = 0;
  const shrunk = await run("scale", "ims", "bono=11", "--via", "sol003");
  assert.deepEqual([shrunk.code, fake.vnfcs.length], [0, 11], shrunk.stderr);
  const drains = fake.asked.filter((one) => one.startsWith("stop"));
  assert.deepEqual(drains, ["stop bono-11", "stop bono-12", "stop bono-13", "stop bono-14"]);
  assert.ok(
    fake.asked.indexOf("stop bono-14") < fake.asked.findIndex((one) => one.endsWith("/scale")),
    "members that leave are drained before",
  );
  const steps = fake.bodies.filter(({ aspectId }) => aspectId === "bono");
  assert.deepEqual(
    steps.map(({ type, numberOfSteps }) => [type, numberOfSteps]),
    [
      ["SCALE_OUT", 1],
      ["SCALE_OUT", 1],
      ["SCALE_IN", 1],
    ],
  );
  const status = await run("status", "ims", "--via", "sol003", "--json");
  const shown = JSON.parse(status.stdout) as { healthy: boolean; members: { name: string }[] };
  assert.deepEqual([status.code, shown.healthy, shown.members.at(-1)?.name], [0, true, "bono-10"]);
  const audit = await run("placement", "audit", "ims", "--via", "sol003");
  assert.equal(audit.code, 0);
  assert.match(
    audit.stdout,
    /^bono: 11 of 11 members on 7 hosts, 2 on one at most, 2 allowed at 1\/4: kept$/m,
  );
  const before = fake.vnfcs[3]?.server.id;
  const healed = await run("heal", "ims", "bono-3", "--via", "sol003");
  assert.deepEqual([healed.code, healed.stdout], [0, "made anew: bono-3\n"], healed.stderr);
  assert.notEqual(fake.vnfcs[3]?.server.id, before);
  assert.ok(
    fake.asked.indexOf("delete bono-3") < fake.asked.findIndex((one) => one.endsWith("/heal")),
    "its server goes first: nobody detaches ports on a dead host",
  );
  const unsure = await run("terminate", "ims", "--via", "sol003");
  assert.deepEqual([unsure.code, fake.instances.size], [1, 1]);
  assert.equal((await run("terminate", "ims", "--via", "sol003", "--graceful", "30", "--yes")).code, 0);
  assert.deepEqual(fake.bodies.at(-1), { terminationType: "GRACEFUL", gracefulTerminationTimeout: 30 });
  assert.equal(fake.instances.size, 0);
});

test("--via sol003: the same command while its first step is still under way waits for that step and goes on", async (t) => {
  const { fake, run } = await startManager(t);
  fake.packages.set("package-1", { state: "ONBOARDED", vnfdId: VNFD });
  assert.equal((await run("instantiate", "ims", "--via", "sol003", "-p", "dns_servers=192.0.2.53")).code, 0);
  const [instance = ""] = fake.instances.keys();
  fake.looks = 3;
  const begun = await fake.send({
    ...{ service: "test", method: "POST", headers: { Version: "2.0.0" }, timeoutMs: 1_000 },
    url: `${fake.base}/vnflcm/v2/vnf_instances/${instance}/scale`,
    body: JSON.stringify({ type: "SCALE_OUT", aspectId: "bono", numberOfSteps: 1 }),
  });
  assert.equal(begun.status, 202);
  const grown = await run("scale", "ims", "bono=15", "--via", "sol003");
  assert.deepEqual(
    [grown.code, grown.stdout, fake.vnfcs.length],
    [0, "bono has 15 members\n", 15],
    grown.stderr,
  );
  const types = fake.bodies.filter(({ aspectId }) => aspectId === "bono").map(({ type }) => type);
  assert.deepEqual(types, ["SCALE_OUT", "SCALE_OUT"]);
});

test("--via sol003: what is undecided is told before a heal deletes anything; after a heal that failed the members that are gone are found without their names", async (t) => {
  const { fake, run } = await startManager(t);
  fake.packages.set("package-1", { state: "ONBOARDED", vnfdId: VNFD });
  assert.equal((await run("instantiate", "ims", "--via", "sol003", "-p", "dns_servers=192.0.2.53")).code, 0);
  fake.nextFails = "No valid host was found";
  assert.equal((await run("scale", "ims", "bono=11", "--via", "sol003")).code, 1);
  const servers = fake.vnfcs.map(({ server }) => server.id);
  const undecided = await run("heal", "ims", "bono-3", "--via", "sol003");
  assert.equal(undecided.code, 1);
  assert.match(undecided.stderr, /SCALE FAILED_TEMP: No valid host was found/);
  assert.deepEqual(
    fake.vnfcs.map(({ server }) => server.id),
    servers,
  );
  assert.deepEqual(
    fake.asked.filter((one) => one.startsWith("delete")),
    [],
  );
  const [, operation = ""] = /decide (\S+) fail/.exec(undecided.stderr) ?? [];
  assert.equal((await run("sol003", "decide", operation, "fail")).code, 0);
  fake.nextFails = "No valid host was found";
  const half = await run("heal", "ims", "bono-3", "--via", "sol003");
  assert.equal(half.code, 1);
  assert.match(half.stderr, /HEAL FAILED_TEMP.*heal ims --via sol003, without names/s);
  const [, second = ""] = /decide (\S+) fail/.exec(half.stderr) ?? [];
  assert.equal((await run("sol003", "decide", second, "fail")).code, 0);
  const healed = await run("heal", "ims", "--via", "sol003");
  assert.equal(healed.code, 0, healed.stderr);
  assert.equal(fake.vnfcs.length, servers.length);
});

test("--via sol003: what a VNF manager cannot do is refused with the remedy, and nothing is begun", async (t) => {
  const { fake, run } = await startManager(t);
  const none = await run("instantiate", "ims", "--via", "sol003");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no package of ours is onboarded\n {2}go on: .*sol003 onboard/);
  fake.packages.set("package-1", { state: "ONBOARDED", vnfdId: VNFD });
  const sized = await run("instantiate", "ims", "--via", "sol003", "-e", "small", "--dry-run");
  assert.equal(sized.code, 1);
  assert.match(sized.stderr, /no --environment: sizes are those of --flavour and --level.*\n.*no --dry-run/);
  assert.equal(fake.instances.size, 0);
  assert.equal((await run("instantiate", "ims", "--via", "sol003")).code, 0);
  const begun = fake.bodies.length;
  for (const [args, expected] of [
    [["scale", "ims", "bono=9"], /bono cannot stay at 9 members/],
    [["scale", "ims", "bono=19"], /bono cannot have 19 members\n {2}go on: choose 1 to 15/],
    [["heal", "ims", "bono-9"], /no member bono-9; there are bono-0/],
    [["status", "other"], /there is no other/],
  ] as const) {
    const ended = await run(...args, "--via", "sol003");
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, expected);
  }
  assert.equal(fake.bodies.length, begun);
  const strange = await run("status", "ims", "--via", "aodh");
  assert.equal(strange.code, 2);
  assert.match(strange.stderr, /Allowed choices are heat, sol003/);
});
