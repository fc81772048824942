import assert from "node:assert/strict";
import { test } from "node:test";
import { registrationsSchema } from "@ims/api";
import { type KvStore, memoryStore } from "@ims/store";
import { type Bench, benchWithUsers, PATH, SCSCF } from "../support/bench.ts";
import { subscribed } from "../support/reg-event.ts";

async function ask(b: Bench, identity: string) {
  const resource = b.entities.resources.get("registrations") ?? assert.fail("no such resource");
  const answer = await resource(identity);
  return answer.kind === "found" ? registrationsSchema.parse(answer.document) : answer;
}

async function registrationsOf(b: Bench, identity: string) {
  const answer = await ask(b, identity);
  return "registrations" in answer ? answer.registrations : assert.fail(JSON.stringify(answer));
}

const FLOW = '<sip:alice@192.0.2.1:5060;transport=tcp>;+sip.instance="<urn:uuid:1>";reg-id=1;+g.3gpp.smsip';

test("TS 24.229 §5.4.1.2: the registration of a user is shown: state, contacts with their way, subscriptions, S-CSCF", async () => {
  const b = benchWithUsers();
  const headers = ["Supported: path, outbound"];
  await b.registered({ contact: FLOW, callId: "one", headers, expires: 600 });
  await subscribed(b);
  await b.advance(10_000);
  const answer = await ask(b, "sip:alice@EXAMPLE.com;user=x");
  assert.ok("registrations" in answer);
  assert.equal(answer.serverName, SCSCF);
  const [registration, ...others] = answer.registrations;
  assert.equal(others.length, 0);
  assert.deepEqual(
    [registration?.publicIdentity, registration?.state, registration?.publicIdentities],
    [
      "sip:alice@example.com",
      "registered",
      [
        { impu: "sip:alice@example.com", barred: false },
        { impu: "tel:+15550001", barred: false },
      ],
    ],
  );
  const [binding] = registration?.bindings ?? [];
  const { cseq, registeredAt, expiresAt, ...rest } = binding ?? assert.fail("no binding");
  assert.ok(cseq > 0);
  assert.equal(Date.parse(expiresAt) - Date.parse(registeredAt), 600_000);
  assert.deepEqual(rest, {
    contact: "sip:alice@192.0.2.1:5060;transport=tcp",
    privateIdentity: "alice@example.com",
    publicIdentity: "sip:alice@example.com",
    instance: "urn:uuid:1",
    regId: 1,
    path: [PATH],
    q: 1,
    parameters: ';+sip.instance="<urn:uuid:1>";reg-id=1;+g.3gpp.smsip',
    expiresIn: 590,
    callId: "one",
    emergency: false,
  });
  const [subscription] = registration?.subscriptions ?? [];
  assert.equal(subscription?.kind, "user");
  assert.equal(subscription.subscriber, "sip:alice@example.com");
  assert.ok(subscription.expiresIn > 0);
  assert.match(subscription.target, /^sip:/);
});

test("a user is found by any identity of his, public or private; who is not registered has no registration", async () => {
  const b = benchWithUsers();
  await b.registered();
  for (const identity of ["sip:alice@example.com", "tel:+1-555-0001", "alice@example.com"])
    assert.deepEqual(
      (await registrationsOf(b, identity)).map(({ publicIdentity }) => publicIdentity),
      ["sip:alice@example.com"],
      identity,
    );
  for (const identity of ["sip:bob@example.com", "bob@example.com", "sip:__proto__@example.com"])
    assert.deepEqual(await registrationsOf(b, identity), []);
});

test("what is no identity is refused with what would be one", async () => {
  const b = benchWithUsers();
  for (const identity of [
    "",
    "alice",
    "sip:",
    "tel:911",
    "http://x",
    "a@b@c",
    "x".repeat(10_000),
    "\u0000@x",
  ]) {
    const answer = await ask(b, identity);
    assert.ok("kind" in answer && answer.kind === "wrong", identity.slice(0, 20));
    assert.match(answer.detail, /sip:user@domain/);
  }
});

test("while the store is away nobody is said to be unregistered", async () => {
  let away = false;
  const inner = memoryStore({ clock: benchWithUsers().clock });
  const unavailable = { kind: "unavailable", cause: new Error("away") } as const;
  const store: KvStore = {
    get: async (...asked) => (away ? unavailable : inner.get(...asked)),
    put: (...asked) => inner.put(...asked),
    delete: (...asked) => inner.delete(...asked),
  };
  const b = benchWithUsers({ shared: { store } });
  await b.registered();
  away = true;
  const answer = await ask(b, "sip:alice@example.com");
  assert.ok("kind" in answer && answer.kind === "unavailable");
});
