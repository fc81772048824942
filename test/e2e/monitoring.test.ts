import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startCore } from "../support/core-under-test.ts";
import { runProgram } from "../support/program.ts";
import { askedMetrics, metricsOf } from "../support/prometheus.ts";

const ROOT = join(import.meta.dirname, "../..");

function temporary(t: TestContext, prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("every metric of dashboards and alert rules is one of a running core: all kinds of nodes with all that they can do", {
  timeout: 120_000,
}, async (t) => {
  const folder = temporary(t, "tidewater-monitored-");
  const peers = [
    { name: "carrier", domains: ["*"], addresses: ["127.9.2.11"], targets: ["sip:127.9.2.11:5060"] },
  ];
  writeFileSync(join(folder, "peers.json"), JSON.stringify({ peers }));
  const core = await startCore(t, {
    args: [
      ...["--ibcf", join(folder, "peers.json"), "--charging", "--mmtel", "--call-lists", "--ellis"],
      ...["--emergency", join(ROOT, "docs/operations/emergency.example.json")],
    ],
  });
  const written = await core.tidewater(["monitoring", join(folder, "out"), "--state-dir", core.stateDir]);
  assert.equal(written.exitCode, 0, written.stderr);
  const targets = JSON.parse(readFileSync(join(folder, "out/targets/tidewater.json"), "utf8")) as {
    targets: string[];
    labels: { instance: string };
  }[];
  assert.deepEqual(targets.map(({ labels }) => labels.instance).sort(), [
    ...["bono", "ellis", "homer", "homestead", "ralf", "sprout"],
  ]);
  const there = new Set<string>();
  for (const { targets: [address] = [] } of targets)
    for (const name of metricsOf(await (await fetch(`http://${address}/metrics`)).text())) there.add(name);
  const asked = askedMetrics();
  assert.ok(asked.size > 90, `${asked.size}`);
  // Of stores that this core has not: memcached and Cassandra are in pools-stores.test.ts, an MMTEL server of its own in none.
  const elsewhere = /_(?:memcached|cassandra)_|^ims_mmtel_|^ims_sprout_clock_correction_seconds$/;
  assert.deepEqual(
    [...asked].filter((name) => !there.has(name) && !elsewhere.test(name)),
    [],
  );
});

test("a folder that is there: what operators wrote stays, the rest is brought up to date; bad input is told in one line", async (t) => {
  const folder = temporary(t, "tidewater-monitoring-");
  const run = (...args: string[]) =>
    runProgram(["monitoring", join(folder, "out"), ...args], { timeoutMs: 30_000 });
  mkdirSync(join(folder, "out/rules"), { recursive: true });
  writeFileSync(join(folder, "out/prometheus.yml"), "# mine\n");
  writeFileSync(join(folder, "out/rules/nodes.yaml"), "# old\n");
  const again = await run("--node", "sprout-1=http://[::1]:9102", "--domain", "ims.example");
  assert.equal(again.exitCode, 0, again.stderr);
  assert.match(again.stdout, /1 nodes, prometheus\.yml left as it was/);
  assert.equal(readFileSync(join(folder, "out/prometheus.yml"), "utf8"), "# mine\n");
  assert.match(readFileSync(join(folder, "out/rules/nodes.yaml"), "utf8"), /TidewaterNodeDown/);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "out/targets/tidewater.json"), "utf8")), [
    { targets: ["[::1]:9102"], labels: { job: "sprout", instance: "sprout-1", domain: "ims.example" } },
  ]);
  const file = join(folder, "pools.json");
  const members = [{ name: "homestead-1", addresses: ["192.0.2.3", "2001:db8::3"] }];
  const pools = [{ name: "homestead", services: [], members }];
  writeFileSync(file, JSON.stringify({ version: 1, domain: "ims.example", pools }));
  const beside = await run("--pools-file", file, "--with", "ralf", "--targets-only");
  assert.match(beside.stdout, /1 files written, 2 nodes$/m);
  const labels = { domain: "ims.example" };
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "out/targets/tidewater.json"), "utf8")), [
    { targets: ["192.0.2.3:9103"], labels: { job: "homestead", instance: "homestead-1", ...labels } },
    { targets: ["192.0.2.3:9106"], labels: { job: "ralf", instance: "ralf@homestead-1", ...labels } },
  ]);
  assert.match((await run("--pools-file", file, "--with", "ralph")).stderr, /no such process/);
  writeFileSync(file, '{"version":1,"pools":');
  for (const [args, said] of [
    [["--pools-file", file], /pools\.json: is not JSON/],
    [["--pools-file", join(folder, "none.json")], /none\.json: no such file/],
    [["--state-dir", folder], /no node runs with the state directory/],
  ] as const) {
    const { exitCode, stderr } = await run(...args);
    assert.equal(exitCode, 1);
    assert.match(stderr, said);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
  assert.equal((await run("--node", "sprout")).exitCode, 2);
});
