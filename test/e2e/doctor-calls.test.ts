import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { type NewSubscriber, ProvisioningClient } from "@ims/api";
import type { DiagnosisId } from "@ims/doctor";
import type { SipMessage } from "@ims/sip";
import { establish, inviteOf, reply, SDP } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import {
  assertDiagnosed,
  type ShownDiagnosis,
  testsProduceWhatTheyName,
  untilDiagnosed,
} from "../support/doctor.ts";
import { SipUe, type UeOptions } from "../support/sip-ue.ts";
import { bars, TelephonyUnderTest } from "../support/telephony.ts";

let core: CoreUnderTest;
let folder: string;
let provisioning: ProvisioningClient;
let telephony: TelephonyUnderTest;
let partner: SipUe;
let alice: SipUe;
let bob: SipUe;
let users = 0;
const opened: (() => void)[] = [];
const context = { after: (close: () => void) => void opened.push(close) } as unknown as TestContext;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidewater-doctor-"));
  const bgcf = join(folder, "bgcf.json");
  const dialPlan = join(folder, "dial-plan.json");
  // A server of another network: its port is known before the core is.
  const ports = { udpPort: 9, tcpPort: 9, tlsPort: 9, wsPort: 9, wssPort: 9 };
  const nowhere = { domain: "partner.example", sip: { host: "127.0.0.1", ...ports } };
  partner = await SipUe.open(context, nowhere, { user: "partner" });
  const route = `sip:127.0.0.1:${partner.localPort};transport=udp`;
  writeFileSync(bgcf, JSON.stringify({ routes: [{ domain: "partner.example", route: [route] }] }));
  const rules = [{ prefix: "0", replacement: "+49", minimum: 5 }];
  writeFileSync(dialPlan, JSON.stringify({ contexts: [{ context: "example.com", rules }] }));
  const options = [
    ...[`sprout.bgcf-file=${bgcf}`, `sprout.dial-plan-file=${dialPlan}`],
    ...["sprout.reject-if-no-matching-ifcs=true", "sprout.min-session-expires=90"],
    ...["sprout.as-timeout-continued-ms=300", "sprout.as-timeout-terminated-ms=300"],
    ...["bono.subscribe-to-registrations=true", "bono.release-calls=true"],
  ];
  core = await launchCore({ args: ["--mmtel", ...options.flatMap((one) => ["--set", one])] });
  provisioning = new ProvisioningClient(core.provisioning);
  telephony = new TelephonyUnderTest(core);
  alice = await phone(context);
  bob = await phone(context);
});
after(async () => {
  for (const close of opened) close();
  await core.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function subscriber(more: Partial<NewSubscriber> = {}): Promise<string> {
  const user = `user${++users}`;
  await provisioning.add({
    impi: `${user}@${core.domain}`,
    publicIdentities: [{ impu: `sip:${user}@${core.domain}` }],
    credentials: { password: "secret" },
    ...more,
  });
  return user;
}

/** A registered one. */
async function phone(
  t: TestContext,
  options: Partial<UeOptions> = {},
  more: Partial<NewSubscriber> = {},
): Promise<SipUe> {
  const user = options.user ?? (await subscriber(more));
  const ue = await SipUe.open(t, core, { user, ...options });
  assert.equal((await ue.register()).status, 200);
  return ue;
}

let calls = 0;
/** An INVITE of Alice that is sent. */
function invite(uri: string, edit?: (request: SipMessage) => void, caller = alice): SipMessage {
  const request = inviteOf(caller, uri);
  request.set("Call-ID", `call-${++calls}`).set("From", `<${caller.impu}>;tag=${calls}`);
  edit?.(request);
  caller.send(request);
  return request;
}

/** The INVITE of that call, at who is called. */
function called(ue: SipUe, { callId }: SipMessage): Promise<SipMessage> {
  return ue.expect(
    (message) => message.method === "INVITE" && message.callId === callId,
    `INVITE of ${callId}`,
  );
}

/** The final answer to an INVITE, acknowledged when it means no. */
async function answer(request: SipMessage, caller = alice): Promise<number> {
  const { callId } = request;
  const response = await caller.expect(
    (message) => message.status >= 200 && message.cseqMethod === "INVITE" && message.callId === callId,
    `answer to ${callId}`,
  );
  if (response.status >= 300) {
    const ack = caller.request("ACK", request.requestUri, { callId, to: response.header("To") ?? "" });
    for (const name of ["Via", "From"] as const) ack.set(name, request.header(name) ?? "");
    for (const route of request.values("Route")) ack.append("Route", route);
    caller.send(ack.set("CSeq", `${request.cseqNumber} ACK`));
  }
  return response.status;
}

/** Alice's call is answered so, and that is the diagnosis. */
async function refused(
  t: TestContext,
  uri: string,
  status: number,
  id: DiagnosisId,
  edit?: (request: SipMessage) => void,
): Promise<ShownDiagnosis | undefined> {
  const request = invite(uri, edit);
  assert.equal(await answer(request), status);
  return assertDiagnosed(t, core, request.callId, [id]);
}

/** The same, and it is Bob who says so. */
async function refusedByBob(t: TestContext, status: number, id: DiagnosisId): Promise<void> {
  const request = invite(bob.impu);
  reply(bob, await called(bob, request), status);
  assert.equal(await answer(request), status);
  const diagnosis = await assertDiagnosed(t, core, request.callId, [id]);
  assert.match(diagnosis?.said ?? "", new RegExp(`^The UE at 127\\.0\\.0\\.1:${bob.localPort} `));
}

/** Two who are in a call with each other. */
async function inCall(t: TestContext) {
  const [caller, callee] = [await phone(t), await phone(t)];
  return { caller, callee, call: await establish(caller, callee, callee.impu) };
}

test("nothing is said of a call that goes well", async (t) => {
  const { caller, callee, call } = await inCall(t);
  callee.send(call.inDialog("callee", "BYE"));
  reply(caller, await caller.incoming("BYE"), 200);
  assert.equal((await callee.final("BYE")).status, 200);
  await assertDiagnosed(t, core, call.received.callId, []);
});

test("caller-not-registered", async (t) => {
  const stranger = await SipUe.open(t, core, { user: await subscriber() });
  const request = invite(bob.impu, undefined, stranger);
  assert.equal(await answer(request, stranger), 403);
  await assertDiagnosed(t, core, request.callId, ["caller-not-registered"]);
});

test("called-unknown, called-not-registered, called-barred", async (t) => {
  await refused(t, `sip:nobody@${core.domain}`, 404, "called-unknown");
  await refused(t, `sip:${await subscriber()}@${core.domain}`, 480, "called-not-registered");
  const barred = `sip:barred@${core.domain}`;
  const user = `user${users + 1}`;
  const publicIdentities = [{ impu: `sip:${user}@${core.domain}` }, { impu: barred, barred: true }];
  await phone(t, {}, { publicIdentities });
  await refused(t, barred, 404, "called-barred");
});

test("number-not-routable, number-incomplete, domain-not-routable, uri-scheme-not-supported", async (t) => {
  const diagnosis = await refused(t, "tel:+4930123456", 404, "number-not-routable");
  assert.match(diagnosis?.said ?? "", /^tel:\+4930123456 /);
  await refused(t, `tel:030;phone-context=${core.domain}`, 484, "number-incomplete");
  await refused(t, "sip:somebody@nowhere.example", 404, "domain-not-routable");
  await refused(t, "mailto:somebody@example.com", 416, "uri-scheme-not-supported");
});

test("busy, declined, codec-mismatch, precondition-failed, refused-by-ue: the other UE says it", async (t) => {
  await refusedByBob(t, 486, "busy");
  await refusedByBob(t, 603, "declined");
  await refusedByBob(t, 488, "codec-mismatch");
  await refusedByBob(t, 580, "precondition-failed");
  await refusedByBob(t, 500, "refused-by-ue");
});

test("refused-by-peer: a server of another network says no", async (t) => {
  const request = invite("sip:somebody@partner.example");
  reply(partner, await called(partner, request), 404);
  assert.equal(await answer(request), 404);
  await assertDiagnosed(t, core, request.callId, ["refused-by-peer"]);
});

test("no-answer: it rings until the caller hangs up", async (t) => {
  const request = invite(bob.impu);
  const received = await called(bob, request);
  reply(bob, received, 180);
  await alice.expect(({ status, callId }) => status === 180 && callId === request.callId, "180");
  cancel(request);
  reply(bob, await bob.incoming("CANCEL"), 200);
  reply(bob, received, 487);
  assert.equal(await answer(request), 487);
  await assertDiagnosed(t, core, request.callId, ["no-answer"]);
});

function cancel(request: SipMessage): void {
  const message = alice.request("CANCEL", request.requestUri, { callId: request.callId });
  for (const name of ["Via", "From", "To"] as const) message.set(name, request.header(name) ?? "");
  for (const route of request.values("Route")) message.append("Route", route);
  alice.send(message.set("CSeq", `${request.cseqNumber} CANCEL`));
}

test("RFC 3261 §17.1.1.2: ue-does-not-answer, after three copies", async (t) => {
  const dead = await phone(t);
  const request = invite(dead.impu);
  for (let copy = 0; copy < 3; copy++) await called(dead, request);
  cancel(request);
  assert.equal((await alice.final("CANCEL")).status, 200);
  await assertDiagnosed(t, core, request.callId, ["ue-does-not-answer"]);
});

test("RFC 5626 §5.3: flow-failed, when the connection of the called UE is gone", async (t) => {
  const gone = await phone(t, { transport: "tcp" });
  gone.close();
  const request = invite(gone.impu);
  assert.ok((await answer(request)) >= 400);
  await assertDiagnosed(t, core, request.callId, ["flow-failed"]);
});

test("no-filter-criteria-met: the criteria of the caller are for something else", async (t) => {
  const caller = await phone(t, {}, { services: criteria("sip:127.0.0.1:9", "continue", "MESSAGE") });
  const request = invite(bob.impu, undefined, caller);
  assert.equal(await answer(request, caller), 403);
  await assertDiagnosed(t, core, request.callId, ["no-filter-criteria-met"]);
});

test("application-server-silent, application-server-failed: the call ends with it, or goes on without", async (t) => {
  const server = await SipUe.open(t, core, { user: "server" });
  const uri = `sip:127.0.0.1:${server.localPort};transport=udp`;
  const strict = await phone(t, {}, { services: criteria(uri, "terminate") });
  const lenient = await phone(t, {}, { services: criteria(uri, "continue") });

  const failed = invite(bob.impu, undefined, strict);
  reply(server, await called(server, failed), 500);
  assert.equal(await answer(failed, strict), 500);
  await assertDiagnosed(t, core, failed.callId, ["application-server-failed"]);

  const passed = invite(bob.impu, undefined, lenient);
  await called(server, passed);
  reply(bob, await called(bob, passed), 200);
  assert.equal(await answer(passed, lenient), 200);
  await assertDiagnosed(t, core, passed.callId, ["application-server-silent"]);

  const ended = invite(bob.impu, undefined, strict);
  assert.equal(await answer(ended, strict), 408);
  await assertDiagnosed(t, core, ended.callId, ["application-server-silent"]);
});

function criteria(
  serverName: string,
  defaultHandling: "continue" | "terminate",
  method = "INVITE",
): NonNullable<NewSubscriber["services"]> {
  return {
    initialFilterCriteria: [
      {
        priority: 1,
        trigger: { form: "dnf", groups: [[{ condition: { kind: "method", method } }]] },
        applicationServer: { serverName, defaultHandling },
      },
    ],
  };
}

test("TS 24.611 §4.5.2: barred-by-service", async (t) => {
  const server = `sip:mmtel.${core.domain}`;
  const { name } = await telephony.user({ simservs: { incomingBarring: bars() }, serverName: server });
  await phone(t, { user: name });
  await refused(t, `sip:${name}@${core.domain}`, 603, "barred-by-service");
});

test("loop-detected: no hop is left", async (t) => {
  const edit = (request: SipMessage): void => void request.set("Max-Forwards", "0");
  const diagnosis = await refused(t, bob.impu, 483, "loop-detected", edit);
  assert.match(diagnosis?.said ?? "", /Max-Forwards/);
});

test("route-not-allowed: the UE has sprout for its proxy", async (t) => {
  const edit = (request: SipMessage): void => {
    request.remove("Route").append("Route", `<sip:${core.host}:5058;lr>`);
  };
  await refused(t, bob.impu, 403, "route-not-allowed", edit);
});

test("session-interval-too-small: 60 s where 90 s are the least", async (t) => {
  const diagnosis = await refused(t, bob.impu, 422, "session-interval-too-small", (request) => {
    request.append("Supported", "timer").append("Session-Expires", "60");
  });
  assert.match(diagnosis?.said ?? "", /60 s; 90 s/);
});

test("message-too-large: 100 kB of header fields", async (t) => {
  const big = await phone(t, { transport: "tcp" });
  const request = inviteOf(big, bob.impu).set("Call-ID", `call-${++calls}`);
  request.append("Subject", "x".repeat(100_000));
  big.send(request);
  assert.equal((await big.final("INVITE")).status, 513);
  await assertDiagnosed(t, core, request.callId, ["message-too-large"]);
});

test("media-behind-nat: an address in the SDP that nobody can reach", async (t) => {
  const private192 = SDP.replaceAll("127.0.0.1", "192.168.7.7");
  const request = invite(bob.impu, (one) => void one.setBody(private192, "application/sdp"));
  reply(bob, await called(bob, request), 200);
  assert.equal(await answer(request), 200);
  const diagnosis = await assertDiagnosed(t, core, request.callId, ["media-behind-nat"]);
  assert.equal(diagnosis?.severity, "notice");
});

test("RFC 3261 §13.3.1.4: ack-missing, when the 200 comes again and again", async (t) => {
  const request = invite(bob.impu);
  const received = await called(bob, request);
  for (let copy = 0; copy < 3; copy++) {
    reply(bob, received, 200);
    assert.equal(await answer(request), 200);
  }
  await assertDiagnosed(t, core, request.callId, ["ack-missing"]);
});

test("dialog-unknown: the other side does not know the call", async (t) => {
  const { caller, callee, call } = await inCall(t);
  caller.send(call.inDialog("caller", "BYE"));
  reply(callee, await callee.incoming("BYE"), 481);
  assert.equal((await caller.final("BYE")).status, 481);
  await assertDiagnosed(t, core, call.received.callId, ["dialog-unknown"]);
});

test("dialog-of-another-flow: the caller has a new port and has not registered over it", async (t) => {
  const { call } = await inCall(t);
  const moved = await SipUe.open(t, core, { user: "moved" });
  moved.send(call.inDialog("caller", "BYE"));
  assert.equal((await moved.final("BYE")).status, 403);
  const diagnosis = await assertDiagnosed(t, core, call.received.callId, ["dialog-of-another-flow"]);
  assert.match(diagnosis?.said ?? "", new RegExp(`^BYE came from 127\\.0\\.0\\.1:${moved.localPort}`));
});

test("RFC 4028 §10: session-timer-expired", async (t) => {
  const { caller, callee, call } = await inCall(t);
  const bye = call.inDialog("callee", "BYE").append("Reason", 'SIP;cause=408;text="session timer expired"');
  callee.send(bye);
  reply(caller, await caller.incoming("BYE"), 200);
  assert.equal((await callee.final("BYE")).status, 200);
  await assertDiagnosed(t, core, call.received.callId, ["session-timer-expired"]);
});

test("TS 24.229 §5.2.8.1: released-by-network", async (t) => {
  const { caller, callee, call } = await inCall(t);
  await provisioning.deregister(caller.impi);
  reply(callee, await callee.incoming("BYE"), 200);
  await untilDiagnosed(t, core, call.received.callId, "released-by-network");
  await assertDiagnosed(t, core, call.received.callId, ["released-by-network"]);
});

testsProduceWhatTheyName(import.meta.filename);
