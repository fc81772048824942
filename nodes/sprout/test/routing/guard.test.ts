import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { OwnUris, ProxyCore, type TransactionUser } from "@ims/sip";
import { FakeTransportLayer } from "@ims/sip/testing";
import { addressesOf } from "../../src/addresses.ts";
import type { SproutError } from "../../src/errors.ts";
import { Guard } from "../../src/routing/guard.ts";
import { parsed } from "../support/bench.ts";

function bench(): {
  guard: Guard;
  refused: string[];
  status(method: string, uri: string, remoteAddress: string, toTag?: string): number | undefined;
} {
  const transport = new FakeTransportLayer();
  const refused: string[] = [];
  const entity: TransactionUser = {
    functionalEntity: "S-CSCF",
    accepts: () => false,
    onRequest: (context) => context.respond(context.request.method === "INVITE" ? 180 : 202),
  };
  const guard = new Guard(entity, {
    mayUse: (address) => address === "192.0.2.1",
    own: new OwnUris(["sip:127.0.0.1:5054"]),
    refused: (reason) => refused.push(reason),
  });
  new ProxyCore({
    sides: [{ name: "scscf", entity: guard, strict: false }],
    locator: { locate: () => [], failed: () => undefined },
    clock: fakeClock(),
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
  });
  let branch = 0;
  return {
    guard,
    refused,
    status(method, uri, remoteAddress, toTag) {
      const flow = transport.connect({ side: "scscf", protocol: "TCP", remoteAddress });
      flow.receive(
        [
          `${method} ${uri} SIP/2.0`,
          `Via: SIP/2.0/TCP ${remoteAddress};branch=z9hG4bK${branch++}`,
          "From: <sip:a@example.com>;tag=1",
          `To: <sip:b@example.com>${toTag === undefined ? "" : `;tag=${toTag}`}`,
          `Call-ID: ${branch}`,
          `CSeq: 1 ${method}`,
          "Content-Length: 0",
          "",
          "",
        ].join("\r\n"),
      );
      const last = flow.sent.at(-1);
      return last === undefined ? undefined : parsed(last).status;
    },
  };
}

test("TS 24.229 §4.4: who is not of the trust domain is refused, whatever it says", () => {
  const { status, refused } = bench();
  assert.equal(status("MESSAGE", "sip:b@example.com", "203.0.113.7"), 403);
  assert.equal(status("MESSAGE", "sip:b@example.com", "192.0.2.1"), 202);
  assert.deepEqual(refused, ["foreignPeer"]);
});

test("RFC 3261 §11: a poll of the node itself is answered 200", () => {
  const { status } = bench();
  assert.equal(status("OPTIONS", "sip:127.0.0.1:5054", "192.0.2.1"), 200);
  assert.equal(status("OPTIONS", "sip:b@example.com", "192.0.2.1"), 202);
});

test("after SIGTERM new requests and polls get 503, those inside a dialog pass, and what passes is counted", () => {
  const { guard, status, refused } = bench();
  assert.equal(status("INVITE", "sip:b@example.com", "192.0.2.1"), 180);
  assert.equal(guard.taken, 1);
  guard.quiesce();
  assert.equal(status("OPTIONS", "sip:127.0.0.1:5054", "192.0.2.1"), 503);
  assert.equal(status("REGISTER", "sip:example.com", "192.0.2.1"), 503);
  assert.equal(status("BYE", "sip:b@example.com", "192.0.2.1", "t"), 202);
  assert.equal(guard.taken, 2);
  assert.deepEqual(refused, ["quiescing", "quiescing"]);
});

test("beyond loopback sprout wants to know its address and its peers", () => {
  const fault = (host: string, advertisedHost: string, corePeers: string[]): string => {
    try {
      addressesOf({ host, advertisedHost, corePeers });
      return "";
    } catch (error) {
      return (error as SproutError).message;
    }
  };
  assert.match(fault("0.0.0.0", "", ["192.0.2.1"]), /--advertised-host/);
  assert.match(fault("192.0.2.9", "", []), /--core-peers/);
  assert.equal(fault("192.0.2.9", "", ["192.0.2.1"]), "");
  assert.equal(fault("127.0.0.1", "", []), "");
  const { mayUse } = addressesOf({ host: "[2001:db8::1]", advertisedHost: "", corePeers: ["[2001:db8::2]"] });
  assert.deepEqual(["2001:db8::1", "2001:db8::2", "::1", "2001:db8::3"].map(mayUse), [
    true,
    true,
    true,
    false,
  ]);
});
