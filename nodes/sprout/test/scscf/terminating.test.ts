import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { searchOrder } from "../../src/scscf/search-order.ts";
import type { Binding } from "../../src/store/registration.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF, PATH, SCSCF } from "../support/bench.ts";

const TO_BOB = { uri: "sip:bob@example.com", headers: [`Route: <${ICSCF};lr>`] } as const;

async function bobAt(b: Bench, contact: string, headers: readonly string[] = []): Promise<SipMessage> {
  return b.registered({ ...BOB, contact, headers }, BOB_KEYS);
}

function targets(messages: readonly SipMessage[], method = "INVITE"): string[] {
  return messages.filter((message) => message.method === method).map(({ requestUri }) => requestUri);
}

test("TS 24.229 §5.4.3.3: contacts of equal q ring together, the first to answer wins and the others are cancelled", async () => {
  const b = benchWithUsers();
  await bobAt(b, "<sip:bob@192.0.2.1>, <sip:bob@192.0.2.2>, <sip:bob@192.0.2.3>");
  const invites = await b.send(b.request("INVITE", TO_BOB));
  assert.deepEqual(targets(invites).sort(), ["sip:bob@192.0.2.1", "sip:bob@192.0.2.2", "sip:bob@192.0.2.3"]);
  const [first, second, third] = invites;
  assert.ok(first && second && third);
  await b.send(b.answer(second, 180), b.dialled());
  await b.send(b.answer(third, 180), b.dialled());
  const after = await b.send(b.answer(first, 200), b.dialled());
  assert.deepEqual(after.map((message) => (message.isRequest ? message.method : message.status)).sort(), [
    200,
    "CANCEL",
    "CANCEL",
  ]);
});

test("RFC 3261 §16.6: a contact of lower q is tried when those of higher q have failed", async () => {
  const b = benchWithUsers();
  await bobAt(b, "<sip:bob@192.0.2.1>;q=0.3, <sip:bob@192.0.2.2>;q=1.0, <sip:bob@192.0.2.3>;q=1.0");
  const invites = await b.send(b.request("INVITE", TO_BOB));
  assert.deepEqual(targets(invites).sort(), ["sip:bob@192.0.2.2", "sip:bob@192.0.2.3"]);
  const [first, second] = invites;
  assert.ok(first && second);
  assert.deepEqual(targets(await b.send(b.answer(first, 486), b.dialled())), []);
  const later = await b.send(b.answer(second, 480), b.dialled());
  assert.deepEqual(targets(later), ["sip:bob@192.0.2.1"]);
  const last = later.find(({ method }) => method === "INVITE");
  assert.ok(last);
  const [, final] = await b.send(b.answer(last, 404), b.dialled());
  assert.ok(final);
  assert.ok([404, 480, 486].includes(final.status), String(final));
});

test("RFC 3261 §16.7: a 6xx ends the search", async () => {
  const b = benchWithUsers();
  await bobAt(b, "<sip:bob@192.0.2.1>;q=0.3, <sip:bob@192.0.2.2>;q=1.0");
  const [invite] = await b.send(b.request("INVITE", TO_BOB));
  assert.ok(invite);
  const after = await b.send(b.answer(invite, 603), b.dialled());
  assert.deepEqual(targets(after), []);
  assert.equal(after.find(({ isRequest }) => !isRequest)?.status, 603);
});

test("RFC 3261 §16.10: a call given up by the caller does not go on to the next contact", async () => {
  const b = benchWithUsers();
  await bobAt(b, "<sip:bob@192.0.2.1>;q=0.3, <sip:bob@192.0.2.2>;q=1.0");
  const fields = { ...TO_BOB, callId: "c", branch: "z9hG4bKcancelled" };
  const [invite] = await b.send(b.request("INVITE", fields));
  assert.ok(invite);
  await b.send(b.answer(invite, 180), b.dialled());
  const cancelled = await b.send(b.request("CANCEL", fields));
  assert.ok(cancelled.some(({ method }) => method === "CANCEL"));
  const after = await b.send(b.answer(invite, 487), b.dialled());
  assert.deepEqual(targets(after), []);
  assert.ok(after.some(({ status }) => status === 487));
});

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"';

test("RFC 5626 §7: of several flows of one UE one is used, the next when the edge says 430, and the dead one is forgotten", async () => {
  const b = benchWithUsers();
  const supported = ["Supported: outbound"];
  await bobAt(b, `<sip:bob@192.0.2.1:1111>;reg-id=1;${INSTANCE}`, supported);
  await b.advance(1000);
  await bobAt(b, `<sip:bob@192.0.2.1:2222>;reg-id=2;${INSTANCE}`, supported);
  const [invite, ...more] = await b.send(b.request("INVITE", TO_BOB));
  assert.equal(more.length, 0);
  assert.equal(invite?.requestUri, "sip:bob@192.0.2.1:2222");
  const after = await b.send(b.answer(invite, 430), b.dialled());
  assert.deepEqual(targets(after), ["sip:bob@192.0.2.1:1111"]);
  assert.equal(
    after.find(({ method }) => method === "INVITE")?.top("Via"),
    invite.top("Via"),
    "one request for it",
  );
  assert.deepEqual(targets(await b.send(b.request("INVITE", TO_BOB))), ["sip:bob@192.0.2.1:1111"]);
});

test("RFC 5626 §4.5: a UE whose only flow is gone is waited for a little; it is reached over the new one", async () => {
  const b = benchWithUsers();
  await bobAt(b, "<sip:bob@192.0.2.1:1111>");
  const [invite] = await b.send(b.request("INVITE", TO_BOB));
  assert.ok(invite);
  const acknowledged = await b.send(b.answer(invite, 430), b.dialled());
  assert.deepEqual(
    acknowledged.map(({ method }) => method),
    ["ACK"],
  );
  assert.deepEqual(await b.advance(300), []);
  await b.advance(1);
  await bobAt(b, "<sip:bob@192.0.2.1:2222>");
  const [again, ...more] = await b.advance(100);
  assert.deepEqual([again?.method, again?.requestUri, more], ["INVITE", "sip:bob@192.0.2.1:2222", []]);
  // It may ring still: this is a copy for it (RFC 3261 §8.2.2.2).
  assert.ok(again);
  assert.equal(again.top("Via"), invite.top("Via"));
  assert.equal((await b.send(b.answer(again, 200), b.dialled())).at(-1)?.status, 200);
});

test("RFC 5626 §5.3: who does not come back in time is 430, who is not waited for any more 487", async () => {
  for (const cancelled of [false, true]) {
    const b = benchWithUsers();
    await bobAt(b, "<sip:bob@192.0.2.1:1111>");
    const fields = { ...TO_BOB, branch: "z9hG4bKgone", callId: "gone" };
    const [invite] = await b.send(b.request("INVITE", fields));
    assert.ok(invite);
    await b.send(b.answer(invite, 430), b.dialled());
    if (cancelled) await b.send(b.request("CANCEL", fields));
    const after = await b.advance(2_500);
    assert.deepEqual(
      after.map(({ status }) => status),
      [cancelled ? 487 : 430],
    );
  }
});

test("flows of one UE are one branch, other contacts are branches of their own", () => {
  const binding = (contact: string, more: Partial<Binding>): Binding => ({
    contact,
    key: contact,
    impi: "bob@example.com",
    gruuCseq: 1,
    registered: "sip:bob@example.com",
    callId: "c",
    cseq: 1,
    expiresAt: 0,
    refreshedAt: 0,
    q: 1000,
    path: [],
    instance: "",
    regId: 0,
    parameters: "",
    gruu: false,
    gruuSince: 0,
    ...more,
  });
  const order = searchOrder([
    binding("a1", { instance: "a", regId: 1, refreshedAt: 1 }),
    binding("b", { q: 500 }),
    binding("a2", { instance: "a", regId: 2, refreshedAt: 2 }),
    binding("c", { instance: "c" }),
  ]);
  assert.deepEqual(
    order.map((group) => group.map((branch) => branch.map(({ contact }) => contact))),
    [[["a2", "a1"], ["c"]], [["b"]]],
  );
});

test("TS 24.229 §5.3.2.1: unknown 404, not registered 480", async () => {
  const b = benchWithUsers();
  for (const [uri, status] of [
    ["sip:nobody@example.com", 404],
    ["sip:bob@example.com", 480],
    ["mailto:bob@example.com", 416],
    ["sip:__proto__@example.com", 404],
  ] as const) {
    const response = await b.exchange(b.request("MESSAGE", { ...TO_BOB, uri }));
    assert.equal(response.status, status, uri);
  }
});

test("TS 24.229 §5.4.3.3 step 1: a request to a barred identity of a registered set is answered 404", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    impi: "carol@example.com",
    impus: ["sip:carol@example.com", "!sip:hidden@example.com"],
  });
  await b.registered({ impu: "sip:carol@example.com" }, { username: "carol@example.com" });
  const message = (uri: string): Promise<SipMessage> => b.exchange(b.request("MESSAGE", { ...TO_BOB, uri }));
  assert.equal((await message("sip:hidden@example.com")).status, 404);
  assert.equal((await message("sip:carol@example.com")).method, "MESSAGE");
});

test("TS 24.229 §5.4.3.3: an unregistered user with services is fetched with SAR UNREGISTERED_USER once, and answered 480", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    impi: "dora@example.com",
    impus: ["sip:dora@example.com"],
    unregisteredServices: true,
  });
  const dora = { ...TO_BOB, uri: "sip:dora@example.com" };
  assert.equal((await b.exchange(b.request("MESSAGE", dora))).status, 480);
  assert.deepEqual(b.cx.taken(), ["LIR", "SAR UNREGISTERED_USER"]);
  assert.equal((await b.exchange(b.request("MESSAGE", dora))).status, 480);
  assert.deepEqual(b.cx.taken(), ["LIR"]);
  await b.advance(302_000);
  assert.deepEqual(b.cx.taken(), ["SAR TIMEOUT_DEREGISTRATION"]);
});

test("TS 24.229 §5.4.1.2: an unregistered user that was fetched may register", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    impi: "dora@example.com",
    impus: ["sip:dora@example.com"],
    unregisteredServices: true,
  });
  const dora = { ...TO_BOB, uri: "sip:dora@example.com" };
  await b.exchange(b.request("MESSAGE", dora));
  await b.registered({ impu: "sip:dora@example.com" }, { username: "dora@example.com" });
  b.cx.taken();
  await b.advance(302_000);
  assert.deepEqual(b.cx.taken(), []);
  assert.equal((await b.exchange(b.request("MESSAGE", dora))).method, "MESSAGE");
});

test("TS 23.003 §13.4A: a wildcarded identity that is registered is reached by every identity of its range", async () => {
  const b = benchWithUsers();
  const wildcard = "sip:desk-!.*!@example.com";
  b.cx.subscribers.push({ impi: "pbx@example.com", impus: ["sip:pbx@example.com", wildcard] });
  await b.registered({ impu: "sip:pbx@example.com" }, { username: "pbx@example.com" });
  b.cx.next.LIR.push({ kind: "server", name: SCSCF, wildcard });
  const message = await b.exchange(b.request("MESSAGE", { ...TO_BOB, uri: "sip:desk-12@example.com" }));
  assert.equal(message.method, "MESSAGE", String(message));
  assert.equal(message.header("P-Called-Party-ID"), "<sip:desk-12@example.com>");
  assert.equal(message.has("P-Profile-Key"), false);
});

test("TS 24.229 §5.3.2.1: a telephone number in a SIP URI is looked up as a tel URI", async () => {
  const b = benchWithUsers();
  await b.registered();
  const uri = "sip:+1-555-0001@example.com;user=phone";
  const message = await b.exchange(b.request("MESSAGE", { ...TO_BOB, uri }));
  assert.equal(message.requestUri, "sip:alice@192.0.2.1:5060", String(message));
  assert.equal(message.header("P-Called-Party-ID"), "<tel:+15550001>");
});

function gruus(response: SipMessage): { open: string; hidden: string } {
  const contact = response.header("Contact") ?? "";
  return {
    open: /;pub-gruu="([^"]+)"/.exec(contact)?.[1] ?? assert.fail(contact),
    hidden: /;temp-gruu="([^"]+)"/.exec(contact)?.[1] ?? assert.fail(contact),
  };
}

test("RFC 5627 §5.2: a call to a GRUU reaches its instance only, whether public or temporary", async () => {
  const b = benchWithUsers();
  const { open, hidden } = gruus(await bobAt(b, `<sip:bob@192.0.2.1>;${INSTANCE}`, ["Supported: gruu"]));
  const other = await b.exchange(
    b.register({
      ...BOB,
      contact: "<sip:bob@192.0.2.77>",
      authorization: `Digest username="bob@example.com",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected="ip-assoc-yes"`,
    }),
  );
  assert.equal(other.values("Contact").length, 2);
  for (const uri of [open, hidden]) {
    const invites = await b.send(b.request("INVITE", { ...TO_BOB, uri }));
    assert.deepEqual(targets(invites), ["sip:bob@192.0.2.1"], uri);
  }
  const missing = await b.exchange(
    b.request("MESSAGE", { ...TO_BOB, uri: "sip:bob@example.com;gr=urn:uuid:1" }),
  );
  assert.equal(missing.status, 480);
});

test("RFC 5627 §5.2: requests inside a dialog, ACK too, reach the UE when they are addressed to its GRUU", async () => {
  const b = benchWithUsers();
  const { open, hidden } = gruus(await bobAt(b, `<sip:bob@192.0.2.1>;${INSTANCE}`, ["Supported: gruu"]));
  for (const uri of [open, hidden])
    for (const method of ["ACK", "BYE", "INVITE"]) {
      const [arrived] = await b.send(
        b.request(method, { uri, to: "sip:bob@example.com", toTag: "t1", headers: [`Route: <${SCSCF};lr>`] }),
        b.toScscf,
      );
      assert.equal(arrived?.requestUri, "sip:bob@192.0.2.1", `${method} ${uri}`);
      assert.deepEqual(arrived?.values("Route"), [PATH]);
    }
});

test("RFC 5627 §5.1: a REGISTER with another Call-ID ends the temporary GRUUs before it, the public one stays", async () => {
  const b = benchWithUsers();
  const contact = `<sip:bob@192.0.2.1>;${INSTANCE}`;
  const { open, hidden } = gruus(await bobAt(b, contact, ["Supported: gruu"]));
  await b.advance(5_000);
  await b.registered({ ...BOB, contact, callId: "rebooted", headers: ["Supported: gruu"] }, BOB_KEYS);
  assert.equal((await b.exchange(b.request("MESSAGE", { ...TO_BOB, uri: hidden }))).status, 480);
  assert.equal((await b.exchange(b.request("MESSAGE", { ...TO_BOB, uri: open }))).method, "MESSAGE");
});

test("who is registered with our own S-CSCF is found without the HSS, who is not is asked for", async () => {
  const b = benchWithUsers({ options: { localLookup: true } });
  const lirs = (): number => b.cx.calls.filter(({ command }) => command === "LIR").length;
  await bobAt(b, "<sip:bob@192.0.2.1>");
  const invites = await b.send(b.request("INVITE", TO_BOB));
  assert.deepEqual(targets(invites), ["sip:bob@192.0.2.1"]);
  assert.equal(lirs(), 0);
  await b.send(b.request("INVITE", { uri: "sip:nobody@example.com", headers: [`Route: <${ICSCF};lr>`] }));
  assert.equal(lirs(), 1);
  b.clock.advance(3_600_000);
  await b.send(b.request("INVITE", TO_BOB));
  assert.equal(lirs(), 2);
});
