import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, type BenchOptions, BOB, BOB_KEYS, benchWithUsers, SCSCF } from "../support/bench.ts";

async function bothRegistered(options: BenchOptions = {}): Promise<Bench> {
  const b = benchWithUsers(options);
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  b.cx.taken();
  return b;
}

function from(
  b: Bench,
  user: string | undefined,
  uri: string,
  more: readonly string[] = [],
): Promise<SipMessage> {
  const asserted = user === undefined ? [] : [`P-Asserted-Identity: <${user}>`];
  return b.exchange(
    b.request("MESSAGE", { uri, headers: [`Route: <${SCSCF};lr;orig>`, ...asserted, ...more] }),
    b.toScscf,
  );
}

test("TS 24.229 §5.4.3.2: who is not named, not registered or barred gets 403", async () => {
  const b = await bothRegistered();
  b.cx.subscribers.push({
    impi: "carol@example.com",
    impus: ["sip:carol@example.com", "!sip:hidden@example.com"],
  });
  await b.registered({ impu: "sip:carol@example.com" }, { username: "carol@example.com" });
  assert.equal((await from(b, undefined, "sip:bob@example.com")).status, 403);
  assert.equal((await from(b, "sip:stranger@example.com", "sip:bob@example.com")).status, 403);
  assert.equal((await from(b, "sip:hidden@example.com", "sip:bob@example.com")).status, 403);
  assert.equal((await from(b, "sip:carol@example.com", "sip:bob@example.com")).method, "MESSAGE");
});

test("TS 24.229 §5.4.3.2: P-Served-User goes before P-Asserted-Identity, and stays inside", async () => {
  const b = await bothRegistered();
  const message = await from(b, "sip:stranger@example.com", "sip:bob@example.com", [
    "P-Served-User: <sip:alice@example.com>;sescase=orig;regstate=reg",
  ]);
  assert.equal(message.method, "MESSAGE");
  assert.equal(message.has("P-Served-User"), false);
});

test("TS 24.229 §5.4.3.2: a tel URI in P-Asserted-Identity is joined by the SIP URI of its alias group", async () => {
  const b = await bothRegistered();
  const message = await from(b, "tel:+15550001", "sip:bob@example.com");
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<tel:+15550001>", "<sip:alice@example.com>"]);
});

test("TS 24.229 §5.4.3.2: two asserted identities stay as they are", async () => {
  const b = await bothRegistered();
  const message = await from(b, "sip:alice@example.com>, <tel:+15550009", "sip:bob@example.com");
  assert.deepEqual(message.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550009>"]);
});

test("TS 24.229 §5.4.3.2: other domains are refused unless the operator lets them be reached", async () => {
  const b = await bothRegistered();
  assert.equal((await from(b, "sip:alice@example.com", "sip:x@192.0.2.50:5066")).status, 404);
  assert.equal((await from(b, "sip:alice@example.com", "tel:+15559999")).status, 404);
  const open = await bothRegistered({ options: { allowForeignDomains: true } });
  const sent = await from(open, "sip:alice@example.com", "sip:x@192.0.2.50:5066;transport=tcp", [
    "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1",
    "P-Charging-Function-Addresses: ccf=x",
  ]);
  assert.equal(sent.requestUri, "sip:x@192.0.2.50:5066;transport=tcp");
  assert.equal(open.dialled(5066).remoteAddress, "192.0.2.50");
  assert.equal(sent.has("P-Access-Network-Info"), false);
  assert.equal(sent.has("P-Charging-Function-Addresses"), false);
  assert.equal(sent.header("P-Charging-Vector"), 'icid-value=abc;orig-ioi="example.com"');
});

test("TS 24.229 §5.4.3.2: a Route left after ours is followed", async () => {
  const b = await bothRegistered();
  const sent = await from(b, "sip:alice@example.com", "sip:bob@example.com", [
    "Route: <sip:as@192.0.2.60:5060;transport=tcp;lr>",
  ]);
  assert.deepEqual(sent.values("Route"), ["<sip:as@192.0.2.60:5060;transport=tcp;lr>"]);
  assert.equal(b.dialled(5060).remoteAddress, "192.0.2.60");
});

test("RFC 3261 §16.6 step 4: methods that make no dialog are not recorded", async () => {
  const b = await bothRegistered();
  assert.equal((await from(b, "sip:alice@example.com", "sip:bob@example.com")).has("Record-Route"), false);
});

test("a request inside a dialog follows its Route although its user is not registered any more", async () => {
  const b = benchWithUsers();
  const bye = await b.exchange(
    b.request("BYE", {
      uri: "sip:alice@192.0.2.1",
      to: "sip:alice@example.com",
      toTag: "t",
      headers: [`Route: <${SCSCF};lr>, <sip:127.0.0.1:5058;transport=tcp;lr>`],
    }),
    b.toScscf,
  );
  assert.equal(bye.method, "BYE");
  assert.deepEqual(bye.values("Route"), ["<sip:127.0.0.1:5058;transport=tcp;lr>"]);
});
