import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startCore } from "../support/core-under-test.ts";
import { startLoneNode } from "../support/lone-node.ts";
import { runProgram } from "../support/program.ts";
import { SipUe } from "../support/sip-ue.ts";

const DOMAIN = "example.com";

interface Listed {
  readonly nodes: readonly {
    readonly node: string;
    readonly url: string;
    readonly active: readonly { readonly problemId: string; readonly objectInstance: string }[];
    readonly cleared: readonly { readonly problemId: string }[];
  }[];
}

test("nodes raise alarms for what is really wrong with them, and clear them when it is well again", {
  timeout: 120_000,
}, async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-alarms-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const host = `127.${randomInt(30, 120)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const common = ["--host", host, "--management-address", host, "--home-domain", DOMAIN];
  const told = ["--run-dir", join(stateDir, "run")];
  const listed = async (): Promise<{ code: number; nodes: Listed["nodes"] }> => {
    const { exitCode, stdout } = await runProgram(["alarms", "--state-dir", stateDir, "--json"], {
      timeoutMs: 20_000,
    });
    return { code: exitCode, nodes: (JSON.parse(stdout) as Listed).nodes };
  };
  const idsOf = async (): Promise<string[]> =>
    (await listed()).nodes.flatMap(({ node, active }) =>
      active
        // The disk of this machine is its own affair.
        .filter(({ problemId }) => problemId !== "TW-1009")
        .map(({ problemId }) => `${node} ${problemId}`),
    );
  const becomes = async (wanted: readonly string[], what: string): Promise<void> => {
    let seen: string[] = [];
    for (const end = Date.now() + 40_000; Date.now() < end; ) {
      seen = await idsOf();
      if (seen.join() === wanted.join()) return;
    }
    assert.deepEqual(seen, wanted, what);
  };

  // No sprout: bono finds out when somebody wants something.
  await startLoneNode(t, "bono", [...common, ...told, "--icscf-uri", `sip:${host}:5052;transport=tcp`]);
  assert.deepEqual(await listed().then(({ code }) => code), 0);
  const sip = { host, udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 };
  const ue = await SipUe.open(t, { domain: DOMAIN, sip }, { user: "6505550000" });
  ue.send(ue.request("REGISTER", `sip:${DOMAIN}`).append("Contact", ue.contact));
  await becomes(["bono TW-3001", "bono TW-1102"], "no sprout");

  // A sprout, but no HSS.
  const dialPlan = join(stateDir, "dial-plan.json");
  writeFileSync(dialPlan, '{"contexts":[]}');
  await startLoneNode(t, "sprout", [
    ...[...common, ...told, "--hss-peer", `${host}:3868`, "--dial-plan-file", dialPlan],
  ]);
  await becomes(["sprout TW-2001", "sprout TW-1201"], "no HSS, but a sprout");

  // An HSS, but a file that cannot be used.
  writeFileSync(dialPlan, "{ no JSON");
  await startLoneNode(t, "homestead", [
    ...common,
    ...told,
    "--state-dir",
    stateDir,
    "--quiesce-seconds",
    "0",
  ]);
  // Whoever asks for something has sprout look for its HSS at once.
  ue.send(ue.request("REGISTER", `sip:${DOMAIN}`, { callId: "again" }).append("Contact", ue.contact));
  await becomes(["sprout TW-1005"], "a bad file");
  writeFileSync(dialPlan, '{"contexts":[]}');
  await becomes([], "all is well");

  const { code, nodes } = await listed();
  assert.equal(code, nodes.every(({ active }) => active.length === 0) ? 0 : 1);
  assert.deepEqual(
    nodes.map(({ node, cleared }) => `${node} ${cleared.map(({ problemId }) => problemId).join(" ")}`.trim()),
    ["bono TW-1102 TW-3001", "homestead", "sprout TW-1005 TW-1201 TW-2001"],
  );
  const sprout = nodes.find(({ node }) => node === "sprout")?.url ?? "";
  const lines = (await (await fetch(`${sprout}/logs`)).text())
    .split("\n")
    .filter((line) => line.includes('"alarm":'));
  assert.deepEqual(
    lines
      .map((line) => JSON.parse(line))
      .map(({ problemId, alarm, severity }) => `${problemId} ${alarm} ${severity}`)
      .sort(),
    [
      "TW-1005 cleared CLEARED",
      "TW-1005 raised MAJOR",
      "TW-1201 cleared CLEARED",
      "TW-1201 raised MAJOR",
      "TW-2001 cleared CLEARED",
      "TW-2001 raised CRITICAL",
    ],
  );
  const metrics = await (await fetch(`${sprout}/metrics`)).text();
  assert.match(
    metrics,
    /^ims_alarms_active\{problem="TW-2001",name="hss-unreachable",severity="critical"\} 0$/m,
  );
});

test("tidewater alarms, log-level and diagnose find the nodes of a running tidewater up, and SIGUSR2 changes the level", {
  timeout: 120_000,
}, async (t) => {
  const core = await startCore(t);
  const ask = async (...args: readonly string[]): Promise<{ exitCode: number; stdout: string }> =>
    core.tidewater([...args, "--state-dir", core.stateDir]);
  const names = (json: string): string[] =>
    (JSON.parse(json) as { nodes: readonly { node: string }[] }).nodes.map(({ node }) => node);
  assert.deepEqual(names((await ask("alarms", "--json")).stdout), ["bono", "homestead", "sprout"]);
  assert.equal((await ask("log-level", "debug", "--node", "sprout", "--for", "600")).exitCode, 0);
  const levels = async (): Promise<string[]> =>
    (JSON.parse((await ask("log-level", "--json")).stdout) as { node: string; level: string }[]).map(
      ({ node, level }) => `${node} ${level}`,
    );
  assert.deepEqual(await levels(), ["bono warn", "homestead warn", "sprout debug"]);
  for (const pid of core.pids) process.kill(pid, "SIGUSR2");
  let seen: string[] = [];
  for (let turn = 0; turn < 20 && seen.join() !== "bono debug,homestead debug,sprout warn"; turn++)
    seen = await levels();
  assert.deepEqual(seen, ["bono debug", "homestead debug", "sprout warn"]);

  const out = join(core.stateDir, "diagnostics.tar.gz");
  assert.equal((await ask("diagnose", "--out", out)).exitCode, 0);
  const text = spawnSync("tar", ["-xzOf", out], { encoding: "utf8", maxBuffer: 64_000_000 }).stdout;
  for (const what of ['"uptimeSeconds"', "ims_sprout_", "ims_bono_", '"flowTokenKey":{"value":"[secret]"'])
    assert.ok(text.includes(what), what);
  for (const file of ["subscriber-key", "pool-keys.json"].map((name) => join(core.stateDir, name)))
    if (existsSync(file)) assert.ok(!text.includes(readFileSync(file, "utf8").trim()), file);
});
