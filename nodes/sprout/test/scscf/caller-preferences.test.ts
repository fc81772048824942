import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, type BenchOptions, BOB, BOB_KEYS, benchWithUsers, ICSCF } from "../support/bench.ts";

const MMTEL = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"';
const MOBILE = `<sip:bob@192.0.2.1>;${MMTEL};audio;video`;
const DESK = '<sip:bob@192.0.2.2>;audio;methods="INVITE,ACK,CANCEL,BYE"';
const PLAIN = "<sip:bob@192.0.2.3>";

async function bobAt(contacts: readonly string[], options: BenchOptions = {}): Promise<Bench> {
  const b = benchWithUsers(options);
  await b.registered({ ...BOB, contact: contacts.join(", ") }, BOB_KEYS);
  return b;
}

function toBob(b: Bench, headers: readonly string[], method = "INVITE"): string {
  return b.request(method, { uri: "sip:bob@example.com", headers: [`Route: <${ICSCF};lr>`, ...headers] });
}

/** Last digits of the contacts that were asked. */
function asked(messages: readonly SipMessage[]): string {
  return messages
    .filter(({ isRequest, method }) => isRequest && method !== "ACK" && method !== "CANCEL")
    .map(({ requestUri }) => requestUri.at(-1))
    .sort()
    .join("");
}

/** Contacts in the order of the groups they are tried in, each group refusing. */
async function search(b: Bench, headers: readonly string[], method = "INVITE"): Promise<string> {
  let open = (await b.send(toBob(b, headers, method))).filter(({ isRequest }) => isRequest);
  const order: string[] = [];
  while (open.length > 0) {
    order.push(asked(open));
    const next: SipMessage[] = [];
    for (const one of open) next.push(...(await b.send(b.answer(one, 480), b.dialled())));
    open = next.filter(({ isRequest, method: name }) => isRequest && name !== "ACK" && name !== "CANCEL");
  }
  return order.join(" ");
}

test("TS 24.229 §5.4.3.3: without preferences of the caller all contacts of equal q ring, whatever they can do", async () => {
  const b = await bobAt([MOBILE, DESK, PLAIN]);
  assert.equal(await search(b, []), "123");
});

test("RFC 3841 §7.2.4: contacts that suit the caller less are tried later, those that say nothing with the first", async () => {
  const b = await bobAt([MOBILE, DESK, PLAIN]);
  assert.equal(await search(b, [`Accept-Contact: *;${MMTEL}`]), "13 2");
  assert.equal(await search(b, ["a: *;video", "Accept-Contact: *;audio"]), "13 2");
});

test("RFC 3841 §7.2.4: require and explicit leave contacts out, Reject-Contact too", async () => {
  const b = await bobAt([MOBILE, DESK]);
  assert.equal(await search(b, [`Accept-Contact: *;${MMTEL};require;explicit`]), "1");
  assert.equal(await search(b, ["Reject-Contact: *;video"]), "2");
  assert.equal(await search(b, ["j: *;audio"]), "");
  const refused = await b.exchange(toBob(b, ["Accept-Contact: *;+g.3gpp.smsip;require;explicit"]));
  assert.equal(refused.status, 480);
});

test("RFC 3841 §7.2.4: what the callee prefers (q) comes before what the caller prefers", async () => {
  const b = await bobAt([`${MOBILE};q=0.5`, `${DESK};q=1.0`]);
  assert.equal(await search(b, [`Accept-Contact: *;${MMTEL}`]), "2 1");
});

test("RFC 3841 §7.2.2: a MESSAGE does not go to a phone that does not list it among its methods", async () => {
  const b = await bobAt([MOBILE, DESK]);
  assert.equal(await search(b, [], "MESSAGE"), "1");
  assert.equal(await search(b, []), "12");
});

test("RFC 3841 §7.2: one contact is looked at like several", async () => {
  for (const [contact, headers, method, reached] of [
    [DESK, [], "INVITE", "2"],
    [DESK, [], "MESSAGE", ""],
    [DESK, ["Request-Disposition: no-fork"], "MESSAGE", ""],
    [`<sip:bob@192.0.2.4>;methods="!MESSAGE"`, [], "MESSAGE", ""],
    [`<sip:bob@192.0.2.4>;methods="XMESSAGE,INVITE"`, [], "MESSAGE", ""],
    [`<sip:bob@192.0.2.4>;methods="INVITE, MESSAGE"`, [], "MESSAGE", "4"],
    [`<sip:bob@192.0.2.4>;methods="NOTIFY";events="dialog"`, ["Event: presence"], "NOTIFY", ""],
    [DESK, ["Accept-Contact: *;video"], "INVITE", "2"],
    [DESK, ["Accept-Contact: *;video;require;explicit"], "INVITE", ""],
    [DESK, ["Reject-Contact: *;audio"], "INVITE", ""],
  ] as const)
    assert.equal(
      await search(await bobAt([contact]), headers, method),
      reached,
      `${contact} ${headers} ${method}`,
    );
});

test("RFC 3841 §9.1: no-fork tries one contact, sequential one after the other, parallel all at once", async () => {
  const b = await bobAt([`${MOBILE};q=0.3`, `${DESK};q=0.9`]);
  assert.equal(await search(b, []), "2 1");
  assert.equal(await search(b, ["Request-Disposition: no-fork"]), "2");
  assert.equal(await search(b, ["d: parallel"]), "12");
  const equals = await bobAt([MOBILE, DESK]);
  assert.equal((await search(equals, ["Request-Disposition: sequential, no-queue"])).length, 3);
  assert.equal((await search(equals, ["Request-Disposition: no-fork"])).length, 1);
});

test("RFC 3841 §7.2.4: an operator may let all contacts ring that are not left out", async () => {
  const b = await bobAt([MOBILE, DESK], { options: { lessPreferredContacts: "together" } });
  assert.equal(await search(b, [`Accept-Contact: *;${MMTEL}`]), "12");
  assert.equal(await search(b, [`Accept-Contact: *;${MMTEL};require;explicit`]), "1");
});

test("RFC 5626 §7: flows of one UE stay one place to look, and no-fork uses the next one when the first is dead", async () => {
  const b = benchWithUsers();
  const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"';
  for (const flow of [1, 2]) {
    const contact = `<sip:bob@192.0.2.${flow}>;reg-id=${flow};${instance};audio`;
    await b.registered({ ...BOB, contact, headers: ["Supported: outbound"] }, BOB_KEYS);
    await b.advance(1000);
  }
  const [first] = await b.send(toBob(b, ["Request-Disposition: no-fork", "Accept-Contact: *;audio"]));
  assert.equal(first?.requestUri, "sip:bob@192.0.2.2");
  assert.equal(asked(await b.send(b.answer(first, 430), b.dialled())), "1");
});

test("RFC 3261 §16.7: contacts that ring unanswered do not keep those that come later from being tried", async () => {
  const b = await bobAt([`${MOBILE};q=0.9`, `${DESK};q=0.3`], { options: { contactRingSeconds: 20 } });
  const [first] = await b.send(toBob(b, []));
  assert.ok(first);
  await b.send(b.answer(first, 180), b.dialled());
  assert.deepEqual(await b.advance(19_900), []);
  const later = await b.advance(200);
  assert.deepEqual(
    later.map(({ method, requestUri }) => `${method} ${requestUri.at(-1)}`),
    ["CANCEL 1", "INVITE 2"],
  );
  const second = later.at(-1);
  assert.ok(second);
  await b.send(b.answer(first, 487), b.dialled());
  // The last ones ring as long as the caller waits.
  await b.send(b.answer(second, 180), b.dialled());
  assert.deepEqual(await b.advance(60_000), []);
  const answered = await b.send(b.answer(second, 200), b.dialled());
  assert.deepEqual(
    answered.map(({ status }) => status),
    [200],
  );
});
