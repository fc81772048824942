import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { readModel } from "@ims/vnf";
import { planRequestOf } from "../../src/vnf/plan-request.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function tidewater(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, "vnf", "plan", ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test("tidewater vnf plan prints cells, hosts and quotas as JSON", async () => {
  const { code, stdout } = await tidewater(
    "--pool",
    "sprout=7-15",
    "--share",
    "1/4",
    "--zone",
    "core=az1:7",
    "--json",
  );
  assert.equal(code, 0);
  const { kind, plan } = JSON.parse(stdout) as {
    kind: string;
    plan: { pools: { cells: number[] }[]; zones: unknown[]; quotas: unknown[] };
  };
  assert.equal(kind, "plan");
  assert.deepEqual(plan.pools[0]?.cells, [7, 4, 4]);
  assert.deepEqual(plan.zones, [
    { zone: "core", availabilityZone: "az1", hostsNeeded: 7, hostsToHeal: 8, hosts: 7 },
  ]);
  assert.equal(plan.quotas.length, 10);
});

test("a plan is printed as an environment file for the Heat templates", async () => {
  const { code, stdout } = await tidewater("--pool", "sprout=7-8", "--zone", "core=az1,az2", "--heat");
  assert.equal(code, 0);
  assert.equal(
    stdout,
    [
      "parameters:",
      '  core_zones: "az1,az2"',
      "  sprout_count: 7",
      "  sprout_spare: 1",
      "  sprout_members_per_share: 4",
      '  sprout_cell_map: "0,0,0,0,0,0,0,1"',
      '  sprout_zone_map: "0,1,0,1,0,1,0,1"',
      "",
    ].join("\n"),
  );
});

test("a plan that cannot be is refused with exit code 1, reason and remedy", async () => {
  const { code, stdout, stderr } = await tidewater("--pool", "sprout=7", "--zone", "core=az:6");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^tidewater: sprout: zone az has 6 hosts; .* add 1 host to az, or tolerate 1\/3\n$/);
});

test("faults of another model are told with file and place", async () => {
  const { code, stderr } = await tidewater("--model", "/nonexistent");
  assert.equal(code, 1);
  assert.match(stderr, /^tidewater: \/nonexistent\/vdus\.yaml: there is no such file$/m);
});

test("wrong use is told, never guessed at", () => {
  const reading = readModel();
  assert.ok(reading.kind === "model");
  const wrong: readonly [Parameters<typeof planRequestOf>[0], RegExp][] = [
    [{ pool: ["sprout"] }, /write <pool>=<size>/],
    [{ pool: ["sprout=-1"] }, /write <pool>=<size>/],
    [{ pool: ["sprout=7", "sprout=8"] }, /sprout is planned already/],
    [{ pool: ["__proto__=7"] }, /write <pool>=<size>/],
    [{ pool: ["constructor=7"] }, /no pool constructor/],
    [{ share: ["1/0"] }, /no share with denominator 0/],
    [{ share: ["sprouts=1/4"] }, /no pool sprouts/],
    [{ share: ["a=b=c"] }, /--share a=b=c/],
    [{ zone: ["core"] }, /write <zone>=/],
    [{ zone: ["moon=az1"] }, /no zone moon/],
    [{ zone: ["core=az1:x"] }, /az1:x is not/],
    [{ zone: ["core=az1,"] }, / is not /],
  ];
  for (const [options, expected] of wrong) {
    const asked = planRequestOf(options, reading.model);
    assert.equal(asked.kind, "bad", JSON.stringify(options));
    assert.match(asked.kind === "bad" ? asked.problem : "", expected);
  }
});

test("a share for one pool goes before the one for all", () => {
  const reading = readModel();
  assert.ok(reading.kind === "model");
  const asked = planRequestOf({ pool: ["bono=7,sprout=7"], share: ["1/4", "bono=1/2"] }, reading.model);
  assert.ok(asked.kind === "request");
  assert.deepEqual(
    asked.request.pools.map(({ share }) => share?.denominator),
    [2, 4],
  );
});

test("tidewater vnf plan --subscribers: sizes from measured figures, with their bounds, as a plan, JSON or an environment", async () => {
  const [text, json, heat, both, wrong, much] = await Promise.all([
    tidewater("--subscribers", "1000000"),
    tidewater("--subscribers", "1e6", "--registrations-per-hour", "4", "--json"),
    tidewater("--subscribers", "1000000", "--heat"),
    tidewater("--subscribers", "1000", "--pool", "sprout=7"),
    tidewater("--subscribers", "many"),
    tidewater("--subscribers", "1e7", "--memory", "bono=8192", "--json"),
  ]);
  assert.match(
    text.stdout,
    /^1,000,000 subscribers, .*: 180\.56 calls\/s, 555\.56 registrations\/s\n {2}bono: 7; 2 needed \(memory\): processors [0-9.]+ \([0-9.]+ to [0-9.]+\), state /,
  );
  assert.match(text.stdout, /not in it: Cassandra: 556 .*\n[\s\S]*\nbono: 7 in zone dmz/);
  const { kind, dimensioning } = JSON.parse(json.stdout) as {
    kind: string;
    dimensioning: { load: { registrationsPerSecond: number } };
  };
  assert.deepEqual([kind, Math.round(dimensioning.load.registrationsPerSecond)], ["plan", 1_111]);
  assert.match(heat.stdout, /^parameters:\n[\s\S]* {2}bono_count: 7\n/);
  assert.deepEqual([text.code, json.code, both.code, wrong.code, much.code], [0, 0, 2, 2, 0]);
  const { plan } = JSON.parse(much.stdout) as { plan: { quotas: { name: string; needed: number }[] } };
  assert.ok(plan.quotas.length > 0);
});
