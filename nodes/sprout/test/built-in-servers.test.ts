import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createHealth, metricsRegister } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { ProxyCore, parseUri, type Uri } from "@ims/sip";
import { FakeTransportLayer } from "@ims/sip/testing";
import { createBuiltInServers } from "../src/built-in-servers.ts";
import { sproutOptions } from "../src/index.ts";
import { parsed } from "./support/bench.ts";

const ALL = {
  callLists: ["http://127.0.0.1:1"],
  twinning: "true",
  communicationDiversion: "true",
};

function serversOf(t: TestContext, given: Record<string, unknown>) {
  const register = metricsRegister();
  const health = createHealth();
  const refused: string[] = [];
  const servers = createBuiltInServers(
    sproutOptions.parse(given),
    { mayUse: (address) => address === "192.0.2.1", refused: (reason) => void refused.push(reason) },
    {
      clock: fakeClock(),
      log: memoryLogger("silent"),
      register,
      health,
      pacer: { received: () => undefined },
    },
  );
  t.after(() => servers.stop());
  return { servers, register, refused };
}

function uriOf(text: string): Uri {
  return parseUri(text) ?? assert.fail(text);
}

test("what is not configured is not there: no entity to be asked about each request, no metric", async (t) => {
  const { servers, register } = serversOf(t, {});
  assert.deepEqual(servers.guards, []);
  assert.deepEqual(servers.local, []);
  assert.doesNotMatch(await register.scrape(), /call_list|call_fragments|twinning|communication_diversion/);
});

test("what is configured goes by the names of Memento, Gemini and the Call Diversion AS", (t) => {
  const { servers } = serversOf(t, ALL);
  const names = ["sip:memento", "sip:mobile-twinned@gemini", "sip:communication-diversion"];
  assert.deepEqual(
    servers.guards.map(({ guard }, index) => guard.accepts(uriOf(`${names[index]}.example.com;x=y`))),
    [true, true, true],
  );
  for (const { guard } of servers.guards) assert.ok(!guard.accepts(uriOf("sip:mmtel.example.com")));
});

test("S-CSCFs elsewhere reach them over the S-CSCF's port; strangers do not", (t) => {
  const { servers, refused } = serversOf(t, ALL);
  const [callList] = servers.guards;
  assert.ok(callList);
  const transport = new FakeTransportLayer();
  new ProxyCore({
    sides: [
      {
        name: "scscf",
        entity: { functionalEntity: "S-CSCF", accepts: () => false, onRequest: () => assert.fail() },
        strict: false,
      },
      { name: callList.side, entity: callList.guard, strict: false },
    ],
    locator: { locate: () => [], failed: () => undefined },
    clock: fakeClock(),
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
  });
  const status = (remoteAddress: string): number | undefined => {
    const flow = transport.connect({ side: "scscf", localPort: 5054, protocol: "TCP", remoteAddress });
    flow.receive(
      [
        "REGISTER sip:memento.example.com SIP/2.0",
        "Route: <sip:memento.example.com;lr>",
        `Via: SIP/2.0/TCP ${remoteAddress};branch=z9hG4bK${remoteAddress}`,
        ...["From: <sip:s@example.com>;tag=1", "To: <sip:a@example.com>", "Call-ID: 1", "CSeq: 1 REGISTER"],
        ...["Max-Forwards: 70", "Content-Length: 0", "", ""],
      ].join("\r\n"),
    );
    return transport.takeSent().map(({ text }) => parsed(text).status)[0];
  };
  assert.equal(status("192.0.2.1"), 200);
  assert.equal(status("192.0.2.66"), 403);
  assert.deepEqual(refused, ["foreignPeer"]);
});
