import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ProvisioningClient } from "@ims/api";
import { freePort } from "@ims/runtime/testing";
import { startFreeDiameter, whyNot as whyNoFreeDiameter } from "../integration/freediameter/freediameter.ts";
import { elements } from "../performance/peer-kamailio/config.ts";
import { startCore } from "../support/core-under-test.ts";
import { startLoneNode } from "../support/lone-node.ts";
import { sippMissing } from "../support/sipp.ts";
import {
  problemsOf,
  runCall,
  runRegistration,
  type SippTarget,
  type SippUser,
} from "../support/sipp-call.ts";
import { startKamailio, whyNot as whyNoKamailio } from "./kamailio.ts";

const DOMAIN = "example.com";
const noSipp = sippMissing()?.reason;
// Where everything can be installed, a missing peer is a failure.
const unless = (missing: string | undefined): string | false =>
  missing !== undefined && process.env["CI"] !== "true" ? missing : false;
const noKamailio = noSipp ?? whyNoKamailio();
const noRelay = noSipp ?? whyNoFreeDiameter();

const ALICE: SippUser = { name: "alice", password: "secret" };
const BOB: SippUser = { name: "bob", password: "secret" };
const CAROL: SippUser = { name: "carol", password: "secret" };
const impiOf = ({ name }: SippUser): string => `${name}@${DOMAIN}`;

async function addUsers(provisioning: ProvisioningClient): Promise<void> {
  for (const { name, password } of [ALICE, BOB, CAROL])
    await provisioning.add({
      impi: `${name}@${DOMAIN}`,
      publicIdentities: [{ impu: `sip:${name}@${DOMAIN}` }],
      credentials: { password },
    });
}

/** State and S-CSCF of the first identity. */
async function stateOf(provisioning: ProvisioningClient, user: SippUser): Promise<string> {
  const [first] = (await provisioning.get(impiOf(user))).publicIdentities;
  return `${first?.state} ${first?.serverName ?? "nowhere"}`;
}

const call = async (where: SippTarget): Promise<void> => {
  const callees = [{ name: "uas-answer" }];
  const result = await runCall(where, {
    caller: ALICE,
    scenario: { name: "uac-call" },
    callee: BOB,
    callees,
  });
  assert.deepEqual(problemsOf(result), []);
};

async function isAbsent(where: SippTarget, callee: SippUser): Promise<void> {
  const scenario = { name: "uac-refused", fill: { CODE: "480" } };
  assert.deepEqual(problemsOf(await runCall(where, { caller: ALICE, scenario, callee, callees: [] })), []);
}

/** What /metrics of a node says of Diameter: by name and labels, zeros left out. */
async function diameterMetrics(address: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const samples = text.matchAll(/^ims_(?:\w+_)?diameter_(\w+)(?:\{([^}]*)\})? (\d+)$/gm);
  const nonzero = [...samples].filter(([, , , value]) => Number(value) > 0);
  return new Map(
    nonzero.map(([, name = "", labels = "", value]) => [
      [name, ...[...labels.matchAll(/"(\w+)"/g)].map(([, each]) => each).sort()].join(" "),
      Number(value),
    ]),
  );
}

/** Cx commands that a node has answered (received), or got answered (sent), with success since it started. */
async function succeeded(address: string, which: "received" | "sent"): Promise<ReadonlyMap<string, number>> {
  const begin = `requests_${which}_total `;
  const counts = new Map<string, number>();
  for (const [name, value] of await diameterMetrics(address))
    if (name.startsWith(begin) && name.endsWith(" success")) counts.set(name.split(" ")[1] ?? "", value);
  return counts;
}

/** Kamailio connects anew until its CER is whole: some leave without Host-IP-Address, and are answered 5005 (RFC 6733 §5.3.1). */
async function connected(address: string, peers: number): Promise<void> {
  const open = async (): Promise<number> => (await diameterMetrics(address)).get("open_peers") ?? 0;
  for (const deadline = performance.now() + 60_000; (await open()) < peers && performance.now() < deadline; )
    await delay(100);
  assert.equal(await open(), peers);
}

/** A homestead by itself, with users. */
async function startHss(t: TestContext, host: string): Promise<ProvisioningClient> {
  const stateDir = mkdtempSync(join(tmpdir(), "homestead-"));
  t.after(() => rmSync(stateDir, { recursive: true, force: true }));
  await startLoneNode(t, "homestead", [
    ...["--host", host, "--home-domain", DOMAIN, "--state-dir", stateDir, "--management-address", host],
  ]);
  const provisioning = new ProvisioningClient(`http://${host}:8889`);
  await addUsers(provisioning);
  return provisioning;
}

test("TS 29.229 §6.1: Kamailio's P-, I- and S-CSCF register users, call and deregister with homestead as their HSS", {
  skip: unless(noKamailio),
}, async (t) => {
  assert.equal(noKamailio, undefined);
  const network = `127.${randomInt(130, 150)}.${randomInt(1, 250)}`;
  const hss = `${network}.5`;
  const provisioning = await startHss(t, hss);
  const { pcscf, scscf } = await startKamailio(t, {
    domain: DOMAIN,
    network,
    elements,
    hss: { host: hss, port: 3868 },
  });
  await connected(`${hss}:9103`, 2);
  const where: SippTarget = { target: `${pcscf.host}:${pcscf.port}`, domain: DOMAIN, transport: "udp" };
  await call(where);
  const server = `registered sip:${scscf.host}:${scscf.port}`;
  assert.deepEqual([await stateOf(provisioning, ALICE), await stateOf(provisioning, BOB)], [server, server]);

  // Judged by what the HSS was told: Kamailio's 200 still lists the contact, with expires=0.
  await runRegistration(where, { name: "deregister" }, CAROL);
  assert.equal(await stateOf(provisioning, CAROL), "not-registered nowhere");
  await isAbsent(where, CAROL);

  const answered = await succeeded(`${hss}:9103`, "received");
  for (const command of ["UAR", "MAR", "SAR", "LIR"])
    assert.ok((answered.get(command) ?? 0) >= 1, `${command}: ${[...answered]}`);

  await provisioning.deregister(impiOf(ALICE));
  const asked = await succeeded(`${hss}:9103`, "sent");
  assert.equal(asked.get("RTR"), 1, "its S-CSCF has taken the RTR");
});

test("TS 24.229 §5.3: Kamailio's I-CSCF stands between bono and the S-CSCF of sprout, for registrations and for calls", {
  skip: unless(noKamailio),
}, async (t) => {
  assert.equal(noKamailio, undefined);
  const network = `127.${randomInt(130, 150)}.${randomInt(1, 250)}`;
  const host = `${network}.6`;
  const icscf = `sip:${network}.3:4060;transport=tcp`;
  const core = await startCore(t, {
    host,
    args: [
      "--no-examples",
      "--set",
      `bono.icscf-uri=${icscf}`,
      "--set",
      `sprout.external-icscf-uri=${icscf}`,
    ],
  });
  const provisioning = new ProvisioningClient(core.provisioning);
  await addUsers(provisioning);
  await startKamailio(t, {
    domain: DOMAIN,
    network,
    elements: ["icscf"],
    hss: { host, port: 3868 },
    chosen: `sip:${host}:5054;transport=tcp`,
    tcp: true,
  });
  // Its own and that of sprout.
  await connected(`${host}:9103`, 2);
  await call({ target: `${host}:5060`, domain: DOMAIN, transport: "udp" });
  assert.equal(await stateOf(provisioning, BOB), `registered sip:${host}:5054;transport=tcp`);
  // UAR and LIR are its business; sprout has asked for vectors and profiles only.
  const asked = await succeeded(`${host}:9102`, "sent");
  assert.deepEqual([...asked.keys()].sort(), ["MAR", "SAR"]);
  const answered = await succeeded(`${host}:9103`, "received");
  assert.deepEqual([...answered.keys()].sort(), ["LIR", "MAR", "SAR", "UAR"]);
});

test("RFC 6733 §2.8.1: with freeDiameter between sprout and homestead users register, call and are deregistered by the operator", {
  skip: unless(noRelay),
}, async (t) => {
  assert.equal(noRelay, undefined);
  const host = `127.${randomInt(130, 150)}.${randomInt(1, 250)}.6`;
  const relay = await startFreeDiameter(t, [
    { originHost: `homestead.${DOMAIN}`, host, port: 3868 },
    { originHost: `sprout.${DOMAIN}`, port: await freePort() },
  ]);
  const core = await startCore(t, {
    host,
    args: ["--no-examples", "--set", `sprout.hss-peer=${relay.host}:${relay.port}`],
  });
  const provisioning = new ProvisioningClient(core.provisioning);
  await addUsers(provisioning);
  const where: SippTarget = { target: `${host}:5060`, domain: DOMAIN, transport: "udp" };
  await connected(`${host}:9103`, 1);
  // freeDiameter takes a moment from the capabilities exchange to the first request that it relays.
  const isRelayed = async (): Promise<boolean> =>
    (await runRegistration(where, { name: "register" }, CAROL)).exitCode === 0;
  for (let tries = 0; tries < 10 && !(await isRelayed()); tries++) await delay(200);
  await call(where);
  assert.match(await stateOf(provisioning, BOB), /^registered sip:/);
  await provisioning.deregister(impiOf(BOB));
  const told = await succeeded(`${host}:9103`, "sent");
  assert.equal(told.get("RTR"), 1, "the relay knows the way back");
  await isAbsent(where, BOB);
  // There was no other way.
  await relay.stop();
  const health = await fetch(`http://${host}:9102/health/ready`);
  assert.match(await health.text(), /no HSS is connected/);
});
