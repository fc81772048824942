import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { programOf } from "../../src/up/nodes.ts";

type Run = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");

/** A homestead of its own, and the command line program pointed at it. */
async function startHomestead(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "tidewater-"));
  const ports = ["diameter-port", "provisioning-port", "management-port"].flatMap((name) => [
    `--${name}`,
    "0",
  ]);
  const child = spawn(
    process.execPath,
    [programOf("homestead"), "--state-dir", directory, "--log-level", "silent", ...ports],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.after(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  const ready = await new Promise<{ ports: Record<string, number> }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { ports: Record<string, number> }));
    child.once("exit", () => reject(new Error("homestead did not start")));
  });
  const url = `http://127.0.0.1:${ready.ports["provisioning"]}`;
  const file = (text: string): string => {
    const path = join(directory, "subscribers.csv");
    writeFileSync(path, text);
    return path;
  };
  return { file, subscriber: (args: readonly string[], input = "") => run([...args, "--url", url], input) };
}

function run(args: readonly string[], input: string): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, "subscriber", ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    child.stdin.end(input);
  });
}

test("tidewater subscriber adds, shows, changes and deletes", async (t) => {
  const { subscriber } = await startHomestead(t);
  const alice = ["--impi", "alice@example.com", "--impu", "sip:alice@example.com", "--barred", "tel:+1650"];
  const added = await subscriber(["add", ...alice, "--password-stdin"], "secret\n");
  assert.deepEqual([added.exitCode, added.stderr], [0, ""]);
  const shown = await subscriber(["show", "alice@example.com", "--json"]);
  assert.deepEqual(JSON.parse(shown.stdout), {
    impi: "alice@example.com",
    publicIdentities: [
      { impu: "sip:alice@example.com", barred: false, state: "not-registered" },
      { impu: "tel:+1650", barred: true, state: "not-registered" },
    ],
    authentication: ["digest"],
  });
  assert.equal((await subscriber(["update", "alice@example.com", "--password", "other"])).exitCode, 0);
  assert.match((await subscriber(["list", "--search", "alice"])).stdout, /alice@example\.com/);
  assert.equal((await subscriber(["delete", "alice@example.com"])).exitCode, 0);
  const missing = await subscriber(["delete", "alice@example.com"]);
  assert.equal(missing.exitCode, 1);
  assert.match(missing.stderr, /there is no subscriber alice@example\.com/);
  assert.doesNotMatch(missing.stderr, /at .*\.ts/);
});

test("tidewater subscriber adds one more private identity that shares the sets of another", async (t) => {
  const { subscriber } = await startHomestead(t);
  await subscriber(["add", "--impi", "alice@example.com", "--password-stdin"], "secret\n");
  const tablet = ["add", "--impi", "tablet@example.com", "--shares-with", "alice@example.com"];
  const added = await subscriber([...tablet, "--password-stdin"], "other\n");
  assert.deepEqual([added.exitCode, added.stderr], [0, ""]);
  assert.match(added.stdout, /added tablet@example\.com, which shares the sets of alice@example\.com/);
  const { stdout } = await subscriber(["show", "tablet@example.com"]);
  assert.match(
    stdout,
    /\n {2}same subscription: alice@example\.com\n {2}sip:alice@example\.com {2}not-registered\n/,
  );
  assert.match(
    stdout,
    /registration set \S+: sip:alice@example\.com; of alice@example\.com, tablet@example\.com/,
  );
  const wrong = await subscriber([...tablet, "--impu", "sip:t@example.com"]);
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stderr, /--shares-with takes identities and services of the other/);
});

test("tidewater subscriber import writes nothing when a row is wrong, and the good rows with --partial", async (t) => {
  const { subscriber, file } = await startHomestead(t);
  const path = file(
    "impi,impu,password,barred\n" +
      "a@example.com,sip:a@example.com tel:+1,pw,\n" +
      "nonsense,sip:b@example.com,pw,\n" +
      "c@example.com,tel:+1,pw,\n" +
      "d@example.com,,,\n",
  );
  const report = (result: Run) => {
    const { applied, errors } = JSON.parse(result.stdout) as { applied: number; errors: { row: number }[] };
    return [result.exitCode, applied, errors.map(({ row }) => row).sort()];
  };
  assert.deepEqual(report(await subscriber(["import", path, "--dry-run", "--json"])), [1, 0, [3, 4, 5]]);
  assert.deepEqual(report(await subscriber(["import", path, "--json"])), [1, 0, [3, 4, 5]]);
  assert.equal((await subscriber(["show", "a@example.com"])).exitCode, 1);
  assert.deepEqual(report(await subscriber(["import", path, "--partial", "--json"])), [1, 1, [3, 4, 5]]);
  assert.equal((await subscriber(["show", "a@example.com"])).exitCode, 0);
});

test("tidewater subscriber import says when an identity is in the file twice, however far apart", async (t) => {
  const { subscriber, file } = await startHomestead(t);
  const rows = Array.from({ length: 2100 }, (_, i) => `u${i}@example.com,sip:u${i % 2050}@example.com,pw`);
  const path = file(`impi,impu,password\n${rows.join("\n")}\n`);
  const result = await subscriber(["import", path]);
  assert.equal(result.exitCode, 1);
  assert.match(result.stderr, /row 2052 \(u2050@example\.com\): sip:u0@example\.com is in row 2 already/);
  assert.match(result.stdout, /2100 rows, 50 wrong, 0 written/);
});

test("tidewater subscriber import of a gigabyte that is no CSV file ends at its first row, and of very many wrong rows a thousand are told", async (t) => {
  const { subscriber, file } = await startHomestead(t);
  const path = file("");
  truncateSync(path, 1_073_741_824);
  const refused = await subscriber(["import", path]);
  assert.deepEqual([refused.exitCode, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /^tidewater: .*subscribers\.csv: .{5,200}\n$/);
  const rows = Array.from({ length: 3_000 }, (_, at) => `nonsense${at},,pw\n`);
  const wrong = await subscriber(["import", file(`impi,impu,password\n${rows.join("")}`)]);
  assert.deepEqual([wrong.exitCode, wrong.stdout], [1, "3000 rows, 3000 wrong, 0 written\n"]);
  const lines = wrong.stderr.trim().split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [1_001, "2000 more rows are wrong"]);
});

test("tidewater subscriber refuses wrong use with exit code 2 and what cannot be reached with 1", async () => {
  assert.equal((await run(["add", "--nonsense"], "")).exitCode, 2);
  const away = await run(["list", "--url", "http://127.0.0.1:1"], "");
  assert.equal(away.exitCode, 1);
  assert.doesNotMatch(away.stderr, /at .*\.ts/);
});

test("tidewater subscriber gives filter criteria in XML and shared sets, and says what is wrong with a file", async (t) => {
  const { file, subscriber } = await startHomestead(t);
  const ifc = (server: string): string =>
    `<IFCs><InitialFilterCriteria><Priority>2</Priority><TriggerPoint><ConditionTypeCNF>0</ConditionTypeCNF><SPT><ConditionNegated>1</ConditionNegated><Group>0</Group><RequestURI>^sip:&lt;</RequestURI></SPT></TriggerPoint><ApplicationServer><ServerName>${server}</ServerName><DefaultHandling>1</DefaultHandling></ApplicationServer></InitialFilterCriteria></IFCs>`;
  const alice = ["--impi", "alice@example.com", "--password-stdin", "--shared-ifc-set", "7"];
  const added = await subscriber(
    ["add", ...alice, "--ifc-file", file(ifc("sip:as.example.com"))],
    "secret\n",
  );
  assert.deepEqual([added.exitCode, added.stderr], [0, ""]);
  const shown = await subscriber(["show", "alice@example.com"]);
  assert.match(
    shown.stdout,
    /filter criteria 2: sip:as\.example\.com, terminate without it\n {2}shared filter criteria: set 7/,
  );

  for (const [text, problem] of [
    [ifc(""), /InitialFilterCriteria 1: MISSING_ELEMENT ServerName/],
    ["<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", /a document type is not accepted/],
    [ifc("as.example.com"), /an application server is a SIP URI/],
  ] as const) {
    const refused = await subscriber(["update", "alice@example.com", "--ifc-file", file(text)]);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, problem);
    assert.doesNotMatch(refused.stderr, /\n\s+at /);
  }
  const claims = await subscriber(["update", "alice@example.com", "--resource-priority", "ets.2"]);
  assert.equal(claims.exitCode, 0, claims.stderr);
  const bare = await subscriber(["update", "alice@example.com", "--resource-priority", "ets"]);
  assert.match(bare.stderr, /Write it as ets\.0/);
  assert.match((await subscriber(["show", "alice@example.com"])).stdout, /may claim ets\.2/);
  // What is not named stays.
  const changed = await subscriber(["update", "alice@example.com", "--ifc-file", file("<IFCs/>"), "--json"]);
  const { services } = JSON.parse(changed.stdout) as {
    services: { initialFilterCriteria: unknown[]; sharedIfcSetIds: number[] };
  };
  assert.deepEqual([services.initialFilterCriteria, services.sharedIfcSetIds], [[], [7]]);
});
