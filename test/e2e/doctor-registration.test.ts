import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, type TestContext, test } from "node:test";
import { type NewSubscriber, ProvisioningClient } from "@ims/api";
import type { SipMessage } from "@ims/sip";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import {
  askDoctor,
  assertDiagnosed,
  noteProduced,
  testsProduceWhatTheyName,
  untilDiagnosed,
} from "../support/doctor.ts";
import { SipUe, type UeOptions } from "../support/sip-ue.ts";
import { newSim, opcFrom, Usim } from "../support/usim.ts";
import { startVisitedEdge } from "../support/visited-edge.ts";

const VISITED = "visited.example";
const OPTIONS = [
  "sprout.min-expires=2",
  "sprout.max-bindings=2",
  "bono.password-tries=3",
  "bono.strangers-per-second=30",
  "homestead.allowed-visited-networks=example.com",
];

let core: CoreUnderTest;
let provisioning: ProvisioningClient;
let users = 0;
/** Waits for what is looked at last, while the others run. */
let expiring: SipUe;
let silent: SipUe;
const opened: (() => void)[] = [];

before(async () => {
  core = await launchCore({ args: OPTIONS.flatMap((one) => ["--set", one]) });
  provisioning = new ProvisioningClient(core.provisioning);
});
after(async () => {
  for (const close of opened) close();
  await core.stop();
});

async function subscriber(
  credentials: NewSubscriber["credentials"] = { password: "secret" },
  publicIdentities?: NewSubscriber["publicIdentities"],
): Promise<string> {
  const user = `user${++users}`;
  await provisioning.add({
    impi: `${user}@${core.domain}`,
    publicIdentities: publicIdentities ?? [{ impu: `sip:${user}@${core.domain}` }],
    credentials,
  });
  return user;
}

/** Each on an address of its own: what one of them does counts for no other. */
let addresses = 0;
async function phone(t: TestContext, user: string, options: Partial<UeOptions> = {}): Promise<SipUe> {
  addresses++;
  return SipUe.open(t, core, { user, address: `127.200.${addresses >> 8}.${addresses & 255}`, ...options });
}

function changed(request: SipMessage, pattern: RegExp, by: string): void {
  const line = request.header("Authorization") ?? "";
  request.set("Authorization", line.replace(pattern, by));
}

function answers(usim: Usim) {
  return (nonce: Buffer): { password?: Buffer; auts?: string } => {
    const result = usim.authenticate(nonce);
    if (result.kind === "ok") return { password: result.res };
    return result.kind === "resync" ? { auts: result.auts.toString("base64") } : {};
  };
}

test("what lapses: a registration that is not refreshed, a challenge that nobody answers", async () => {
  // They outlive this test: the last one looks at them.
  const context = { after: (close: () => void) => void opened.push(close) } as unknown as TestContext;
  expiring = await phone(context, await subscriber());
  assert.equal((await expiring.register({ expires: 2 })).status, 200);
  silent = await phone(context, await subscriber());
  assert.equal((await silent.register({ rounds: 0 })).status, 401);
});

test("nothing is said of a registration, a call and a deregistration that go well", async (t) => {
  const [alice, bob] = [await phone(t, await subscriber()), await phone(t, await subscriber())];
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  const call = await establish(alice, bob, bob.impu);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  await assertDiagnosed(t, core, call.received.callId, []);
  await assertDiagnosed(t, core, alice.callId, []);

  const answer = await askDoctor(t, core, alice.impu);
  assert.deepEqual(
    [answer.exitCode, answer.well, answer.diagnoses, answer.problems],
    [0, true, [], []],
    JSON.stringify(answer.exchanges.map(({ diagnoses }) => diagnoses)),
  );
  assert.deepEqual(
    answer.exchanges.map(({ method, outcome }) => `${method} ${outcome}`),
    ["REGISTER 200 OK", "INVITE 200 OK"],
  );
  const [subject] = answer.subjects;
  assert.deepEqual([subject?.hss, subject?.subscriber?.impi], ["found", alice.impi]);
  assert.equal(subject?.registrations?.[0]?.bindings.length, 1);
  for (const name of [alice.impi, alice.impu.replace(/^sip:|@.*/g, "")])
    assert.equal((await askDoctor(t, core, name)).subjects[0]?.subscriber?.impi, alice.impi, name);

  assert.equal((await alice.register({ expires: 0 })).status, 200);
  assert.deepEqual((await askDoctor(t, core, alice.impu)).diagnoses, []);
});

test("unknown-subscriber: neither identity is provisioned", async (t) => {
  const ue = await phone(t, "nobody");
  assert.equal((await ue.register()).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["unknown-subscriber"]);
});

test("wrong-domain: the UE is of another home network", async (t) => {
  const ue = await phone(t, await subscriber());
  const foreign = "<sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org>";
  const edit = (request: SipMessage): void => {
    request.set("To", foreign).set("From", `${foreign};tag=x`);
  };
  assert.equal((await ue.register({ edit })).status, 403);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["wrong-domain"]);
  assert.match(
    diagnosis?.said ?? "",
    /ims\.mnc001\.mcc001\.3gppnetwork\.org; the home domain is example\.com/,
  );
});

test("identities-do-not-match: the user name of one with the number of another", async (t) => {
  const [one, other] = [await subscriber(), await subscriber()];
  const ue = await phone(t, one, { impi: `${other}@${core.domain}` });
  assert.equal((await ue.register()).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["identities-do-not-match"]);
});

test("missing-implicit-registration-set: a private identity without public ones", async (t) => {
  const put = await fetch(`${core.provisioning}/private/lonely@${core.domain}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ plaintext_password: "secret" }),
  });
  assert.equal(put.status, 200);
  const ue = await phone(t, "lonely");
  assert.equal((await ue.register()).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["missing-implicit-registration-set"]);
});

test("registration-barred: every public identity is barred", async (t) => {
  const impu = `sip:barred@${core.domain}`;
  const user = await subscriber(undefined, [{ impu, barred: true }]);
  const ue = await phone(t, "barred", { impi: `${user}@${core.domain}` });
  assert.equal((await ue.register()).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["registration-barred"]);
});

test("roaming-not-allowed: a P-CSCF in a network that the HSS does not allow", async (t) => {
  const edge = await startVisitedEdge(t, core, VISITED);
  const [host = "", port = ""] = edge.target.split(":");
  const sip = { ...core.sip, host, udpPort: Number(port) };
  const ue = await SipUe.open(t, { domain: core.domain, sip }, { user: await subscriber() });
  assert.equal((await ue.register()).status, 403);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["roaming-not-allowed"]);
  assert.match(diagnosis?.said ?? "", /visited\.example/);
});

test("wrong-password, and that it is over when the right one has come", async (t) => {
  const user = await subscriber();
  const ue = await phone(t, user, { password: "wrong-horse" });
  assert.equal((await ue.register()).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["wrong-password"]);
  const wrong = await askDoctor(t, core, ue.impu);
  assert.deepEqual([wrong.exitCode, wrong.well], [1, false]);
  const right = await phone(t, user);
  assert.equal((await right.register()).status, 200);
  const { exitCode, exchanges } = await askDoctor(t, core, ue.impu);
  assert.deepEqual(
    [exitCode, exchanges.flatMap(({ diagnoses }) => diagnoses.map(({ id, over }) => [id, over]))],
    [0, [["wrong-password", true]]],
  );
});

test("too-many-wrong-passwords: the P-CSCF slows down who guesses", async (t) => {
  const ue = await phone(t, await subscriber(), { password: "wrong-horse" });
  let status = 403;
  for (let n = 0; n < 8 && status !== 503; n++) ({ status } = await ue.register());
  assert.equal(status, 503);
  await assertDiagnosed(t, core, ue.callId, ["too-many-wrong-passwords"]);
});

test("wrong-realm: the UE has a realm of its own", async (t) => {
  const ue = await phone(t, await subscriber());
  const edit = (request: SipMessage): void => changed(request, /realm="[^"]*"/, 'realm="asterisk"');
  assert.equal((await ue.register({ edit })).status, 403);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["wrong-realm"]);
  assert.match(diagnosis?.said ?? "", /"asterisk".*"example\.com"/);
});

test("algorithm-mismatch: a password where the challenge is for a SIM", async (t) => {
  const ue = await phone(t, await subscriber(newSim()));
  const edit = (request: SipMessage): void => changed(request, /algorithm=AKAv1-MD5/, "algorithm=MD5");
  assert.equal((await ue.register({ edit })).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["algorithm-mismatch"]);
});

test("authentication-scheme-not-supported: the UE wants AKA of a subscriber with a password", async (t) => {
  const ue = await phone(t, await subscriber());
  const edit = (request: SipMessage): void => changed(request, /$/, ", algorithm=AKAv1-MD5");
  assert.equal((await ue.register({ edit })).status, 403);
  await assertDiagnosed(t, core, ue.callId, ["authentication-scheme-not-supported"]);
});

test("TS 35.206 §4.1: op-entered-as-opc is proved by the answer of a UE that does not check the network", async (t) => {
  const k = randomBytes(16).toString("hex");
  const op = randomBytes(16).toString("hex");
  const usim = new Usim(k, opcFrom(k, op), 0n, { checksAutn: false });
  const ue = await phone(t, await subscriber({ k, opc: op }), { password: answers(usim) });
  assert.equal((await ue.register()).status, 403);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["op-entered-as-opc"]);
  assert.equal(diagnosis?.likely, false);
});

test("aka-wrong-key: it is not that OP was entered as OPc", async (t) => {
  const sim = newSim();
  const usim = new Usim(newSim().k, sim.opc, 0n, { checksAutn: false });
  const ue = await phone(t, await subscriber(sim), { password: answers(usim) });
  assert.equal((await ue.register()).status, 403);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["aka-wrong-key"]);
  assert.equal(diagnosis?.likely, false);
});

test("TS 24.229 §5.1.1.5.3: aka-network-refused, when the SIM finds AUTN wrong", async (t) => {
  const k = randomBytes(16).toString("hex");
  const op = randomBytes(16).toString("hex");
  const usim = new Usim(k, opcFrom(k, op));
  const ue = await phone(t, await subscriber({ k, opc: op }), { password: answers(usim) });
  const edit = (request: SipMessage): void => {
    if (!/nonce=""/.test(request.header("Authorization") ?? ""))
      changed(request, / response="[^"]*"/, ' response=""');
  };
  assert.equal((await ue.register({ edit })).status, 401);
  await assertDiagnosed(t, core, ue.callId, ["aka-network-refused"]);
});

test("TS 33.102 §6.3.5: sqn-resynchronised is worth knowing and nothing to worry about", async (t) => {
  const sim = newSim();
  const usim = new Usim(sim.k, sim.opc, (1n << 47n) - (1n << 20n));
  const ue = await phone(t, await subscriber(sim), { password: answers(usim) });
  assert.equal((await ue.register({ rounds: 3 })).status, 200);
  await assertDiagnosed(t, core, ue.callId, ["sqn-resynchronised"]);
  assert.equal((await askDoctor(t, core, ue.impu)).exitCode, 0);
});

test("sqn-out-of-step: AUTS that the HSS cannot verify", async (t) => {
  const password = (): { auts: string } => ({ auts: randomBytes(14).toString("base64") });
  const ue = await phone(t, await subscriber(newSim()), { password });
  assert.ok((await ue.register()).status >= 400);
  await assertDiagnosed(t, core, ue.callId, ["sqn-out-of-step"]);
});

test("stale-nonce-loop: the UE never takes the new nonce", async (t) => {
  const ue = await phone(t, await subscriber());
  const edit = (request: SipMessage): void => changed(request, /nonce="[^"]+"/, 'nonce="an-old-one"');
  assert.equal((await ue.register({ edit, rounds: 4 })).status, 401);
  await assertDiagnosed(t, core, ue.callId, ["stale-nonce-loop"]);
});

test("sec-agree-not-supported: a handset that insists on IPsec", async (t) => {
  const ue = await phone(t, await subscriber());
  const edit = (request: SipMessage): void => {
    request.append("Require", "sec-agree").append("Proxy-Require", "sec-agree");
    request.append(
      "Security-Client",
      "ipsec-3gpp; alg=hmac-sha-1-96; spi-c=1; spi-s=2; port-c=5062; port-s=5064",
    );
  };
  assert.equal((await ue.register({ edit })).status, 420);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["sec-agree-not-supported"]);
  assert.match(diagnosis?.said ?? "", /ipsec-3gpp/);
});

test("extension-not-supported, malformed-request", async (t) => {
  const ue = await phone(t, await subscriber());
  const edit = (request: SipMessage): void => void request.append("Require", "telepathy");
  assert.equal((await ue.register({ edit })).status, 420);
  await assertDiagnosed(t, core, ue.callId, ["extension-not-supported"]);
  const broken = await phone(t, await subscriber());
  assert.equal((await broken.register({ contact: "<sip:a@b" })).status, 400);
  const diagnosis = await assertDiagnosed(t, core, broken.callId, ["malformed-request"]);
  assert.match(diagnosis?.said ?? "", /Contact/);
});

test("interval-too-brief: the UE asks for a second", async (t) => {
  const ue = await phone(t, await subscriber());
  assert.equal((await ue.register({ expires: 1 })).status, 423);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["interval-too-brief"]);
  assert.match(diagnosis?.said ?? "", /1 s; 2 s/);
});

test("too-many-contacts: phones that were never deregistered", async (t) => {
  const user = await subscriber();
  for (let n = 0; n < 2; n++) assert.equal((await (await phone(t, user)).register()).status, 200);
  const third = await phone(t, user);
  assert.equal((await third.register()).status, 403);
  await assertDiagnosed(t, core, third.callId, ["too-many-contacts"]);
});

test("behind-nat: the Contact is not where the packets come from", async (t) => {
  const user = await subscriber();
  const ue = await phone(t, user);
  assert.equal((await ue.register({ contact: `<sip:${user}@192.168.7.7:5060>` })).status, 200);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["behind-nat"]);
  assert.match(diagnosis?.said ?? "", /192\.168\.7\.7, a private address/);
  assert.equal((await askDoctor(t, core, ue.impu)).exitCode, 0);
});

test("source-limit: a flood from the same address", async (t) => {
  const address = "127.201.0.1";
  const flood = await phone(t, "flood", { address });
  const ue = await phone(t, await subscriber(), { address });
  for (let n = 0; n < 150; n++)
    flood.send(flood.request("REGISTER", `sip:${core.domain}`, { callId: `flood-${n}` }));
  assert.equal((await ue.register()).status, 503);
  const diagnosis = await assertDiagnosed(t, core, ue.callId, ["source-limit"]);
  assert.match(diagnosis?.said ?? "", /^127\.201\.0\.1/);
});

test("deregistered-by-network: an operator has ended the registration", async (t) => {
  const ue = await phone(t, await subscriber());
  assert.equal((await ue.register()).status, 200);
  await provisioning.deregister(ue.impi);
  const { exitCode, diagnoses } = await askDoctor(t, core, ue.impu);
  assert.deepEqual([exitCode, diagnoses.map(({ id }) => id)], [1, ["deregistered-by-network"]]);
  for (const diagnosis of diagnoses) noteProduced(t, diagnosis);
});

test("caller-barred: an identity that was barred after it had registered", async (t) => {
  const user = await subscriber(undefined, [
    { impu: `sip:two@${core.domain}` },
    { impu: `sip:one@${core.domain}` },
  ]);
  const caller = await phone(t, "two", { impi: `${user}@${core.domain}` });
  const called = await phone(t, await subscriber());
  for (const ue of [caller, called]) assert.equal((await ue.register()).status, 200);
  await provisioning.update(caller.impi, {
    publicIdentities: [{ impu: caller.impu, barred: true }, { impu: `sip:one@${core.domain}` }],
  });
  caller.send(inviteOf(caller, called.impu));
  assert.equal((await caller.final("INVITE")).status, 403);
  await assertDiagnosed(t, core, `${caller.callId}-call`, ["caller-barred"]);
});

test("registration-expired and challenge-not-answered, some seconds later", async (t) => {
  await untilDiagnosed(t, core, expiring.impu, "registration-expired");
  await untilDiagnosed(t, core, silent.impu, "challenge-not-answered");
  await assertDiagnosed(t, core, silent.callId, ["challenge-not-answered"]);
});

testsProduceWhatTheyName(import.meta.filename);
