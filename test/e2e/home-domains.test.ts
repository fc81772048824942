import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ProvisioningClient } from "@ims/api";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { sippMissing } from "../support/sipp.ts";
import { problemsOf, runCall, type Scenario, type SippTarget, type SippUser } from "../support/sipp-call.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const FIRST = "example.com";
const SECOND = "second.example";
/** Its users are in the HSS, but nobody has told sprout that they are ours. */
const UNTOLD = "third.example";

describe("a core with two home domains", { skip }, () => {
  let core: CoreUnderTest;
  let provisioning: ProvisioningClient;
  let next = 0;
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    core = await launchCore({ args: ["--no-examples", "--set", `sprout.alias-domains=${SECOND}`] });
    provisioning = new ProvisioningClient(core.provisioning);
  });
  after(() => core?.stop());

  async function user(domain: string): Promise<SippUser> {
    const one = { name: `ue${next++}`, password: "secret" };
    await provisioning.add({
      impi: `${one.name}@${domain}`,
      publicIdentities: [{ impu: `sip:${one.name}@${domain}` }],
      credentials: { password: one.password },
    });
    return one;
  }

  async function call(from: string, to: string, code?: string): Promise<void> {
    const [caller, callee] = [await user(from), await user(to)];
    const where: SippTarget = {
      target: `${core.sip.host}:${core.sip.udpPort}`,
      domain: core.domain,
      transport: "udp",
    };
    const fill = { URI: `sip:${callee.name}@${to}`, CELL: "262011234567890" };
    const scenario: Scenario =
      code === undefined
        ? { name: "uac-number", fill, domain: from }
        : { name: "uac-number-refused", fill: { ...fill, CODE: code }, domain: from };
    const callees: Scenario[] = code === undefined ? [{ name: "uas-answer", domain: to }] : [];
    assert.deepEqual(problemsOf(await runCall(where, { caller, scenario, callee, callees })), []);
  }

  for (const [from, to] of [
    [FIRST, SECOND],
    [SECOND, FIRST],
    [SECOND, SECOND],
  ] as const)
    test(`TS 24.229 §5.4.3.2 step 10: a registered user of ${from} calls one of ${to}, and both are ours`, () =>
      call(from, to));

  test("TS 24.229 §5.4.3.2: a domain that sprout is not told of is another network's, whoever is in the HSS", () =>
    call(FIRST, UNTOLD, "404"));
});
