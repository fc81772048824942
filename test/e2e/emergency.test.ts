import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ProvisioningClient } from "@ims/api";
import { freePort } from "@ims/runtime/testing";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { type RunningSipp, runSipp, sippMissing, startSipp } from "../support/sipp.ts";
import { type SippTarget, scenarioPath, ueArgs, ueRow } from "../support/sipp-call.ts";

const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;
const PSAP_HOST = "127.0.0.1";
const WITHIN_MS = 20_000;

async function logged(running: RunningSipp, line: string): Promise<void> {
  for (let left = 250; left > 0 && !running.logs().includes(line); left--) await delay(20);
  assert.ok(running.logs().includes(line), `no "${line}"`);
}

describe("emergency calls by SIPp, from the UE to the PSAP and back", { skip }, () => {
  let core: CoreUnderTest;
  let folder: string;
  let ports: { readonly berlin: number; readonly cell: number; readonly elsewhere: number };
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    folder = mkdtempSync(join(tmpdir(), "emergency-"));
    ports = {
      berlin: await freePort(PSAP_HOST),
      cell: await freePort(PSAP_HOST),
      elsewhere: await freePort(PSAP_HOST),
    };
    const psap = (port: number): string[] => [`sip:${PSAP_HOST}:${port}`];
    const table = {
      default: psap(ports.elsewhere),
      routes: [
        { area: "DE/BE", psap: psap(ports.berlin) },
        { service: "sos.police", cell: "26201", psap: psap(ports.cell) },
      ],
    };
    const file = join(folder, "emergency.json");
    writeFileSync(file, JSON.stringify(table));
    core = await launchCore({
      args: [
        ...["--no-examples", "--emergency", file],
        ...["--set", "bono.emergency-numbers=112,110=sos.police"],
      ],
    });
  });
  after(async () => {
    await core?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const where = (transport: "udp" | "tcp"): SippTarget => ({
    target: `${core.sip.host}:${transport === "udp" ? core.sip.udpPort : core.sip.tcpPort}`,
    domain: core.domain,
    transport,
  });

  /** A PSAP that answers one call. */
  function psap(port: number, fill: Readonly<Record<string, string>>): RunningSipp {
    return startSipp({
      scenario: scenarioPath("psap-answer"),
      fill,
      args: ["-t", "u1", "-i", PSAP_HOST, "-p", String(port), "-m", "1"],
      timeoutMs: WITHIN_MS,
    });
  }

  for (const transport of ["udp", "tcp"] as const)
    test(`TS 24.229 §5.2.10.2, §5.11.2: a UE that is not registered reaches the PSAP of its civic address over ${transport}`, async () => {
      const answering = psap(ports.berlin, {
        ...{ SERVICE: "urn:service:sos", CALLER: "P-Asserted-Identity", CHECK: "check_it_inverse" },
      });
      const caller = await runSipp({
        scenario: scenarioPath("uac-emergency"),
        target: where(transport).target,
        fill: {
          ...{ SERVICE: "urn:service:sos", CELL: "999990001" },
          FROM: "<sip:anonymous@anonymous.invalid>",
        },
        keys: { domain: core.domain },
        args: await ueArgs(where(transport)),
        timeoutMs: WITHIN_MS,
      });
      assert.equal(caller.exitCode, 0, caller.errors);
      const answered = await answering.done;
      assert.equal(answered.exitCode, 0, answered.errors);
    });

  test("TS 24.229 §5.4.8, RFC 7090: a UE makes an emergency registration, dials a number of the list, reaches the police of its cell, and is called back", async () => {
    const user = { name: "helpless", password: "secret" };
    const impu = `sip:${user.name}@${core.domain}`;
    await new ProvisioningClient(core.provisioning).add({
      impi: `${user.name}@${core.domain}`,
      publicIdentities: [{ impu }],
      credentials: { password: user.password },
    });
    const answering = psap(ports.cell, {
      ...{ SERVICE: "urn:service:sos.police", CHECK: "check_it" },
      CALLER: `P-Asserted-Identity: .*${impu}`,
    });
    const ue = startSipp({
      scenario: scenarioPath("uac-emergency-registered"),
      outOfCall: scenarioPath("uas-answer"),
      target: where("udp").target,
      csv: [ueRow(user, core.domain)],
      fill: { SERVICE: `sip:110@${core.domain}`, CELL: "262010001", FROM: `<${impu}>` },
      keys: { domain: core.domain },
      args: [...(await ueArgs(where("udp"))), "-d", String(WITHIN_MS)],
      timeoutMs: 2 * WITHIN_MS,
    });
    try {
      await logged(ue, "helped");
      const answered = await answering.done;
      assert.equal(answered.exitCode, 0, answered.errors);

      // The I-CSCF, as seen by a PSAP in the trust domain.
      const back = await runSipp({
        scenario: scenarioPath("psap-callback"),
        target: `${core.host}:5052`,
        fill: { USER: user.name },
        keys: { domain: core.domain },
        args: ["-t", "u1", "-i", PSAP_HOST, "-p", String(await freePort(PSAP_HOST)), "-m", "1"],
        timeoutMs: WITHIN_MS,
      });
      assert.equal(back.exitCode, 0, back.errors);
      await logged(ue, "ended");
    } finally {
      await ue.finish(0);
    }
  });
});
