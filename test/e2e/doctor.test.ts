import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResult, Mar, Sar, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import type { SipMessage } from "@ims/sip";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { assertDiagnosed, runDoctor, testsProduceWhatTheyName, untilDiagnosed } from "../support/doctor.ts";
import { startLoneNode } from "../support/lone-node.ts";
import { memcachedMissing, startMemcached } from "../support/memcached.ts";
import { SipUe } from "../support/sip-ue.ts";

type HssMood = "tooBusy" | "silent" | "failing" | "takenElsewhere";

let core: CoreUnderTest;
let mood: HssMood = "tooBusy";
let hssPort: number;
const opened: (() => unknown)[] = [];
const context = { after: (close: () => unknown) => void opened.push(close) } as unknown as TestContext;

before(async () => {
  const hss = startNode(context, "hss.example.com");
  hss.handle(Uar, () => {
    if (mood === "tooBusy") return { resultCode: ResultCode.TOO_BUSY };
    if (mood === "failing") return { resultCode: ResultCode.UNABLE_TO_COMPLY };
    if (mood === "silent") return new Promise<never>(() => undefined);
    return { ...cxResult("FIRST_REGISTRATION"), serverCapabilities: {} };
  });
  hss.handle(Mar, ({ avps: { userName, publicIdentity } }) => ({
    resultCode: ResultCode.SUCCESS,
    ...{ userName, publicIdentity, sipNumberAuthItems: 1 },
    sipAuthDataItem: [
      {
        sipItemNumber: 1,
        sipAuthenticationScheme: "SIP Digest",
        sipDigestAuthenticate: {
          ...{ digestRealm: "example.com", digestAlgorithm: "MD5", digestQop: "auth" },
          digestHa1: HA1_OF_ALICE,
        },
      },
    ],
  }));
  hss.handle(Sar, () => ({
    ...cxResult("ERROR_IDENTITY_ALREADY_REGISTERED"),
    serverName: "sip:scscf.another.example",
  }));
  hssPort = await hss.listen({ host: "127.0.0.1", port: 0 });
  const options = [`sprout.hss-peer=127.0.0.1:${hssPort}`, "sprout.hss-timeout-ms=300"];
  core = await launchCore({ args: ["--no-examples", ...options.flatMap((one) => ["--set", one])] });
});
after(async () => {
  await core.stop();
  for (const close of opened) await close();
});

/** MD5 of alice@example.com:example.com:secret. */
const HA1_OF_ALICE = "c79656e4f06dbae9fdf6727654273c65";

for (const [state, id, status] of [
  ["tooBusy", "hss-overloaded", 503],
  ["failing", "hss-failed", 480],
  ["takenElsewhere", "registered-elsewhere", 403],
] as const)
  test(`${id}: the HSS is ${state}`, async (t) => {
    mood = state;
    const ue = await SipUe.open(t, core, { user: "alice" });
    assert.equal((await ue.register()).status, status);
    await assertDiagnosed(t, core, ue.callId, [id]);
  });

test("home-network-unreachable, overload: a P-CSCF by itself, in a flood", async (t) => {
  const host = `127.${randomInt(121, 125)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-doctor-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  await startLoneNode(t, "bono", [
    ...["--host", host, "--icscf-uri", `sip:${host}:9;transport=tcp`, "--run-dir", join(stateDir, "run")],
    ...["--management-address", host, "--management-port", "0", "--strangers-per-second", "0"],
    ...["--overload-target-ms", "20", "--overload-floor", "1"],
  ]);
  const sip = { ...core.sip, host };
  const ue = await SipUe.open(t, { domain: core.domain, sip }, { user: "alice" });
  assert.equal((await ue.register()).status, 504);
  await untilDiagnosed(t, { stateDir }, ue.callId, "home-network-unreachable");

  const flood = await SipUe.open(t, { domain: core.domain, sip }, { user: "flood" });
  const deadline = Date.now() + 20_000;
  let refused: SipMessage | undefined;
  for (let round = 0; refused === undefined; round++) {
    assert.ok(Date.now() < deadline, "the flood was served to the end");
    for (let n = 0; n < 250; n++) {
      const request = flood.request("REGISTER", `sip:${core.domain}`, { callId: `flood-${round}-${n}` });
      flood.send(request.append("Contact", flood.contact));
    }
    refused = await flood.expect(({ status }) => status === 503, "503", 5).catch(() => undefined);
  }
  const { exchanges } = await untilDiagnosed(t, { stateDir }, refused.callId, "overload");
  assert.deepEqual(
    exchanges.map(({ outcome, diagnoses }) => [outcome, diagnoses.map(({ id }) => id)]),
    [["503 Service Unavailable", ["overload"]]],
  );
});

const skip = memcachedMissing() ?? false;
test("store-unavailable: a sprout whose memcached has died", { skip }, async (t) => {
  mood = "takenElsewhere";
  const host = `127.${randomInt(121, 125)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const stateDir = mkdtempSync(join(tmpdir(), "tidewater-doctor-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const management = [
    "--management-address",
    host,
    "--management-port",
    "0",
    "--run-dir",
    join(stateDir, "run"),
  ];
  await startLoneNode(t, "sprout", [
    ...["--host", host, "--memcached", memcached.id, "--hss-peer", `127.0.0.1:${hssPort}`],
    ...["--diameter-host", "another.example.com", ...management],
  ]);
  await startLoneNode(t, "bono", [
    ...["--host", host, "--icscf-uri", `sip:${host}:5052;transport=tcp`, ...management],
  ]);
  await memcached.kill();
  const ue = await SipUe.open(t, { domain: core.domain, sip: { ...core.sip, host } }, { user: "alice" });
  assert.equal((await ue.register()).status, 500);
  const { exchanges } = await untilDiagnosed(t, { stateDir }, ue.callId, "store-unavailable");
  assert.deepEqual(
    exchanges.map(({ diagnoses }) => diagnoses.map(({ id }) => id)),
    [["store-unavailable"]],
  );
});

test("words for a terminal: what is wrong, why, what to do, and the ladder; no colours with NO_COLOR", async (t) => {
  mood = "tooBusy";
  const ue = await SipUe.open(t, core, { user: "alice" });
  await ue.register();
  const { exitCode, stdout } = await core.tidewater(["doctor", ue.callId, "--host", core.host]);
  assert.equal(exitCode, 1);
  for (const part of [
    /^sip:alice@example\.com\n {2}HSS +does not know it\n/,
    /WRONG {2}The HSS is too busy {2}\[hss-overloaded\]\n/,
    /\n {2}Why {4}\S/,
    /\n {2}Do {5}\S/,
    /\n {2}Seen {3}[0-9:.]+ {2}\S/,
    /\n {2}See {4}RFC 6733/,
    /\|-+ REGISTER -+>\|/,
    /UAA 3004 DIA/,
  ])
    assert.match(stdout, part);
  assert.ok(!stdout.includes("\u001b"), "no colours in a pipe");
});

test("no secret is in what the doctor says, also with the messages", async (t) => {
  mood = "takenElsewhere";
  const ue = await SipUe.open(t, core, { user: "alice" });
  const secrets: string[] = [];
  await ue.register({
    edit: (request) => {
      for (const [, secret = ""] of (request.header("Authorization") ?? "").matchAll(
        /(?:response|cnonce|nonce)="([^"]+)"/g,
      ))
        secrets.push(secret);
    },
  });
  assert.ok(secrets.length >= 3, secrets.join());
  for (const more of [["--json", "--text"], ["--text"], ["--json"]]) {
    const { stdout } = await runDoctor(t, [ue.callId, "--state-dir", core.stateDir, ...more]);
    assert.ok(stdout.includes(ue.callId));
    for (const secret of [...secrets, HA1_OF_ALICE])
      assert.ok(!stdout.includes(secret), `${secret} in ${stdout}`);
  }
});

test("nobody, names that are none, nodes that are away: clear words, exit codes 1 and 2", async (t) => {
  const here = ["--state-dir", core.stateDir];
  const script = await runDoctor(t, ["<script>alert(1)</script>", ...here]);
  assert.equal(script.exitCode, 1);
  assert.match(
    script.stdout,
    /Nothing is known of registrations or calls of <script>alert\(1\)<\/script>: what is kept begins at 20/,
  );
  for (const name of ["x".repeat(1_000_000), "<img src=x onerror=alert(1)>", "", "a\u0000b", "\u202ex"]) {
    const { exitCode, stdout, stderr } = await runDoctor(t, [name, ...here]);
    assert.deepEqual([exitCode, stdout], [2, ""], stderr.slice(0, 200));
    assert.match(stderr, /^tidewater: .{5,300}\n$/);
  }
  assert.match(
    (await runDoctor(t, ["x".repeat(1_000_000), ...here])).stderr,
    /1000000 characters, 300 are the most/,
  );

  mood = "tooBusy";
  const ue = await SipUe.open(t, core, { user: "alice" });
  await ue.register();
  const gone = ["--node", "sprout=http://127.0.0.1:1", "--node", `bono=http://${core.host}:9101`];
  const part = await runDoctor(t, [ue.callId, "--json", ...gone]);
  const answer = JSON.parse(part.stdout) as { exchanges: unknown[]; problems: string[] };
  assert.deepEqual([part.exitCode, answer.exchanges.length], [1, 1]);
  assert.deepEqual(
    answer.problems.map((problem) => problem.replace(/:.*/, "")),
    ["sprout does not answer at http", "no homestead says where its provisioning API is"],
  );
  const none = await runDoctor(t, ["alice", "--node", "bono=http://127.0.0.1:1"]);
  assert.equal(none.exitCode, 1);
  assert.match(
    none.stdout,
    /Nothing is known .*nothing is kept\.\n\nThis is a part of the truth only\n {2}bono does not answer/s,
  );
});

test("hss-unreachable: the HSS says nothing", async (t) => {
  mood = "silent";
  const ue = await SipUe.open(t, core, { user: "alice" });
  assert.equal((await ue.register()).status, 480);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["hss-unreachable"]);
  assert.match(diagnosis?.said ?? "", /^UAR got no answer/);
});

testsProduceWhatTheyName(import.meta.filename, { skip });
