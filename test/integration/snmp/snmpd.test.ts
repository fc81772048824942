import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  alarmList,
  alarmRoutes,
  createHealth,
  managementServer,
  metricsRegister,
  runtimeProblems,
} from "@ims/runtime";
import { freePort } from "@ims/runtime/testing";
import { endProgram, PROGRAM } from "../../support/program.ts";

const missing = ["snmpd", "snmptrapd", "snmpget"].find(
  (name) => spawnSync(name, ["-v"], { stdio: "ignore" }).error !== undefined,
);
// Where tests must not be skipped in silence a missing program makes them fail.
const skip =
  missing === undefined || process.env["CI"] !== undefined
    ? false
    : `no ${missing} here: sh scripts/install-test-tools installs it`;

const HOST = "127.0.0.1";

async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`still waiting: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function run(
  t: TestContext,
  program: string,
  args: readonly string[],
  folder: string,
): ChildProcess & { said: () => string } {
  // Nothing of this machine's set-up counts.
  const env = { ...process.env, SNMPCONFPATH: folder, SNMP_PERSISTENT_DIR: folder, MIBS: "" };
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env });
  t.after(() => endProgram(child, 10_000));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  return Object.assign(child, { said: () => said });
}

test("RFC 3877 by net-snmp: alarms of a node are walked in the tables of snmpd and come as notifications, raised, changed and cleared", {
  skip,
  timeout: 120_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const folder = mkdtempSync(join(tmpdir(), "tidewater-snmp-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [port, trapPort] = [await freePort(HOST), await freePort(HOST)];
  const agentx = join(folder, "agentx");
  const traps = join(folder, "traps.txt");
  writeFileSync(join(folder, "trapd.conf"), "disableAuthorization yes\n");
  run(
    t,
    "snmptrapd",
    ["-f", "-Lf", traps, "-On", "-C", "-c", join(folder, "trapd.conf"), `udp:${HOST}:${trapPort}`],
    folder,
  );
  writeFileSync(
    join(folder, "agent.conf"),
    [
      "rocommunity tidewater 127.0.0.1",
      "master agentx",
      `agentXSocket ${agentx}`,
      `trap2sink ${HOST}:${trapPort} tidewater`,
      "",
    ].join("\n"),
  );
  const startSnmpd = async (): Promise<ReturnType<typeof run>> => {
    const listen = ["-p", join(folder, "snmpd.pid"), `udp:${HOST}:${port}`];
    const started = run(t, "snmpd", ["-f", "-Lo", "-C", "-c", join(folder, "agent.conf"), ...listen], folder);
    await Promise.race([
      until(() => /NET-SNMP version/.test(started.said()), started.said),
      once(started, "exit").then(() => Promise.reject(new Error(`snmpd ended: ${started.said()}`))),
    ]);
    return started;
  };
  const snmpd = await startSnmpd();

  const alarms = alarmList();
  const modules = {
    register: metricsRegister(),
    health: createHealth(alarms),
    routes: alarmRoutes("sprout", alarms),
  };
  const node = managementServer({ address: HOST, port: 0 }, modules);
  await node.start();
  t.after(() => node.stop());
  const { fileRefused, diskNearlyFull } = runtimeProblems;
  alarms.watch(diskNearlyFull, () => undefined);
  alarms.raise(fileRefused, { object: "peers.json", text: "is not JSON" });

  const agent = run(
    t,
    process.execPath,
    [
      ...process.execArgv,
      ...[PROGRAM, "snmp-agent", "--agentx", agentx],
      ...["--url", `http://${HOST}:${node.port}`, "--every", "0.2"],
    ],
    folder,
  );
  const walk = (oid: string): string => {
    const args = ["-v2c", "-c", "tidewater", "-On", `${HOST}:${port}`, oid];
    const env = { ...process.env, MIBS: "", SNMPCONFPATH: folder };
    return spawnSync("snmpwalk", args, { encoding: "utf8", env }).stdout;
  };
  const seen = (): string => {
    try {
      return readFileSync(traps, "utf8");
    } catch {
      return "";
    }
  };
  const heard = (pattern: RegExp): Promise<void> =>
    until(
      () => pattern.test(seen()),
      () => `${pattern} in ${seen()} ${agent.said()} ${snmpd.said()}`,
    );

  // alarmActiveState, alarmActiveModelPointer to problem 1005 in state major, and the words.
  await heard(
    /\.1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: \.1\.3\.6\.1\.2\.1\.118\.0\.2\b.*118\.1\.2\.2\.1\.13\.0\.11\.[0-9.]+ = OID: \.1\.3\.6\.1\.2\.1\.118\.1\.1\.2\.1\.3\.0\.1005\.5\b.*major: TW-1005 [^"]*peers\.json: is not JSON/s,
  );
  // alarmActiveDescription; alarmModelDescription; ituAlarmProbableCause: fileError.
  await until(
    () => /TW-1005/.test(walk("1.3.6.1.2.1.118.1.2.2.1.11")),
    () => walk("1.3.6.1.2.1.118"),
  );
  assert.match(
    walk("1.3.6.1.2.1.118.1.2.2.1.11"),
    /^\.1\.3\.6\.1\.2\.1\.118\.1\.2\.2\.1\.11\.0\.11(?:\.\d+){11}\.1 = STRING: "127\.0\.0\.1:\d+: major: TW-1005 [^\n]*"\n$/,
  );
  assert.match(
    walk("1.3.6.1.2.1.118.1.1.2.1.6.0.1009"),
    /\.6\.0\.1009\.1 = STRING: "TW-1009 .*\n.*\.6\.0\.1009\.2 = /,
  );
  assert.match(
    walk("1.3.6.1.2.1.121.1.1.1.1.3.0.1005"),
    /^\.1\.3\.6\.1\.2\.1\.121\.1\.1\.1\.1\.3\.0\.1005\.1 = INTEGER: 161$/m,
  );
  // A whole walk ends.
  assert.ok(walk("1.3.6.1.2.1.118").split("\n").length > 100);

  alarms.raise(fileRefused, { object: "peers.json", severity: "CRITICAL", text: "is gone" });
  await heard(/118\.1\.1\.2\.1\.3\.0\.1005\.6\b.*critical: TW-1005/s);
  alarms.clear(fileRefused, "peers.json");
  await heard(/= OID: \.1\.3\.6\.1\.2\.1\.118\.0\.3\b.*118\.1\.1\.2\.1\.3\.0\.1005\.1\b.*cleared: TW-1005/s);
  await until(
    () => !/TW-1005/.test(walk("1.3.6.1.2.1.118.1.2.2.1.11")),
    () => "the row to go",
  );

  // Resending: what is active is told again.
  alarms.raise(diskNearlyFull, { object: "/state", text: "9 % free" });
  await heard(/warning: TW-1009/);
  const before = seen().split("warning: TW-1009").length;
  alarms.resend();
  await until(() => seen().split("warning: TW-1009").length > before, seen);

  // snmpd is restarted: it is connected to again, and learns all there is.
  await endProgram(snmpd, 10_000);
  alarms.raise(fileRefused, { object: "raised.json", text: "while snmpd was away" });
  await startSnmpd();
  await heard(/TW-1005 [^"]*raised\.json: while snmpd was away/);
  assert.match(walk("1.3.6.1.2.1.118.1.2.2.1.11"), /TW-1009[^\n]*\n.*raised\.json/);

  // A node that hangs or is gone is an alarm of its own, and what it said stays.
  await node.stop();
  await heard(/118\.1\.1\.2\.1\.3\.0\.9001\.6\b.*critical: TW-9001/s);
  assert.match(walk("1.3.6.1.2.1.118.1.2.2.1.11"), /TW-1009/);
});
