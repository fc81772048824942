import assert from "node:assert/strict";
import { test } from "node:test";
import { type CoreUnderTest, startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";
import { newSim, Usim } from "../support/usim.ts";

async function addSim(core: CoreUnderTest, user: string, sim: { k: string; opc: string }): Promise<void> {
  const added = await core.tidewater([
    ...["subscriber", "add", "--url", core.provisioning, "--impi", `${user}@${core.domain}`],
    ...["--impu", `sip:${user}@${core.domain}`, "--k", sim.k, "--opc", sim.opc],
  ]);
  assert.equal(added.exitCode, 0, added.stderr);
}

function passwordOf(usim: Usim, seen: string[]) {
  return (nonce: Buffer): { password?: Buffer; auts?: string } => {
    const result = usim.authenticate(nonce);
    seen.push(result.kind);
    if (result.kind === "ok") return { password: result.res };
    if (result.kind === "resync") return { auts: result.auts.toString("base64") };
    return { password: Buffer.from("00", "hex") };
  };
}

test("TS 33.203 §6.1: a UE with a USIM registers by AKA, and again", async (t) => {
  const core = await startCore(t);
  const sim = newSim();
  await addSim(core, "001010000000001", sim);
  const seen: string[] = [];
  const ue = await SipUe.open(t, core, {
    user: "001010000000001",
    password: passwordOf(new Usim(sim.k, sim.opc), seen),
  });
  const first = await ue.register();
  assert.equal(first.status, 200);
  assert.deepEqual(seen, ["ok"]);
  assert.ok(ue.serviceRoute.length > 0);
});

test("TS 33.102 §6.3.5: a USIM whose sequence number is ahead resynchronises by AUTS and is registered", async (t) => {
  const core = await startCore(t);
  const sim = newSim();
  await addSim(core, "001010000000002", sim);
  const seen: string[] = [];
  const ahead = (1n << 47n) - (1n << 20n);
  const ue = await SipUe.open(t, core, {
    user: "001010000000002",
    password: passwordOf(new Usim(sim.k, sim.opc, ahead), seen),
  });
  const response = await ue.register({ rounds: 3 });
  assert.equal(response.status, 200);
  assert.deepEqual(seen, ["resync", "ok"]);
});

test("TS 33.203 §6.1.2.1: a SIM with the wrong key is not registered, and no key ever reaches the UE", async (t) => {
  const core = await startCore(t);
  const sim = newSim();
  await addSim(core, "001010000000003", sim);
  const seen: string[] = [];
  const ue = await SipUe.open(t, core, {
    user: "001010000000003",
    password: passwordOf(new Usim(newSim().k, sim.opc), seen),
  });
  const challenges: string[] = [];
  const response = await ue.register({ rounds: 1, edit: (request) => challenges.push(request.toString()) });
  assert.ok(response.status === 401 || response.status === 403, `${response.status}`);
  assert.equal(seen[0], "macFailure");
  const challenge = response.header("WWW-Authenticate") ?? "";
  assert.doesNotMatch(challenge, /\b(?:ck|ik)=/);
});
