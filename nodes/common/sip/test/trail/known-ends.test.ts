import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownEnds } from "../../src/trail/known-ends.ts";
import { FakeTransportLayer } from "../../testing/index.ts";

test("a UDP flow keeps no ends of its own: the messages of a moment share them, and all flows the text of the listener", () => {
  const transport = new FakeTransportLayer();
  const known = new KnownEnds();
  const flows = Array.from({ length: 10_000 }, (_, index) =>
    transport.connect({ side: "access", protocol: "UDP", remotePort: 1024 + index }),
  );
  for (const flow of flows) {
    const ends = known.of(flow);
    const { side, localAddress, localPort, remoteAddress, remotePort } = flow;
    assert.deepEqual(ends, {
      protocol: "UDP",
      side,
      local: `${localAddress}:${localPort}`,
      remote: `${remoteAddress}:${remotePort}`,
    });
    assert.equal(known.of(flow), ends);
    assert.equal(flow.trailEnds, undefined);
  }
  // Others have taken its place meanwhile.
  const [first = assert.fail()] = flows;
  assert.equal(known.of(first).remote, `${first.remoteAddress}:1024`);
});

test("listeners are told apart, and IPv6 addresses stand in brackets", () => {
  const transport = new FakeTransportLayer();
  const known = new KnownEnds();
  const ends = ["192.0.2.1", "2001:db8::1", "192.0.2.1"].map((localAddress) =>
    known.of(transport.connect({ protocol: "UDP", localAddress, localPort: 5060 })),
  );
  assert.deepEqual(
    ends.map(({ local }) => local),
    ["192.0.2.1:5060", "[2001:db8::1]:5060", "192.0.2.1:5060"],
  );
});

test("a connection keeps its ends as soon as its own port is known", () => {
  const transport = new FakeTransportLayer();
  const known = new KnownEnds();
  const opening = transport.connect({ protocol: "TCP", localPort: 0 });
  assert.equal(known.of(opening).local.split(":")[1], "0");
  opening.localPort = 4000;
  assert.equal(known.of(opening).local.split(":")[1], "4000");
  assert.equal(known.of(opening), opening.trailEnds);
});
