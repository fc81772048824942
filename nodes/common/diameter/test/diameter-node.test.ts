import assert from "node:assert/strict";
import { test } from "node:test";
import { Mar } from "../src/cx/application.ts";
import { cxResult, cxResultOf } from "../src/cx/result-codes.ts";
import { startNode } from "../testing/start-node.ts";

const marAvps = {
  userName: "6505550000@example.com",
  publicIdentity: "sip:6505550000@example.com",
  sipAuthDataItem: { sipAuthenticationScheme: "Unknown" },
  sipNumberAuthItems: 1,
  serverName: "sip:scscf.example.com",
};

test("RFC 6733 §5.3, TS 29.229 §6.1.7: a CSCF connects to the HSS and asks for authentication data", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const sprout = startNode(t, "sprout.example.com");
  hss.handle(Mar, ({ avps }, peer) => ({
    resultCode: 2001,
    userName: avps.userName,
    publicIdentity: avps.publicIdentity,
    sipNumberAuthItems: 1,
    sipAuthDataItem: [
      {
        sipAuthenticationScheme: "SIP Digest",
        sipDigestAuthenticate: { digestRealm: "example.com", digestQop: "auth", digestHa1: peer.originHost },
      },
    ],
  }));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await sprout.whenConnected(2_000), true);
  const outcome = await sprout.request(Mar, marAvps, { destinationRealm: "example.com" });
  assert.equal(outcome.kind, "answer");
  if (outcome.kind !== "answer") return;
  assert.deepEqual(outcome.result, { code: 2001, vendorId: 0 });
  assert.equal(outcome.peer, "hss.example.com");
  assert.equal(outcome.avps.sipAuthDataItem?.[0]?.sipDigestAuthenticate?.digestHa1, "sprout.example.com");
  assert.equal(outcome.avps.originHost, "hss.example.com");
});

test("RFC 6733 §5.6: the HSS sends its requests over the connection that the CSCF opened", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const sprout = startNode(t, "sprout.example.com");
  sprout.handle(Mar, async () => cxResult("ERROR_USER_UNKNOWN"));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await hss.whenConnected(2_000, "sprout.example.com"), true);
  const outcome = await hss.request(Mar, marAvps, {
    destinationRealm: "example.com",
    destinationHost: "sprout.example.com",
  });
  assert.equal(outcome.kind === "answer" && cxResultOf(outcome.avps), "ERROR_USER_UNKNOWN");
});
