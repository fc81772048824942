import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SecureContext } from "node:tls";
import { type FakeResolver, fakeClock, fakeResolver, memoryLogger } from "@ims/runtime/testing";
import { HssPeers } from "../../src/cx/hss-peers.ts";

function diameterLog(): { said: string[]; addPeer(peer: object): void; removePeer(peer: object): boolean } {
  const said: string[] = [];
  return {
    said,
    addPeer: (peer) => void said.push(`+ ${Object.values(peer).join(" ")}`),
    removePeer: (peer) => said.push(`- ${Object.values(peer).join(" ")}`) > 0,
  };
}

function poolOf(resolver: FakeResolver, members: Record<string, string>): void {
  const srv = Object.keys(members).map((target) => ({ priority: 0, weight: 1, port: 3868, target }));
  resolver.set("_diameter._tcp.homestead.example.com", { srv });
  for (const [name, address] of Object.entries(members)) resolver.set(name, { a: [address] });
}

test("peers given are tried in their order", () => {
  const diameter = diameterLog();
  const options = { hssPeer: ["hss.example.com", "[2001:db8::1]:3870", "192.0.2.1:1"], hssPool: "" };
  new HssPeers(options, {
    diameter,
    resolver: fakeResolver(),
    clock: fakeClock(),
    log: memoryLogger(),
  }).start();
  assert.deepEqual(diameter.said, ["+ hss.example.com 3868 0", "+ 2001:db8::1 3870 1", "+ 192.0.2.1 1 2"]);
});

test("RFC 6733 §5.2: peers follow the pool of the HSS, new ones before those that leave", async (t: TestContext) => {
  const diameter = diameterLog();
  const resolver = fakeResolver();
  const clock = fakeClock();
  const peers = new HssPeers(
    { hssPeer: ["127.0.0.1:3868"], hssPool: "homestead.example.com" },
    { diameter, resolver, clock, log: memoryLogger() },
  );
  t.after(() => peers.stop());
  poolOf(resolver, { "h-1": "127.0.3.1", "h-2": "127.0.3.2" });
  peers.start();
  await clock.advanceAsync(1000);
  assert.deepEqual(diameter.said.splice(0), ["+ 127.0.3.1 3868 0", "+ 127.0.3.2 3868 0"]);
  poolOf(resolver, { "h-2": "127.0.3.2", "h-3": "127.0.3.3" });
  await clock.advanceAsync(60_000);
  assert.deepEqual(diameter.said.splice(0), ["+ 127.0.3.3 3868 0", "- 127.0.3.1 3868"]);
  resolver.set("_diameter._tcp.homestead.example.com", "failed");
  await clock.advanceAsync(120_000);
  assert.deepEqual(diameter.said, []);
  assert.deepEqual(peers.names, ["homestead.example.com"]);
});

test("RFC 6733 §5.2: with TLS peers are found by _diameters._tcp, and each connection has the certificate in force", async (t: TestContext) => {
  const resolver = fakeResolver();
  resolver.set("_diameters._tcp.homestead.example.com", {
    srv: [{ priority: 0, weight: 1, port: 3869, target: "h-1" }],
  });
  resolver.set("h-1", { a: ["127.0.3.1"] });
  const clock = fakeClock();
  const added: { port?: number; tls?: object }[] = [];
  let certificate = "first";
  const tls = {
    clientOptions: () => ({
      get secureContext() {
        return certificate as unknown as SecureContext;
      },
    }),
  };
  const peers = new HssPeers(
    { hssPeer: [], hssPool: "homestead.example.com", host: "127.0.2.1" },
    {
      diameter: { addPeer: (peer) => void added.push(peer), removePeer: () => true },
      ...{ resolver, clock, log: memoryLogger(), tls },
    },
  );
  t.after(() => peers.stop());
  peers.start();
  await clock.advanceAsync(1000);
  certificate = "renewed";
  assert.deepEqual(
    added.map(({ port, tls: given }) => [port, { ...given }]),
    [[3869, { secureContext: "renewed", localAddress: "127.0.2.1" }]],
  );
  const given = { hssPeer: ["hss.example.com"], hssPool: "" };
  const diameter = { addPeer: (peer: { port?: number }) => void added.push(peer), removePeer: () => true };
  new HssPeers(given, { ...{ diameter, resolver, clock, log: memoryLogger(), tls } }).start();
  assert.equal(added[1]?.port, 3869);
});
