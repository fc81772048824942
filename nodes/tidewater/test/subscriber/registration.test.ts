import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Registrations } from "@ims/api";
import { createHealth, managementServer, metricsRegister } from "@ims/runtime";

const PROGRAM = join(import.meta.dirname, "../../bin/tidewater.ts");
const TOKEN = "0123456789abcdef";

const registrations: Registrations = {
  identity: "sip:alice@example.com",
  serverName: "sip:scscf.example.com:5054",
  registrations: [
    {
      publicIdentity: "sip:alice@example.com",
      publicIdentities: [
        { impu: "sip:alice@example.com", barred: false },
        { impu: "tel:+1650", barred: true },
      ],
      state: "registered",
      bindings: [
        {
          contact: "sip:alice@192.0.2.1\u001b[31m",
          privateIdentity: "alice@example.com",
          publicIdentity: "sip:alice@example.com",
          instance: "urn:uuid:1",
          regId: 2,
          path: ["<sip:flow@192.0.2.100;lr;ob>"],
          q: 1,
          registeredAt: "2026-01-01T00:00:00.000Z",
          expiresAt: "2026-01-01T01:00:00.000Z",
          expiresIn: 3599,
          callId: "c",
          cseq: 2,
          emergency: false,
        },
      ],
      subscriptions: [
        {
          subscriber: "sip:pcscf.example.com",
          kind: "p-cscf",
          target: "sip:192.0.2.100:5058",
          callId: "s",
          expiresAt: "2026-01-02T00:00:00.000Z",
          expiresIn: 86_399,
          unanswered: 1,
        },
      ],
    },
  ],
};

async function startSprout(t: TestContext, token?: string): Promise<string> {
  const server = managementServer(
    { address: "127.0.0.1", port: 0, token },
    { register: metricsRegister(), health: createHealth() },
  );
  server.serve(
    new Map([
      [
        "registrations",
        async (identity: string) =>
          identity === "sip:alice@example.com"
            ? { kind: "found" as const, document: registrations }
            : { kind: "found" as const, document: { ...registrations, identity, registrations: [] } },
      ],
    ]),
  );
  await server.start();
  t.after(() => server.stop());
  return `http://127.0.0.1:${server.port}`;
}

function run(args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, "subscriber", "registration", ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    child.stdin.end();
  });
}

test("tidewater subscriber registration shows state, contacts, ways, subscriptions and S-CSCF", async (t) => {
  const url = await startSprout(t);
  const shown = await run(["sip:alice@example.com", "--sprout-url", url]);
  assert.deepEqual([shown.exitCode, shown.stderr], [0, ""]);
  assert.equal(
    shown.stdout,
    [
      "sip:alice@example.com",
      "  registered, at sip:scscf.example.com:5054",
      "  with tel:+1650, barred",
      "  contact sip:alice@192.0.2.1?[31m, expires in 3599 s, by alice@example.com",
      "    instance urn:uuid:1, reg-id 2",
      "    path <sip:flow@192.0.2.100;lr;ob>",
      "  subscription of sip:pcscf.example.com (p-cscf), expires in 86399 s, to sip:192.0.2.100:5058, 1 NOTIFY unanswered",
      "",
    ].join("\n"),
  );
  const json = await run(["sip:alice@example.com", "--sprout-url", url, "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), registrations);
  const nobody = await run(["sip:bob@example.com", "--sprout-url", url]);
  assert.deepEqual(
    [nobody.exitCode, nobody.stdout],
    [0, "sip:bob@example.com is not registered at sip:scscf.example.com:5054\n"],
  );
});

test("tidewater subscriber registration presents the management token, and says why it is refused", async (t) => {
  const url = await startSprout(t, TOKEN);
  const refused = await run(["sip:alice@example.com", "--sprout-url", url]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /refused \(401\): present the management token/);
  const folder = mkdtempSync(join(tmpdir(), "tidewater-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "token");
  writeFileSync(file, `${TOKEN}\n`);
  const shown = await run(["sip:alice@example.com", "--sprout-url", url, "--token-file", file]);
  assert.equal(shown.exitCode, 0, shown.stderr);
  const away = await run(["sip:alice@example.com", "--sprout-url", "http://127.0.0.1:1"]);
  assert.match(away.stderr, /nothing answers at http:\/\/127\.0\.0\.1:1: is sprout running/);
  assert.equal((await run(["sip:a@b", "--sprout-url", "ftp://x"])).exitCode, 2);
});

test("with a state directory sprout is found by what it says of itself there, and asked with the token that is kept there", async (t) => {
  const url = await startSprout(t, TOKEN);
  const folder = mkdtempSync(join(tmpdir(), "tidewater-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "run"));
  const said = { node: "sprout", pid: process.pid, management: url };
  writeFileSync(join(folder, "run", `sprout-${process.pid}.json`), JSON.stringify(said));
  const asked = ["sip:bob@example.com", "--state-dir", folder];
  assert.match((await run(asked)).stderr, /refused \(401\)/);
  writeFileSync(join(folder, "management-token"), `${TOKEN}\n`);
  const shown = await run(asked);
  assert.deepEqual([shown.exitCode, shown.stderr], [0, ""]);
  assert.match(shown.stdout, /sip:bob@example\.com is not registered/);
  // Whoever is named by an address may be anybody: the token is not shown to him.
  assert.match((await run([...asked, "--sprout-url", url])).stderr, /refused \(401\)/);
});
