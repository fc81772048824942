import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { sippMissing } from "../support/sipp.ts";
import { problemsOf, runCall, type SippCallResult } from "../support/sipp-call.ts";
import { TelephonyUnderTest } from "../support/telephony.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

describe("a core on ::1: bono, sprout, homestead, homer and ralf", { skip }, () => {
  let core: CoreUnderTest;
  let telephony: TelephonyUnderTest;
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    core = await launchCore({ host: "::1", args: ["--no-examples", "--mmtel", "--charging"] });
    telephony = new TelephonyUnderTest(core);
  });
  after(() => core?.stop());

  /** Every address that a UE saw. */
  function isIPv6Only({ caller, callees }: SippCallResult): void {
    for (const { messages } of [caller, ...callees]) {
      assert.match(messages, /Via: SIP\/2\.0\/(?:UDP|TCP) \[::1\]:\d+/);
      assert.match(messages, /Record-Route: <sip:[^>]*\[::1\]:\d+/i);
      assert.match(messages, /^c=IN IP6 ::1\r?$/m);
      assert.doesNotMatch(messages, /\b127\.\d+\.\d+\.\d+\b/);
    }
  }

  for (const transport of ["udp", "tcp"] as const)
    test(`RFC 3261 §25.1, IPv6reference: two UEs register and call over ${transport} on ::1, through every node`, async () => {
      const result = await runCall(
        { ...telephony.where, transport },
        {
          caller: await telephony.user(),
          scenario: { name: "uac-call" },
          callee: await telephony.user(),
          callees: [{ name: "uas-answer" }],
        },
      );
      assert.deepEqual(problemsOf(result), []);
      isIPv6Only(result);
    });

  test("TS 24.604 CFU over IPv6: what is set by XCAP on ::1 diverts a call, and its CDRs are written", async () => {
    const [caller, target] = [await telephony.user(), await telephony.user()];
    const callee = await telephony.user({ simservs: telephony.to(target) });
    const result = await runCall(telephony.where, {
      caller,
      scenario: { name: "uac-diverted", fill: { CAUSE: "302" } },
      callee,
      callees: [{ name: "uas-diverted", fill: { CAUSE: "302" }, user: target }],
    });
    assert.deepEqual(problemsOf(result), []);
    isIPv6Only(result);
    const parties = [caller, target].map((each) => telephony.uriOf(each));
    const isCharged = (): boolean => parties.every((party) => cdrs().includes(party));
    for (let tries = 0; tries < 50 && !isCharged(); tries++) await delay(100);
    assert.ok(isCharged(), cdrs());
  });

  function cdrs(): string {
    const folder = join(core.stateDir, "cdr");
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
  }
});
