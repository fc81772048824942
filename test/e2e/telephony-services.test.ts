import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Condition, Simservs } from "@ims/ims";
import { freePort } from "@ims/runtime/testing";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { endProgram } from "../support/program.ts";
import { sippMissing } from "../support/sipp.ts";
import { problemsOf, runCall, type Scenario, type SippUser } from "../support/sipp-call.ts";
import { bars, TelephonyUnderTest } from "../support/telephony.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const answer: Scenario = { name: "uas-answer" };
const refuse = (code: string): Scenario => ({ name: "uas-refuse", fill: { CODE: code, REASON: "No" } });
const refused = (code: string): Scenario => ({ name: "uac-refused", fill: { CODE: code } });

describe("telephony services, set by XCAP and seen by SIPp", { skip }, () => {
  let core: CoreUnderTest;
  let telephony: TelephonyUnderTest;
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    core = await launchCore({ args: ["--no-examples", "--mmtel"] });
    telephony = new TelephonyUnderTest(core);
  });
  after(() => core?.stop());

  const user = (simservs?: Simservs, serverName?: string): Promise<SippUser> =>
    telephony.user({ simservs, ...(serverName === undefined ? {} : { serverName }) });

  /** A call that reaches another user because of `cause`; `first`: what the phone that is called does before, if anything. */
  async function diverted(
    condition: Condition | undefined,
    cause: string,
    first?: (target: string) => Scenario,
  ): Promise<void> {
    const [caller, target] = [await user(), await user()];
    const callee = await user(
      condition === undefined ? telephony.to(target) : telephony.to(target, condition),
    );
    const result = await runCall(telephony.where, {
      caller,
      scenario: { name: "uac-diverted", fill: { CAUSE: cause } },
      callee,
      callees: [
        ...(first === undefined ? [] : [first(telephony.uriOf(target))]),
        { name: "uas-diverted", fill: { CAUSE: cause }, user: target },
      ],
    });
    assert.deepEqual(problemsOf(result), []);
  }

  test("TS 24.604 CFU: unconditional", () => diverted(undefined, "302"));
  test("TS 24.604 CFB: busy", () => diverted({ kind: "busy" }, "486", () => refuse("486")));
  test("TS 24.604 CFNR: no reply in 5 s", () =>
    diverted({ kind: "no-answer" }, "408", () => ({ name: "uas-ring" })));
  test("TS 24.604 CFNL: not registered", () => diverted({ kind: "not-registered" }, "404"));
  test("TS 24.604 CFNRc: not reachable", () => diverted({ kind: "not-reachable" }, "503"));
  test("TS 24.604 CD: deflected by the phone", () =>
    diverted({ kind: "rule-deactivated" }, "487", (target) => ({
      name: "uas-deflect",
      fill: { TARGET: target },
    })));

  test("TS 24.611: incoming and outgoing calls are barred, and by one attribute let in again", async () => {
    const [caller, silent] = [await user(), await user({ outgoingBarring: bars() })];
    const callee = await user({ incomingBarring: bars() });
    const barred = await runCall(telephony.where, { caller, scenario: refused("603"), callee, callees: [] });
    assert.deepEqual(problemsOf(barred), []);
    const outgoing = await runCall(telephony.where, {
      caller: silent,
      scenario: refused("603"),
      callee,
      callees: [],
    });
    assert.deepEqual(problemsOf(outgoing), []);
    const active = "/~~/simservs/incoming-communication-barring/@active";
    const off = ["-H", "Content-Type: application/xcap-att+xml", "--data-binary", "false"];
    assert.equal(await telephony.xcap(callee, "PUT", active, ...off), "200");
    const open = await runCall(telephony.where, {
      caller,
      scenario: { name: "uac-call" },
      callee,
      callees: [answer],
    });
    assert.deepEqual(problemsOf(open), []);
  });

  test("TS 24.607 OIR and TS 24.611 ACR: who is not to be known is not seen, and not let in where nobody wants that", async () => {
    const hidden = await user({ originatingIdentityRestriction: { active: true, restricted: true } });
    const callee = await user();
    const scenario = { name: "uac-call" };
    const seen = await runCall(telephony.where, {
      caller: hidden,
      scenario,
      callee,
      callees: [{ name: "uas-anonymous" }],
    });
    assert.deepEqual(problemsOf(seen), []);
    const strict = await user({ incomingBarring: bars({ kind: "anonymous" }) });
    const refusal = await runCall(telephony.where, {
      caller: hidden,
      scenario: refused("433"),
      callee: strict,
      callees: [],
    });
    assert.deepEqual(problemsOf(refusal), []);
  });

  test("TS 24.229 §5.7: the same by an application server that runs alone, over SIP", async (t) => {
    const port = await freePort("127.0.0.1");
    const program = join(import.meta.dirname, "../../nodes/sprout/bin/mmtel.ts");
    const told = ["--homer", `http://${core.host}:7888`, "--mmtel-port", String(port)];
    const node = spawn(
      process.execPath,
      [program, ...told, "--management-port", "0", "--log-level", "warn"],
      {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      },
    );
    t.after(() => endProgram(node, 10_000));
    await once(node, "message");
    const server = `sip:127.0.0.1:${port};transport=tcp`;
    const [caller, target] = [
      await user({ originatingIdentityRestriction: { active: true, restricted: true } }, server),
      await user(),
    ];
    const callee = await user(telephony.to(target, { kind: "busy" }), server);
    const result = await runCall(telephony.where, {
      caller,
      scenario: { name: "uac-diverted", fill: { CAUSE: "486" } },
      callee,
      callees: [
        { name: "uas-busy", fill: {} },
        { name: "uas-anonymous", user: target },
      ],
    });
    assert.deepEqual(problemsOf(result), []);
  });

  test("while homer does not answer calls go on without services, and sprout says so", async () => {
    const caller = await user();
    const callee = await user({ incomingBarring: bars() });
    const homer = core.nodes.find(({ name }) => name === "homer")?.pid ?? assert.fail("no homer");
    process.kill(homer, "SIGSTOP");
    try {
      const result = await runCall(telephony.where, {
        caller,
        scenario: { name: "uac-call" },
        callee,
        callees: [answer],
      });
      assert.deepEqual(problemsOf(result), []);
      const health = await (await fetch(`http://${core.host}:9102/health/ready`)).text();
      assert.match(health, /simservs: documents cannot be read/);
      assert.match(core.output(), /simservs documents cannot be read/);
    } finally {
      process.kill(homer, "SIGCONT");
    }
  });
});
