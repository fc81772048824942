import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { hasXmllint, notified, subscribeTo, told } from "../support/reg-event.ts";
import { SipUe } from "../support/sip-ue.ts";

const skip = hasXmllint() ? false : "xmllint is not installed (scripts/install-test-tools)";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore({ args: ["--set", "bono.subscribe-to-registrations=true"] });
});
after(() => core.stop());

/** A new subscriber and a telephone number. */
async function subscriber(user: string, number: string): Promise<void> {
  const impi = `${user}@example.com`;
  await core.addSubscriber({ impi, impus: [`sip:${impi}`, `tel:${number}`], password: "secret" });
}

async function message(from: SipUe, to: string): Promise<number> {
  const request = from.request("MESSAGE", to, { callId: `${from.callId}-${Math.random()}` });
  for (const route of from.serviceRoute) request.append("Route", route);
  from.send(request.setBody("hello", "text/plain"));
  return (await from.final("MESSAGE")).status;
}

test("TS 24.229 §5.4.2.1: a UE hears of every change of its registration, in documents that are what RFC 3680 says", {
  skip,
}, async (t) => {
  await subscriber("carol", "+15550042");
  const first = await SipUe.open(t, core, { user: "carol" });
  assert.equal((await first.register()).status, 200);
  const { notify } = await subscribeTo(first);
  const mine = first.localPort;
  assert.deepEqual(told(notify), [
    `sip:carol@example.com active: registered ${mine}`,
    `tel:+15550042 active: created ${mine}`,
  ]);
  // Another UE of hers comes, refreshes and goes.
  const second = await SipUe.open(t, core, { user: "carol" });
  const other = second.localPort;
  assert.equal((await second.register()).status, 200);
  assert.equal(
    told(await notified(first))[0],
    `sip:carol@example.com active: registered ${mine}, registered ${other}`,
  );
  assert.equal((await second.register({ expires: 300 })).status, 200);
  assert.equal(
    told(await notified(first))[0],
    `sip:carol@example.com active: registered ${mine}, shortened ${other}`,
  );
  assert.equal((await second.register({ expires: 0 })).status, 200);
  const gone = await notified(first);
  assert.equal(told(gone)[0], `sip:carol@example.com active: registered ${mine}, unregistered ${other}`);
  // She goes herself.
  assert.equal((await first.register({ expires: 0 })).status, 200);
  const last = await notified(first);
  assert.match(last.header("Subscription-State") ?? "", /^terminated/);
  assert.equal(told(last)[1], `tel:+15550042 terminated: unregistered ${mine}`);
});

test("TS 24.229 §5.4.2.1.1: who is neither the user nor of its network is refused", { skip }, async (t) => {
  await subscriber("dave", "+15550043");
  const one = await SipUe.open(t, core, { user: "dave" });
  assert.equal((await one.register()).status, 200);
  const stranger = await SipUe.open(t, core, { user: "6505550000" });
  assert.equal((await stranger.register()).status, 200);
  for (const [about, status] of [
    ["sip:dave@example.com", 403],
    ["sip:6505550001@example.com", 480],
  ] as const) {
    const subscribe = stranger.request("SUBSCRIBE", about, { callId: `${stranger.callId}-${status}` });
    for (const route of stranger.serviceRoute) subscribe.append("Route", route);
    subscribe.append("Event", "reg").append("Contact", stranger.contact);
    stranger.send(subscribe);
    assert.equal((await stranger.final("SUBSCRIBE")).status, status);
  }
  for (const ue of [one, stranger]) await ue.register({ expires: 0 });
});

test("TS 24.229 §5.4.1.5, §5.2.5.2: the operator changes and ends a registration: the UE is told, and the P-CSCF forgets it", {
  skip,
}, async (t) => {
  await subscriber("erin", "+15550044");
  const ue = await SipUe.open(t, core, { user: "erin" });
  assert.equal((await ue.register()).status, 200);
  await subscribeTo(ue);
  const args = ["--url", core.provisioning];
  const impus = ["sip:erin@example.com", "tel:+15550044", "sip:work@example.com"].flatMap((one) => [
    "--impu",
    one,
  ]);
  const changed = await core.tidewater(["subscriber", "update", "erin@example.com", ...impus, ...args]);
  assert.equal(changed.exitCode, 0, changed.stderr);
  assert.equal(told(await notified(ue))[2], `sip:work@example.com active: created ${ue.localPort}`);
  // The P-CSCF has heard of it too: the new identity may be asserted.
  const greeting = ue.request("MESSAGE", "sip:erin@example.com", {
    from: "<sip:work@example.com>;tag=w",
    callId: "work",
  });
  for (const route of ue.serviceRoute) greeting.append("Route", route);
  ue.send(greeting.setBody("hello", "text/plain"));
  const received = await ue.incoming("MESSAGE");
  assert.equal(received.top("P-Asserted-Identity"), "<sip:work@example.com>");
  const ended = await core.tidewater(["subscriber", "deregister", "erin@example.com", ...args]);
  assert.equal(ended.exitCode, 0, ended.stderr);
  const last = await notified(ue);
  assert.equal(told(last)[0], `sip:erin@example.com terminated: rejected ${ue.localPort}`);
  assert.equal(last.header("Subscription-State"), "terminated;reason=noresource");
  assert.equal(await message(ue, "sip:6505550000@example.com"), 403);
  const metrics = await (await fetch(`http://${core.host}:9101/metrics`)).text();
  assert.match(metrics, /^ims_bono_registered_sets 0$/m);
});
