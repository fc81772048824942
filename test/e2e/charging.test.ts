import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { type Cdf, startCdf } from "../support/cdf.ts";
import { type CoreUnderTest, startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";
import { sippMissing } from "../support/sipp.ts";
import { runCall, type SippTarget } from "../support/sipp-call.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const FUNCTIONS = ["P-CSCF originating", "P-CSCF terminating", "S-CSCF originating", "S-CSCF terminating"];

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Records of one kind of a call, by who made them. */
function functionsOf(cdf: Cdf, type: "START" | "INTERIM" | "STOP" | "EVENT", method: string): string[] {
  return cdf
    .of(type)
    .map(({ avps }) => avps.serviceInformation?.imsInformation)
    .filter((ims) => ims?.eventType?.sipMethod === method)
    .map((ims) => {
      const role = ims?.roleOfNode === 0 ? "originating" : "terminating";
      return `${ims?.nodeFunctionality === 1 ? "P-CSCF" : "S-CSCF"} ${role}`;
    })
    .sort();
}

/** A call of its own two users: bindings of an earlier one must not ring. */
async function callWith(
  core: CoreUnderTest,
  number: number,
  caller: string,
  callee: string,
  fill = {},
): Promise<void> {
  const where: SippTarget = {
    target: `${core.sip.host}:${core.sip.tcpPort}`,
    domain: core.domain,
    transport: "tcp",
  };
  const { caller: result } = await runCall(where, {
    caller: { name: `a${number}`, password: "secret" },
    scenario: { name: caller, fill },
    callee: { name: `b${number}`, password: "secret" },
    callees: [{ name: callee, fill }],
  });
  assert.equal(result.exitCode, 0, result.errors);
}

test("TS 32.260 §5.2.2.1: P-CSCF and S-CSCF of both parties charge a call, its change, its failure, a message", {
  skip,
  timeout: 120_000,
}, async (t) => {
  assert.equal(missing, null, missing?.reason);
  const cdf = await startCdf(t);
  const core = await startCore(t, {
    args: ["--no-examples", "--charging", "--set", `ralf.cdf=127.0.0.1:${cdf.port}`],
  });
  const names = ["a1", "b1", "a2", "b2", "a3", "b3"].map((name) => `${name}@example.com`);
  const file = join(core.stateDir, "subscribers.csv");
  writeFileSync(file, `impi,impu,password\n${names.map((name) => `${name},sip:${name},secret\n`).join("")}`);
  const imported = await core.tidewater(["subscriber", "import", "--url", core.provisioning, file]);
  assert.equal(imported.exitCode, 0, imported.stderr);

  await callWith(core, 1, "uac-reinvite", "uas-reinvite");
  await until(() => cdf.of("STOP").length >= 4, "four ends");
  assert.deepEqual(functionsOf(cdf, "START", "INVITE"), FUNCTIONS);
  assert.deepEqual(functionsOf(cdf, "STOP", "BYE"), FUNCTIONS);
  // Whatever changes there were: each function has told each of them once for each role.
  const changes = functionsOf(cdf, "INTERIM", "INVITE");
  assert.ok(changes.length >= 4);
  assert.deepEqual([...new Set(changes)], FUNCTIONS);
  const times = changes.filter((each) => each === FUNCTIONS[0]).length;
  for (const each of FUNCTIONS) assert.equal(changes.filter((one) => one === each).length, times, each);

  // RFC 7315 §4.6: one ICID for all who charge the same session; the inter operator identifiers of both networks.
  const started = cdf.of("START").map(({ avps }) => avps.serviceInformation?.imsInformation);
  const icids = new Set(started.map((ims) => ims?.imsChargingIdentifier));
  assert.equal(icids.size, 1);
  assert.ok(!icids.has(undefined));
  for (const ims of started) {
    assert.deepEqual(ims?.interOperatorIdentifier, [
      { originatingIoi: "example.com", terminatingIoi: "example.com" },
    ]);
    assert.deepEqual(ims?.callingPartyAddress?.[0], "sip:a1@example.com");
    assert.ok(ims?.sdpMediaComponent?.some(({ sdpMediaName }) => sdpMediaName?.startsWith("m=audio")));
  }

  await callWith(core, 2, "uac-refused", "uas-refuse", { CODE: "486", REASON: "Busy Here" });
  await until(() => functionsOf(cdf, "EVENT", "INVITE").length >= 4, "four failures");
  assert.deepEqual(functionsOf(cdf, "EVENT", "INVITE"), FUNCTIONS);
  const failures = cdf.of("EVENT").map(({ avps }) => avps.serviceInformation?.imsInformation);
  assert.deepEqual(
    failures.filter((ims) => ims?.eventType?.sipMethod === "INVITE").map((ims) => ims?.causeCode),
    [486, 486, 486, 486],
  );

  await callWith(core, 3, "uac-message", "uas-message");
  await until(() => functionsOf(cdf, "EVENT", "MESSAGE").length >= 4, "four messages");
  assert.deepEqual([...new Set(functionsOf(cdf, "EVENT", "MESSAGE"))], FUNCTIONS);
  assert.ok(functionsOf(cdf, "EVENT", "REGISTER").length >= 4);
  assert.deepEqual(cdf.unmarked, []);

  // The same in the CDR files.
  const folder = join(core.stateDir, "cdr");
  const cdrs = readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line) as { record: string; cause: number; seconds: number });
  assert.equal(cdrs.filter(({ record, cause }) => record === "session" && cause === 0).length, 4);
});

test("TS 32.260 Table 5.2.2.1: where the operator says so the I-CSCF charges Cx queries, the BGCF a call to the PSTN and its end", {
  timeout: 60_000,
}, async (t) => {
  const cdf = await startCdf(t);
  const host = `127.${randomInt(30, 120)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const sip = { host, udpPort: 5060, tcpPort: 5060, tlsPort: 5061, wsPort: 5062, wssPort: 5063 };
  const known = { domain: "example.com", sip };
  const gateway = await SipUe.open(t, known, { user: "gateway" });
  const folder = mkdtempSync(join(tmpdir(), "charging-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bgcfFile = join(folder, "bgcf.json");
  const route = [`sip:${gateway.localAddress}:${gateway.localPort};transport=udp`];
  writeFileSync(bgcfFile, JSON.stringify({ routes: [{ number: "+1", route }] }));
  const settings = [
    ...[`ralf.cdf=127.0.0.1:${cdf.port}`, `sprout.bgcf-file=${bgcfFile}`],
    "sprout.charging-nodes=I-CSCF,BGCF",
  ];
  const core = await startCore(t, {
    host,
    args: ["--no-examples", "--charging", ...settings.flatMap((one) => ["--set", one])],
  });
  await core.addSubscriber({ impi: "a@example.com", impus: ["sip:a@example.com"], password: "secret" });
  const alice = await SipUe.open(t, core, { user: "a" });
  assert.equal((await alice.register()).status, 200);
  const call = await establish(alice, gateway, "tel:+15559999");
  alice.send(call.inDialog("caller", "BYE"));
  reply(gateway, await gateway.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);

  const seen = () =>
    cdf.received.map(({ type, avps }) => {
      const ims = avps.serviceInformation?.imsInformation;
      return { type, node: ims?.nodeFunctionality, method: ims?.eventType?.sipMethod, ims };
    });
  const of = (node: number): unknown[][] =>
    seen()
      .filter((one) => one.node === node)
      .map(({ type, method }) => [type, method]);
  await until(() => of(5).length >= 2, "a session of the BGCF");
  assert.deepEqual(of(5), [
    ["START", "INVITE"],
    ["STOP", "BYE"],
  ]);
  assert.deepEqual(of(2), [
    ["EVENT", "REGISTER"],
    ["EVENT", "INVITE"],
  ]);
  assert.deepEqual(of(0), [], "the S-CSCF was not named");
  // The P-CSCF charges it too, and which record comes first is chance.
  const [registered] = seen().filter(({ node, method }) => node === 2 && method === "REGISTER");
  assert.match(registered?.ims?.serverCapabilities?.serverName?.[0] ?? "", /^sip:.*5054/);
  assert.equal(
    new Set(
      seen()
        .filter(({ method }) => method === "INVITE")
        .map(({ ims }) => ims?.imsChargingIdentifier),
    ).size,
    1,
  );
});
