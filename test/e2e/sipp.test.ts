import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { sippMissing } from "../support/sipp.ts";
import {
  problemsOf,
  runCall,
  runRegistration,
  type SippTarget,
  type SippUser,
} from "../support/sipp-call.ts";
import {
  callCases,
  callOf,
  missingMessages,
  registrationCases,
  registrationUser,
} from "../support/sipp-cases.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;
const USERS = 100;

describe("UEs played by SIPp", { skip }, () => {
  let core: CoreUnderTest;
  let next = 0;
  // Every UE is a user of its own: bindings of an earlier test must not ring in a later one.
  const user = (): SippUser => {
    const number = next++;
    assert.ok(number < USERS, "more users are needed than were provisioned");
    return { name: `ue${number}`, password: `secret-of-${number}` };
  };

  before(async () => {
    assert.equal(missing, null, missing?.reason);
    core = await launchCore({ args: ["--no-examples"] });
    const rows = Array.from({ length: USERS }, (_, number) => {
      const identity = `ue${number}@${core.domain}`;
      return `${identity},sip:${identity},secret-of-${number}\n`;
    });
    const file = join(core.stateDir, "subscribers.csv");
    writeFileSync(file, `impi,impu,password\n${rows.join("")}`);
    const imported = await core.tidewater(["subscriber", "import", "--url", core.provisioning, file]);
    assert.equal(imported.exitCode, 0, imported.stderr);
  });
  after(() => core?.stop());

  for (const transport of ["udp", "tcp"] as const) {
    const where = (): SippTarget => ({
      target: `${core.sip.host}:${transport === "udp" ? core.sip.udpPort : core.sip.tcpPort}`,
      domain: core.domain,
      transport,
    });
    for (const one of registrationCases)
      test(`${one.title} (${transport})`, async () => {
        const result = await runRegistration(where(), { name: one.scenario }, registrationUser(one, user()));
        assert.equal(result.exitCode, 0, result.errors);
      });
    for (const one of callCases.filter(({ transports }) => transports.includes(transport)))
      test(`${one.title} (${transport})`, async () => {
        const result = await runCall(where(), callOf(one, user(), user()));
        assert.deepEqual([...problemsOf(result), ...missingMessages(one, result)], []);
      });
  }
});
