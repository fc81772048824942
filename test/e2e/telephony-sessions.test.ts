import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "@ims/runtime/testing";
import { startApplicationServer } from "../support/application-server.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { type RunningSipp, sippMissing, startSipp } from "../support/sipp.ts";
import {
  problemsOf,
  runCall,
  runRegistration,
  type Scenario,
  type SippUser,
  scenarioPath,
  ueArgs,
  ueRow,
} from "../support/sipp-call.ts";
import { bars, TelephonyUnderTest, type TelephonyUser } from "../support/telephony.ts";
import { startVisitedEdge } from "../support/visited-edge.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const HOME_CELL = "262011234567890";
const CELL_IN_FRANCE = "208011234567890";
const FRENCH_NETWORK = "ims.mnc001.mcc208.3gppnetwork.org";

const answer: Scenario = { name: "uas-answer" };

describe("telephony services of sessions and identities, seen by SIPp", { skip }, () => {
  let core: CoreUnderTest;
  let telephony: TelephonyUnderTest;
  let mrfPort: number;
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    mrfPort = await freePort("127.0.0.1");
    const settings = [
      "mmtel-country-code=49",
      "mmtel-home-networks=26201",
      "conference-uris=sip:conference-factory@example.com",
      `mrf-uri=sip:127.0.0.1:${mrfPort};transport=udp`,
    ];
    core = await launchCore({
      args: ["--no-examples", "--mmtel", ...settings.flatMap((each) => ["--set", `sprout.${each}`])],
    });
    telephony = new TelephonyUnderTest(core);
  });
  after(() => core?.stop());

  const user = (given?: TelephonyUser): Promise<SippUser> => telephony.user(given);

  async function call(
    caller: SippUser,
    scenario: Scenario,
    callee: SippUser,
    callees: readonly Scenario[] = [],
    where = telephony.where,
  ): Promise<readonly string[]> {
    const result = await runCall(where, { caller, scenario, callee, callees });
    assert.deepEqual(problemsOf(result), []);
    return result.caller.logs;
  }

  test("TS 24.607 OIP: who does not have it learns nothing of who calls", async () => {
    const callee = await user({ simservs: { originatingIdentityPresentation: false } });
    await call(await user(), { name: "uac-call" }, callee, [{ name: "uas-anonymous" }]);
  });

  test("TS 24.608 TIP and TIR: the caller is told who answers, unless he is not to know or they do not want it", async () => {
    const answeredBy = async (caller: SippUser, callee: SippUser): Promise<string | undefined> =>
      (await call(caller, { name: "uac-identified" }, callee, [answer])).find((line) =>
        line.startsWith("answered by"),
      );
    const [caller, callee] = [await user(), await user()];
    assert.equal(await answeredBy(caller, callee), `answered by ${telephony.uriOf(callee)}`);
    const without = await user({ simservs: { terminatingIdentityPresentation: false } });
    assert.equal((await answeredBy(without, await user()))?.trim(), "answered by");
    const shy = await user({
      simservs: { terminatingIdentityRestriction: { active: true, restricted: true } },
    });
    assert.equal((await answeredBy(caller, shy))?.trim(), "answered by");
  });

  /** Calls a number from a cell; `code`: it is refused with this. */
  const number = (uri: string, cell: string, code?: string): Scenario => ({
    name: code === undefined ? "uac-number" : "uac-number-refused",
    fill: { URI: uri, CELL: cell, ...(code === undefined ? {} : { CODE: code }) },
  });

  test("TS 24.611 §4.9 international, international-exHC: barred by number and cell, the home country from abroad not", async () => {
    const [one, other] = ["tel:+4930123456", "tel:+4930123457"];
    const [callee, another] = [await user({ more: [one] }), await user({ more: [other] })];
    const nowhere = await user({ simservs: { outgoingBarring: bars({ kind: "international" }) } });
    await call(nowhere, number(one, HOME_CELL), callee, [answer]);
    await call(nowhere, number("tel:+33123456789", HOME_CELL, "603"), callee);
    await call(nowhere, number(one, CELL_IN_FRANCE, "603"), callee);
    const homeOnly = await user({ simservs: { outgoingBarring: bars({ kind: "international-exHC" }) } });
    await call(homeOnly, number("tel:+44123456789", CELL_IN_FRANCE, "603"), callee);
    await call(homeOnly, number(other, CELL_IN_FRANCE), another, [answer]);
  });

  test("TS 24.611 §4.9 roaming: barred for who is registered through another network, both ways, and at home no more", async (t) => {
    const france = await startVisitedEdge(t, core, FRENCH_NETWORK);
    const refused: Scenario = { name: "uac-refused", fill: { CODE: "603" } };
    const callee = await user();
    const traveller = await user({ simservs: { outgoingBarring: bars({ kind: "roaming" }) } });
    await call(traveller, refused, callee, [], france);
    await call(traveller, { name: "uac-call" }, callee, [answer]);
    const guest = await user({ simservs: { incomingBarring: bars({ kind: "roaming" }) } });
    const registered = await runRegistration(france, { name: "register" }, guest);
    assert.equal(registered.exitCode, 0, registered.errors);
    await call(await user(), refused, guest);
    await call(await user(), { name: "uac-call" }, guest, [answer]);
  });

  test("TS 24.605 §5.3: a conference factory URI leads to the MRF, which is the focus of the call", async (t) => {
    const mrf = await startApplicationServer(t, "as-mrf", { port: mrfPort });
    await call(await user(), { name: "uac-conference" }, { name: "conference-factory", password: "" });
    const { stats, errors } = await mrf.finish();
    assert.equal(stats.successful, 1, errors);
  });

  test("TS 24.610: a call is held and taken up again", async () => {
    await call(await user(), { name: "uac-hold" }, await user(), [{ name: "uas-hold" }]);
  });

  test("TS 24.615: who is in a call is called: the second caller is told to wait, and is answered", async () => {
    const callee = await user();
    const { domain, target } = telephony.where;
    const start = async (
      who: SippUser,
      scenario: string,
      more: readonly string[] = [],
      outOfCall?: string,
    ): Promise<RunningSipp> =>
      startSipp({
        scenario: scenarioPath(scenario),
        ...(outOfCall === undefined ? {} : { outOfCall: scenarioPath(outOfCall) }),
        target,
        csv: [ueRow(who, domain, callee.name)],
        keys: { domain },
        args: [...(await ueArgs(telephony.where)), ...more],
        timeoutMs: 60_000,
      });
    const phone = await start(callee, "register-and-wait", ["-d", "40000"], "uas-waiting");
    try {
      await logged(phone, "registered", 1);
      const first = await start(await user(), "uac-talk");
      await logged(first, "talking", 1);
      const second = await (await start(await user(), "uac-waits")).done;
      assert.equal(first.stats().successful, 0, "the first call still goes on");
      assert.equal(second.exitCode, 0, second.errors);
      const { exitCode, errors } = await first.done;
      assert.equal(exitCode, 0, errors);
      await logged(phone, "ended", 2);
    } finally {
      await phone.finish(0);
    }
  });

  test("TS 24.606: a UE subscribes to its voice mail, hears that messages wait, and ends it", async (t) => {
    const voiceMail = await startApplicationServer(t, "as-voice-mail");
    const owner = await user({
      criteria: [
        {
          priority: 2,
          trigger: {
            form: "cnf",
            groups: [
              [{ condition: { kind: "method", method: "SUBSCRIBE" } }],
              [{ condition: { kind: "sipHeader", header: "Event", content: "message-summary" } }],
            ],
          },
          applicationServer: { serverName: voiceMail.uri },
        },
      ],
    });
    const result = await runRegistration(telephony.where, { name: "message-waiting" }, owner);
    assert.equal(result.exitCode, 0, result.errors);
    const { stats, errors } = await voiceMail.finish();
    assert.equal(stats.successful, 1, errors);
  });
});

async function logged(running: RunningSipp, line: string, times: number): Promise<void> {
  const seen = (): number => running.logs().filter((each) => each === line).length;
  for (const deadline = performance.now() + 8_000; seen() < times && performance.now() < deadline; )
    await delay(20);
  assert.equal(seen(), times, `"${line}" in ${running.logs().join(", ")}`);
}
