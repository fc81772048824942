import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { responseTo, type SipMessage } from "@ims/sip";
import { startApplicationServer } from "../support/application-server.ts";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let core: CoreUnderTest;
before(async () => {
  const settings = [
    "bono.subscribe-to-registrations=true",
    "bono.release-calls=true",
    "bono.early-media=inactive",
    "sprout.session-expires=1800",
    "sprout.min-session-expires=120",
  ];
  core = await launchCore({ args: settings.flatMap((one) => ["--set", one]) });
});
after(() => core.stop());

let users = 0;
/** A new user; `args` for `tidewater subscriber add`. */
async function user(args: readonly string[] = []): Promise<string> {
  const name = `prefers-${++users}`;
  const impi = `${name}@${core.domain}`;
  await core.addSubscriber({ impi, impus: [`sip:${impi}`], password: "secret", args });
  return name;
}

async function phone(t: TestContext, name: string, contactParameters = ""): Promise<SipUe> {
  const ue = await SipUe.open(t, core, { user: name, password: "secret", contactParameters });
  assert.equal((await ue.register()).status, 200);
  return ue;
}

/** An INVITE that is answered once. */
async function called(
  caller: SipUe,
  callee: SipUe,
  edit: (invite: SipMessage) => void,
  status = 200,
): Promise<{ readonly received: SipMessage; readonly answer: SipMessage }> {
  const invite = inviteOf(caller, callee.impu).set("Call-ID", `${caller.callId}-${++users}`);
  edit(invite);
  caller.send(invite);
  const received = await callee.incoming("INVITE");
  reply(callee, received, status);
  const answer = await caller.final("INVITE");
  return { received, answer };
}

test("RFC 4028 §8: a call through the core is to be refreshed; too short an interval is 422", async (t) => {
  const [alice, bob] = await Promise.all([phone(t, await user()), phone(t, await user())]);
  const { received, answer } = await called(alice, bob, (invite) => void invite.append("Supported", "timer"));
  assert.equal(received.header("Session-Expires"), "1800");
  assert.deepEqual(
    [answer.status, answer.header("Session-Expires"), answer.values("Require")],
    [200, "1800;refresher=uac", ["timer"]],
  );
  const brief = inviteOf(alice, bob.impu).set("Call-ID", `${alice.callId}-brief`);
  alice.send(brief.append("Supported", "timer").append("Session-Expires", "100"));
  const refused = await alice.final("INVITE");
  assert.deepEqual([refused.status, refused.header("Min-SE")], [422, "120"]);
});

test("TS 24.229 §4.11: the priority of a subscription passes through the core, one that nobody has granted does not", async (t) => {
  const bob = await phone(t, await user());
  const claims = (invite: SipMessage): void => void invite.append("Resource-Priority", "ets.2, ets.0");
  const privileged = await phone(t, await user(["--resource-priority", "ets.1"]));
  const { received } = await called(privileged, bob, claims, 486);
  assert.deepEqual(received.values("Resource-Priority"), ["ets.2"]);
  const ordinary = await phone(t, await user());
  assert.equal((await called(ordinary, bob, claims, 486)).received.has("Resource-Priority"), false);
});

test("RFC 3841: a short message goes to the phone that takes them, a call rings the one that suits the caller first", async (t) => {
  const alice = await phone(t, await user());
  const name = await user();
  const mobile = await phone(t, name, ";+g.3gpp.smsip;audio;video");
  const desk = await phone(t, name, ";audio");
  const message = alice.request("MESSAGE", mobile.impu, { callId: `${alice.callId}-sms` });
  for (const route of alice.serviceRoute) message.append("Route", route);
  message.append("Accept-Contact", "*;+g.3gpp.smsip;require;explicit");
  alice.send(message.setBody("RP-DATA", "application/vnd.3gpp.sms"));
  reply(mobile, await mobile.incoming("MESSAGE"), 200);
  assert.equal((await alice.final("MESSAGE")).status, 200);

  const invite = inviteOf(alice, mobile.impu).append("Accept-Contact", "*;video");
  alice.send(invite);
  const first = await mobile.incoming("INVITE");
  await desk.expectNothing(({ method }) => method === "INVITE" || method === "MESSAGE", 200);
  reply(mobile, first, 486);
  reply(desk, await desk.incoming("INVITE"), 200);
  assert.equal((await alice.final("INVITE")).status, 200);
});

test("RFC 5009: the core hears what early media of the called UE is allowed, and the caller learns it", async (t) => {
  const [alice, bob] = await Promise.all([phone(t, await user()), phone(t, await user())]);
  alice.send(inviteOf(alice, bob.impu).append("P-Early-Media", "supported"));
  const received = await bob.incoming("INVITE");
  assert.equal(received.header("P-Early-Media"), "supported");
  const progress = responseTo(received, 183, { toTag: "callee1" });
  progress.append("Contact", bob.contact).append("P-Early-Media", "sendrecv");
  bob.send(progress.setBody("v=0\r\n", "application/sdp"));
  const early = await alice.expect(({ status }) => status === 183, "183");
  assert.deepEqual(early.values("P-Early-Media"), ["inactive"]);
  reply(bob, received, 486);
  assert.equal((await alice.final("INVITE")).status, 486);
});

test("TS 24.229 §5.2.8.1: an operator deregisters a user in a call, and both sides hear the end of it", async (t) => {
  const [alice, bob] = await Promise.all([phone(t, await user()), phone(t, await user())]);
  const call = await establish(alice, bob, bob.impu);
  const ended = await core.tidewater(["subscriber", "deregister", "--url", core.provisioning, alice.impi]);
  assert.equal(ended.exitCode, 0, ended.stderr);
  for (const ue of [alice, bob]) {
    const bye = await ue.incoming("BYE");
    assert.equal(bye.callId, call.invite.callId);
    assert.match(bye.header("Reason") ?? "", /Deregistered/);
    reply(ue, bye, 200);
  }
});

test("RFC 3903: what a user publishes reaches his presence server through filter criteria, and its entity tag him", async (t) => {
  const server = await startApplicationServer(t, "as-presence");
  const spt = (group: number, content: string): string =>
    `<SPT><ConditionNegated>0</ConditionNegated><Group>${group}</Group>${content}</SPT>`;
  const when = [
    spt(0, "<Method>PUBLISH</Method>"),
    spt(1, "<SIPHeader><Header>Event</Header><Content>^presence</Content></SIPHeader>"),
  ].join("");
  const file = join(core.stateDir, "presence.xml");
  writeFileSync(
    file,
    `<InitialFilterCriteria><Priority>0</Priority><TriggerPoint><ConditionTypeCNF>1</ConditionTypeCNF>${when}</TriggerPoint><ApplicationServer><ServerName>${server.uri}</ServerName><DefaultHandling>1</DefaultHandling></ApplicationServer></InitialFilterCriteria>`,
  );
  const alice = await phone(t, await user(["--ifc-file", file]));
  const publish = alice.request("PUBLISH", alice.impu, { callId: `${alice.callId}-publish` });
  for (const route of alice.serviceRoute) publish.append("Route", route);
  publish.append("Event", "presence").append("Expires", "3600");
  const document = `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${alice.impu}"><tuple id="a"><status><basic>open</basic></status></tuple></presence>`;
  alice.send(publish.setBody(document, "application/pidf+xml"));
  const answer = await alice.final("PUBLISH");
  assert.deepEqual([answer.status, answer.lines("SIP-ETag")], [200, ["state1"]]);
  const { logs, errors } = await server.finish();
  assert.match(logs.join("\n"), new RegExp(`published .*${alice.impu}`), errors);
});
