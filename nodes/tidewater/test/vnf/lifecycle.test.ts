import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { FakeCloud } from "../../../../vnf/testing/fake-cloud.ts";
import { FakePace } from "../../../../vnf/testing/fake-pace.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

interface Cloud {
  readonly cloud: FakeCloud;
  readonly environment: Record<string, string>;
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** A fake cloud whose time goes by on its own, and the program with an openrc for it. */
async function startCloud(t: TestContext): Promise<Cloud> {
  const pace = new FakePace();
  const cloud = await FakeCloud.start(pace, { dmz: 8, core: 8 });
  cloud.password = "pa55phrase";
  cloud.tokenSeconds = 1_000_000_000;
  const clock = setInterval(() => void pace.sleep(100), 50);
  t.after(async () => {
    clearInterval(clock);
    await cloud.stop();
  });
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    OS_AUTH_URL: cloud.authUrl,
    OS_USERNAME: "operator",
    OS_PASSWORD: cloud.password,
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_NAME: "ims",
    OS_PROJECT_DOMAIN_NAME: "Default",
  };
  const run: Cloud["run"] = (...args) =>
    new Promise((resolve) => {
      execFile(process.execPath, [PROGRAM, "vnf", ...args], { env: environment }, (error, stdout, stderr) => {
        assert.doesNotMatch(stdout + stderr, /pa55phrase|\n {4}at /, "no secret, no stack trace");
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  return { cloud, environment, run };
}

const SMALL = ["-e", "small", "-p", "dns_servers=192.0.2.53", "--hosts", "dmz=8", "--hosts", "core=8"];

test("the life of a VNF by the command line: preflight, instantiate, status, scale, heal, audit, terminate", async (t) => {
  const { cloud, run } = await startCloud(t);
  const preflight = await run("preflight", "ims", ...SMALL, "--json");
  assert.equal(preflight.code, 0, preflight.stdout + preflight.stderr);
  assert.ok((JSON.parse(preflight.stdout) as { verdict: string }[]).every(({ verdict }) => verdict === "ok"));
  const made = await run("instantiate", "ims", ...SMALL);
  assert.deepEqual([made.code, made.stdout], [0, "ims is made, CREATE_COMPLETE\n"], made.stderr);
  assert.match(made.stderr, /^ +\d+ s {2}create: bono \d of 7/m);
  const steps = await run("scale", "ims", "sprout=15", "--dry-run");
  assert.deepEqual([steps.code, steps.stdout], [0, "sprout: 7 > 11 > 15\n"]);
  assert.equal((await run("scale", "ims", "sprout=11")).stdout, "sprout has 11 members\n");
  const member = [...cloud.compute.servers.values()].find(({ name }) => name === "sprout-9");
  assert.ok(member !== undefined);
  cloud.compute.remove(member.id);
  const status = await run("status", "ims", "--json");
  assert.equal(status.code, 1, "a member without a server is not healthy");
  const shown = JSON.parse(status.stdout) as { healthy: boolean; members: { name: string; state: string }[] };
  assert.deepEqual(
    shown.members.filter(({ state }) => state !== "ready").map(({ name }) => name),
    ["sprout-9"],
  );
  assert.equal((await run("heal", "ims")).stdout, "made anew: sprout-9\n");
  const audit = await run("placement", "audit", "ims");
  assert.equal(audit.code, 0);
  assert.match(
    audit.stdout,
    /^sprout: 11 of 11 members on \d hosts, 2 on one at most, 2 allowed at 1\/4: kept$/m,
  );
  const watched = await run("placement", "audit", "ims", "--every", "0.2", "--for", "1");
  assert.equal(watched.code, 0);
  assert.match(watched.stderr, /^\d+ samples, kept in all; greatest shares: bono 0\.143, sprout 0\.182/m);
  const unsure = await run("terminate", "ims");
  assert.deepEqual([unsure.code, cloud.stacks.size], [1, 1]);
  assert.match(unsure.stderr, /add --yes/);
  assert.equal((await run("terminate", "ims", "--yes")).code, 0);
  assert.deepEqual([cloud.stacks.size, cloud.compute.servers.size, cloud.compute.things.size], [0, 0, 0]);
});

test("what is wrong is told on one line with a remedy; exit code 1 refused, 2 wrong use; nothing is made", async (t) => {
  const { cloud, run } = await startCloud(t);
  const wrong: readonly [string[], number, RegExp][] = [
    [
      ["instantiate", "ims", ...SMALL, "--hosts", "core=6"],
      1,
      /nothing was made: sprout: zone core has 6 hosts; .*\n {2}go on: add 1 host to core/s,
    ],
    [
      ["instantiate", "ims", ...SMALL, "-p", "sprout_counts=7"],
      1,
      /--parameter: sprout_counts: the template has no such parameter/,
    ],
    [["instantiate", "ims", ...SMALL, "-p", "sprout_count=700"], 1, /sprout_count: "700" is not in 1 to/],
    [["instantiate", "ims", "-e", "nowhere"], 1, /nowhere: there is no such file/],
    [["instantiate", "1ms"], 2, /a letter, then letters/],
    [["scale", "nope", "sprout=11"], 1, /there is no nope\n {2}go on: tidewater vnf instantiate nope/],
    [["scale", "ims", "sprout"], 2, /write <pool>=<size>/],
    [["image", "upload", "/nonexistent"], 1, /\/nonexistent: there is no such file/],
    [["status", "ims", "--cloud", "none"], 1, /there is no clouds.yaml with cloud none/],
  ];
  for (const [args, code, expected] of wrong) {
    const ended = await run(...args);
    assert.equal(ended.code, code, `${args.join(" ")}\n${ended.stderr}`);
    assert.match(ended.stderr, expected);
  }
  assert.equal(cloud.stacks.size, 0);
});

test("heal --host takes the members of one host; what could be another's is refused, and nothing is deleted", async (t) => {
  const { cloud, run } = await startCloud(t);
  assert.equal((await run("instantiate", "ims", ...SMALL)).code, 0);
  const servers = [...cloud.compute.servers.keys()];
  const wrong: readonly [string[], RegExp][] = [
    [["--host", ""], /--host "": write the hostId that tidewater vnf status shows/],
    [["--host", "0"], /--host "0": write .* 12 hexadecimal digits/],
    [["--host", "0123456789ab"], /no member is on host 0123456789ab/],
    [["sprout-1", "--host", "0123456789ab"], /not both/],
  ];
  for (const [args, expected] of wrong) {
    const ended = await run("heal", "ims", ...args);
    assert.deepEqual([ended.code, [...cloud.compute.servers.keys()]], [1, servers], ended.stdout);
    assert.match(ended.stderr, expected);
  }
  const { members } = JSON.parse((await run("status", "ims", "--json")).stdout) as {
    members: { name: string; hostId: string }[];
  };
  const hostId = members.find(({ name }) => name === "sprout-1")?.hostId ?? "";
  const there = members.filter((one) => one.hostId === hostId).map(({ name }) => name);
  const healed = await run("heal", "ims", "--host", hostId.slice(0, 12));
  assert.deepEqual([healed.code, healed.stdout], [0, `made anew: ${there.join(", ")}\n`], healed.stderr);
});

test("upgrade: vellums without data volumes are rebuilt only by who says that they may lose what they store", async (t) => {
  const { cloud, run } = await startCloud(t);
  assert.equal((await run("instantiate", "ims", ...SMALL)).code, 0);
  const asked = ["upgrade", "ims", "--image", "tidewater-next", "--pause", "0"];
  const refused = await run(...asked);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /no data volumes .*may lose subscribers.*\n {2}go on: tidewater backup .*--empty-stores/s,
  );
  assert.ok([...cloud.compute.servers.values()].every(({ image }) => image === "tidewater"));
  const done = await run(...asked, "--empty-stores");
  assert.deepEqual([done.code, done.stdout], [0, "ims runs image tidewater-next\n"], done.stderr);
  assert.ok([...cloud.compute.servers.values()].every(({ image }) => image === "tidewater-next"));
});

test("upgrade: members with data volumes are rebuilt in place, so another token is refused", async (t) => {
  const { cloud, run } = await startCloud(t);
  assert.equal((await run("instantiate", "ims", ...SMALL, "-p", "vellum_volume=50")).code, 0);
  const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const token = join(folder, "token");
  writeFileSync(token, `${"t".repeat(22)}\n`, { mode: 0o600 });
  const asked = ["upgrade", "ims", "--image", "tidewater-next", "--pause", "0"];
  const refused = await run(...asked, "--join-token-file", token);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /rebuilt in place.*\n {2}go on: sudo etcd-admin reopen/s);
  assert.ok([...cloud.compute.servers.values()].every(({ image }) => image === "tidewater"));
  assert.equal((await run(...asked)).stdout, "ims runs image tidewater-next\n");
});

test("the scaler as a process: a signed alarm makes the pool grow, SIGTERM ends it, and only one runs", async (t) => {
  const { cloud, run, environment } = await startCloud(t);
  assert.equal((await run("instantiate", "ims", ...SMALL)).code, 0);
  const folder = mkdtempSync(join(tmpdir(), "scaler-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), "0123456789abcdef\n");
  writeFileSync(join(folder, "token"), `${"t".repeat(22)}\n`, { mode: 0o600 });
  const config = join(folder, "scaler.yaml");
  const text = (port: number): string =>
    `version: 1\nvnf: ims\npools: { sprout: { min: 7, max: 15 } }\nwebhook: { port: ${port}, secretFile: ${join(folder, "secret")} }\njoinTokenFile: ${join(folder, "token")}\n`;
  writeFileSync(config, text(0));
  const args = ["scaler", "--config", config, "--state-file", join(folder, "state.json")];
  const child = spawn(process.execPath, [PROGRAM, "vnf", ...args], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => {
    child.kill("SIGKILL");
  });
  const lines = createInterface({ input: child.stderr });
  const said = async (pattern: RegExp): Promise<string> => {
    for await (const [line] of on(lines, "line", { close: ["close"] }))
      if (pattern.test(String(line))) return String(line);
    throw new Error("ended");
  };
  const port = /:(\d+)$/.exec(await said(/webhooks at/))?.[1];
  const second = await run(...args);
  assert.match(second.stderr, /process \d+ scales with .* already/);
  writeFileSync(config, text(Number(port)));
  const [url = ""] = (await run(...args, "--urls")).stdout.split("\n");
  assert.match(url, /\/aodh\/sprout\/out\?signature=[0-9a-f]{64}$/);
  const body = JSON.stringify({ alarm_name: "busy", alarm_id: "1", current: "alarm", previous: "ok" });
  assert.equal((await fetch(url, { method: "POST", body })).status, 202);
  await said(/sprout has 11 members/);
  assert.equal(cloud.stacks.get("ims")?.parameters.get("sprout_count"), "11");
  assert.equal(cloud.stacks.get("ims")?.parameters.get("join_token"), "t".repeat(22));
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
});
