import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readModel, type Tolerance } from "../../vnf/src/index.ts";
import { filesOf } from "./first-boot-agent.ts";
import type { Lab } from "./lab/lab-settings.ts";
import { type Json, OpenStack } from "./lab/open-stack.ts";
import { until } from "./lab/processes.ts";
import { startTacker } from "./lab/tacker.ts";
import { labFor } from "./lab-for-tests.ts";
import { inventory, leftOver } from "./orphans.ts";
import { PlacementWatch } from "./placement-watch.ts";
import { serversOf } from "./servers.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "nodes/tidewater/bin/tidewater.ts");
const HOSTS = ["--hosts", "dmz=8", "--hosts", "core=8"];
/** min, for one command. */
const PATIENCE = ["--timeout", "60"];
const PEERS = ["203.0.113.0/28", "198.51.100.200/32"];
const PARAMETERS = [
  "dns_servers=192.0.2.53",
  // No member boots here, so nobody could say that it is ready.
  "ready_transport=NO_SIGNAL",
  `ibcf_clients=${PEERS.join(",")}`,
  `ibcf_peers=${JSON.stringify({ peers: [{ name: "carrier-a", addresses: PEERS }] })}`,
  `bgcf_routes=${JSON.stringify({ routes: [{ domain: "*", route: ["sip:ibcf@bono.example.com;transport=tcp"] }] })}`,
  `psap_routes=${JSON.stringify({ default: ["sip:psap@10.20.2.201"] })}`,
  "mw_peers=10.20.2.201",
  "telephony=on",
].flatMap((parameter) => ["-p", parameter]);
/** Pools that are scaled, each by itself. */
const SCALED = (process.env["OPENSTACK_POOLS"] ?? "bono,sprout,homestead").split(",");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

interface Started {
  readonly ended: Promise<Ended>;
  stop(): void;
}

/** The program as a member of the project, who has no rights of an administrator. */
function commands(lab: Lab, project: string, via: readonly string[]) {
  const env = {
    PATH: process.env["PATH"] ?? "",
    OS_AUTH_URL: `http://${lab.address}:5000/v3`,
    OS_USERNAME: "operator",
    OS_PASSWORD: lab.password,
    OS_PROJECT_NAME: project,
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_DOMAIN_NAME: "Default",
    OS_REGION_NAME: "RegionOne",
  };
  const start = (...args: readonly string[]): Started => {
    const began = performance.now();
    const child = spawn(process.execPath, [PROGRAM, "vnf", ...args], { env, cwd: lab.folder });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) =>
        resolve({ code, stdout, stderr, seconds: Math.round((performance.now() - began) / 1000) }),
      );
    });
    return { ended, stop: () => void child.kill("SIGINT") };
  };
  const run = (...args: readonly string[]): Promise<Ended> => start(...args, ...via).ended;
  return {
    start: (...args: readonly string[]) => start(...args, ...via),
    run,
    plain: (...args: readonly string[]) => start(...args).ended,
  };
}

interface Status {
  readonly healthy: boolean;
  readonly members: readonly {
    readonly name: string;
    readonly hostId?: string;
    readonly serverId?: string;
  }[];
}

const reading = readModel();
assert.ok(reading.kind === "model");
const { vdus } = reading.model;

function toleranceOf(pool: string): Tolerance {
  const { tolerated } = vdus.find(({ name }) => name === pool) ?? assert.fail(`no pool ${pool}`);
  const { share, members } = tolerated;
  return members === undefined ? { share } : { share, members };
}

interface SeenRule {
  readonly direction: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly remote_ip_prefix: string | null;
}

/** From nothing to nothing, placement looked at every second. */
async function life(
  t: TestContext,
  lab: Lab,
  via: readonly string[],
  made: readonly string[],
  scaled: readonly string[],
): Promise<void> {
  const admin = new OpenStack(lab, "admin", "admin");
  const { project } = await new OpenStack(lab, "operator", "ims").token();
  const before = await inventory(admin, project);
  const seen = new PlacementWatch(admin, project, toleranceOf);
  t.after(() => seen.end());
  const { run, start } = commands(lab, "ims", via);
  const name = `life-${via.length === 0 ? "heat" : "sol003"}-${process.pid}`;
  t.after(async () => {
    await run("terminate", name, "--yes", ...PATIENCE);
  });
  const told = (what: string, { code, seconds, stdout, stderr }: Ended): string => {
    t.diagnostic(`${what}: exit code ${code} after ${seconds} s: ${stdout.trim().split("\n").at(-1) ?? ""}`);
    return `${what}\n${stdout}\n${stderr}`;
  };
  const statusOf = async (): Promise<Status> =>
    JSON.parse((await run("status", name, "--json")).stdout) as Status;

  await t.test("it is made whole", async () => {
    const ended = await run("instantiate", name, ...made, ...PATIENCE);
    assert.equal(ended.code, 0, told("instantiate", ended));
    told("instantiate", ended);
    const { healthy, members } = await statusOf();
    assert.equal(members.length, 24);
    assert.equal(healthy, true);
  });
  // As an operator may look: by hostId, from the lists of Heat, which take their time. `seen` is what Nova has, every second.
  const watch = start("placement", "audit", name, "--every", "5");

  await t.test(
    "the IBCF is open to its peers, the E-CSCF to bono, and each bono and sprout is told",
    async () => {
      const cloud = new OpenStack(lab, "operator", "ims");
      const rules = (await cloud.get("network", "/security-group-rules"))["security_group_rules"];
      const open = (rules as unknown as SeenRule[])
        .filter(({ port_range_min: port }) => port !== null && [5057, 5070, 5071].includes(port))
        .map((rule) => `${rule.direction} ${rule.protocol} ${rule.port_range_min} ${rule.remote_ip_prefix}`);
      const peers = ["tcp 5070", "tcp 5071", "udp 5070"].flatMap((port) =>
        PEERS.map((peer) => `ingress ${port} ${peer}`),
      );
      const ecscf = ["egress tcp 5057 10.20.2.0/24", "ingress tcp 5057 10.20.2.0/24"];
      assert.deepEqual(open.sort(), [...peers, ...ecscf].sort());
      const servers = await serversOf(admin, project);
      const options = async (member: string): Promise<string[]> => {
        const id = servers.find((server) => server.name === member)?.id ?? assert.fail(`no ${member}`);
        const { server } = (await admin.get("compute", `/servers/${id}`)) as unknown as { server: Json };
        const files = filesOf(String(server["OS-EXT-SRV-ATTR:user_data"]));
        const file = (path: string): string => files.get(`/etc/tidewater/${path}`)?.content ?? "";
        const json = member.startsWith("bono") ? ["ibcf-peers.json"] : ["bgcf.json", "emergency.json"];
        for (const path of json) assert.notDeepEqual(JSON.parse(file(path)), {}, `${member} ${path}`);
        return file("local_config").split("\n");
      };
      const bono = await options("bono-1");
      assert.ok(bono.includes("ecscf_uri=sip:ecscf.sprout.example.com;transport=tcp"), bono.join("\n"));
      assert.ok(bono.includes("ibcf_peers_file=/etc/tidewater/ibcf-peers.json"), bono.join("\n"));
      const sprout = await options("sprout-1");
      assert.ok(sprout.includes("emergency_file=/etc/tidewater/emergency.json"), sprout.join("\n"));
      assert.ok(
        sprout.some((line) => line.startsWith("homer=http://10.20.3.20:7888,http://10.20.3.21:7888,")),
      );
      const [peersOfCore = ""] = sprout.filter((line) => line.startsWith("core_peers="));
      assert.match(peersOfCore, /^core_peers=10\.20\.2\.11,.*,10\.20\.2\.201$/);
    },
  );

  for (const [pool, size] of scaled.flatMap((one) => [[one, 15] as const, [one, 7] as const]))
    await t.test(`${pool} is scaled to ${size} in aligned steps`, async () => {
      const ended = await run("scale", name, `${pool}=${size}`, ...PATIENCE);
      assert.equal(ended.code, 0, told("scale", ended));
      told(`scale ${pool}=${size}`, ended);
      assert.match(ended.stderr, new RegExp(`${pool}: ${size === 15 ? "7 > 11 > 15" : "15 > 11 > 7"}`));
      const members = (await statusOf()).members.filter((member) => member.name.startsWith(`${pool}-`));
      const names = members.map((member) => member.name).sort();
      assert.deepEqual(names, Array.from({ length: size }, (_, index) => `${pool}-${index}`).sort());
    });

  await t.test("a host fails: its members are made anew elsewhere, the others are left alone", async () => {
    const members = (await statusOf()).members;
    const [lost] = members.filter((member) => member.name === "sprout-1");
    const hostId = lost?.hostId ?? assert.fail("sprout-1 has no host");
    const there = members.filter((member) => member.hostId === hostId).map((member) => member.name);
    const host = (await serversOf(admin, project)).find((server) => server.name === "sprout-1")?.host ?? "";
    const mark = join(lab.folder, "failed", host);
    writeFileSync(mark, "");
    try {
      await until(`${host} is down`, 120, async () => {
        const path = `/os-services?binary=nova-compute&host=${host}`;
        const [service] = (await admin.get("compute", path))["services"] as unknown as { state: string }[];
        return service?.state === "down" ? true : undefined;
      });
      const ended = await run("heal", name, "--host", hostId, ...PATIENCE);
      assert.equal(ended.code, 0, told("heal", ended));
      told(`heal of ${there.join(", ")}`, ended);
      const now = (await statusOf()).members;
      assert.deepEqual(now.map((member) => member.name).sort(), members.map((member) => member.name).sort());
      for (const { name: one, hostId: on, serverId } of now) {
        const old = members.find((member) => member.name === one);
        if (there.includes(one)) assert.ok(on !== undefined && on !== hostId, `${one} is still there`);
        else assert.equal(serverId, old?.serverId, `${one} was made anew`);
      }
    } finally {
      rmSync(mark, { force: true });
    }
  });

  await t.test(
    "at no moment did a host hold more of a pool than it may, nor bono share one with the core",
    async () => {
      watch.stop();
      const ended = await watch.ended;
      const [summary = ""] = /^\d+ samples.*$/m.exec(ended.stderr) ?? [];
      t.diagnostic(summary);
      assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
      assert.match(summary, /kept in all/);
      await seen.end();
      for (const [pool, { samples, worst, hosts, violations }] of seen.pools) {
        t.diagnostic(
          `${pool}: ${samples} samples of Nova, worst ${worst.onHost} of ${worst.members} on a host, ${hosts.size} hosts`,
        );
        assert.deepEqual(violations, [], pool);
        for (const host of hosts) assert.ok(host.startsWith(pool === "bono" ? "dmz-" : "core-"), host);
      }
      t.diagnostic(`longest time between two samples of Nova: ${(seen.longestGap / 1000).toFixed(1)} s`);
      assert.equal(seen.pools.size, 4);
    },
  );

  await t.test("it is terminated, and nothing is left of it", async () => {
    const ended = await run("terminate", name, "--yes", ...PATIENCE);
    assert.equal(ended.code, 0, told("terminate", ended));
    told("terminate", ended);
    assert.deepEqual(leftOver(before, await inventory(admin, project)), []);
  });
}

test("the life of the small environment by the command line, through Heat", {
  timeout: 5_400_000,
}, async (t) => {
  const lab = await labFor(t);
  const { plain } = commands(lab, "ims", []);
  await t.test("with one host too few nothing is made", async () => {
    const refused = await plain(
      "instantiate",
      "few",
      "-e",
      "small",
      ...PARAMETERS,
      "--hosts",
      "dmz=6",
      "--hosts",
      "core=8",
    );
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /nothing was made: bono: zone dmz has 6 hosts.*\n {2}go on: add 1 host to dmz/,
    );
    t.diagnostic(refused.stderr.split("\n").find((line) => line.includes("nothing was made")) ?? "");
    assert.equal((await plain("status", "few")).code, 1);
  });
  await life(t, lab, [], ["-e", "small", ...PARAMETERS, ...HOSTS], SCALED);
});

const TACKER = existsSync(join(ROOT, ".cache/tacker/version"));
test("the same life through a VNF manager (Tacker), from its package", {
  timeout: 5_400_000,
  skip: !TACKER && process.env["CI"] !== "true" ? "no Tacker: sh scripts/install-tacker" : false,
}, async (t) => {
  const lab = await labFor(t);
  await startTacker(lab, new OpenStack(lab, "admin", "admin"));
  const { plain } = commands(lab, "ims", []);
  await t.test("the package is made and onboarded", async () => {
    writeFileSync(join(lab.folder, "tidewater.raw"), "no disk\n");
    const csar = join(lab.folder, "tidewater.csar");
    const packing = ["package", "--profile", "sol001-2.6.1", "--image", "tidewater.raw", "--image-by-name"];
    const packed = await plain(...packing, "--output", csar);
    assert.equal(packed.code, 0, packed.stderr);
    const onboarded = await plain("sol003", "onboard", csar);
    assert.equal(onboarded.code, 0, onboarded.stderr);
    t.diagnostic(
      `${readFileSync(csar).length} bytes ${onboarded.stdout.trim()} after ${onboarded.seconds} s`,
    );
  });
  await life(t, lab, ["--via", "sol003"], PARAMETERS, ["sprout"]);
});
