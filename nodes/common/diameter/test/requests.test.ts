import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import { encodeMessage } from "../src/codec/encode.ts";
import { Lir, Mar, Rtr } from "../src/cx/application.ts";
import type { DiameterNode } from "../src/diameter-node.ts";
import { mar } from "../testing/cx-messages.ts";
import {
  connectedClient,
  neighbour,
  type RawPeer,
  rawServer,
  type Seen,
  until,
} from "../testing/raw-peer.ts";
import { startNode } from "../testing/start-node.ts";

const REALM = { destinationRealm: "example.com" } as const;
const { sessionId: _s, originHost: _h, originRealm: _r, destinationRealm: _d, ...marAvps } = mar();

/** An answer as an HSS gives it. */
function maa(peer: RawPeer, message: Seen, originHost: string, overrides: object = {}, flags = 0x40): void {
  const head = {
    sessionId: message.avps["sessionId"],
    vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16_777_216 },
    authSessionState: 1,
    originHost,
    originRealm: "example.com",
  };
  peer.answer(message, Mar.answer, { ...head, resultCode: 2001, ...overrides }, flags);
}

async function connectTo(node: DiameterNode, ...ports: number[]): Promise<void> {
  for (const port of ports) node.addPeer({ host: "127.0.0.1", port });
  node.start();
  await until(() => node.connectedPeers.length === ports.length, "connections");
}

test("RFC 6733 §6.1, TS 29.229 §6.1.7: a request carries session, application, origin and destination", async (t) => {
  const server = await rawServer(
    t,
    neighbour("hss.example.com", (peer, message) => maa(peer, message, "hss.example.com")),
  );
  const node = startNode(t, "sprout.example.com", { clock: fakeClock() });
  await connectTo(node, server.port);
  await node.request(Mar, marAvps, { ...REALM, destinationHost: "hss.example.com" });
  const { header, avps } = server.peers[0]?.seen[1] ?? assert.fail();
  assert.equal(header.flags, 0xc0);
  assert.deepEqual(avps, {
    ...mar(),
    sessionId: "sprout.example.com;1767225600;0",
    destinationHost: "hss.example.com",
  });
});

test("1,000 requests in flight in both directions over one connection: all are answered, to whom they belong", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const sprout = startNode(t, "sprout.example.com");
  hss.handle(Mar, ({ avps }) => ({ resultCode: 2001, userName: avps.userName }));
  // Out of order on purpose.
  let late: (() => void)[] = [];
  sprout.handle(Rtr, async ({ avps }) => {
    if (late.length % 2 === 0) await new Promise<void>((resolve) => late.push(resolve));
    const waiting = late;
    late = [];
    for (const resume of waiting) setImmediate(resume);
    return { resultCode: 2001, errorMessage: avps.userName };
  });
  await connectTo(sprout, await hss.listen({ host: "127.0.0.1", port: 0 }));
  await until(() => hss.isConnected("sprout.example.com"), "connection");
  const pump = setInterval(() => {
    for (const resume of late.splice(0)) resume();
  }, 5);
  t.after(() => clearInterval(pump));
  // So many at once take longer than one may on a busy machine.
  const patient = { ...REALM, timeoutMs: 30_000 };
  const up = Array.from({ length: 1_000 }, async (_, i) => {
    const outcome = await sprout.request(Mar, { ...marAvps, userName: `up-${i}` }, patient);
    assert.equal(outcome.kind === "answer" && outcome.avps.userName, `up-${i}`);
  });
  const down = Array.from({ length: 1_000 }, async (_, i) => {
    const avps = { userName: `down-${i}`, deregistrationReason: { reasonCode: 0 as const } };
    const outcome = await hss.request(Rtr, avps, { ...patient, destinationHost: "sprout.example.com" });
    assert.equal(outcome.kind === "answer" && outcome.avps.errorMessage, `down-${i}`);
  });
  await Promise.all([...up, ...down]);
});

test("hop-by-hop identifiers wrap at 2^32", async (t) => {
  const server = await rawServer(
    t,
    neighbour("hss.example.com", (peer, message) => maa(peer, message, "hss.example.com")),
  );
  // CER takes 0xfffffffe.
  const node = startNode(t, "sprout.example.com", { random: () => (2 ** 32 - 2) / 2 ** 32 });
  await connectTo(node, server.port);
  for (let i = 0; i < 3; i++) assert.equal((await node.request(Mar, marAvps, REALM)).kind, "answer");
  assert.deepEqual(
    server.peers[0]?.seen.map(({ header }) => header.hopByHop),
    [0xfffffffe, 0xffffffff, 0, 1],
  );
});

test("a request one byte at a time, and three in one segment, are answered", async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, ({ avps }) => ({ resultCode: 2001, userName: avps.userName }));
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  client.socket.setNoDelay(true);
  for (const byte of encodeMessage(Mar.request, { hopByHop: 5, endToEnd: 6 }, mar())) {
    client.socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.expect("MAA")).header.hopByHop, 5);
  const one = encodeMessage(Mar.request, { hopByHop: 7, endToEnd: 6 }, mar());
  client.socket.write(Buffer.concat([one, one, one]));
  await client.expect("MAA", 4);
});

test("a peer that does not read is not read from, and costs neither memory nor the other peers", async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, () => ({ resultCode: 2001, errorMessage: "x".repeat(4_000) }));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const slow = await connectedClient(t, port, "slow.example.com");
  slow.socket.pause();
  const request = encodeMessage(Mar.request, { hopByHop: 5, endToEnd: 6 }, mar());
  const block = Buffer.concat(Array.from({ length: 100 }, () => request));
  const before = process.memoryUsage().arrayBuffers;
  let blocked = false;
  for (let i = 0; i < 400 && !blocked; i++) {
    slow.socket.write(block);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    blocked = slow.socket.writableLength > 1_000_000;
  }
  assert.ok(blocked, "the node goes on reading");
  assert.ok(process.memoryUsage().arrayBuffers - before < 40_000_000);
  const other = await connectedClient(t, port, "other.example.com");
  other.send(Mar.request, mar());
  await other.expect("MAA");
  slow.socket.resume();
  await until(() => slow.socket.writableLength === 0, "drain");
});

test("RFC 6733 §5.5.4: the peer goes away, the request is sent to the next one with the T bit and the same end-to-end id", async (t) => {
  const first = await rawServer(
    t,
    neighbour("hss-1.example.com", (peer) => peer.socket.destroy()),
  );
  const second = await rawServer(
    t,
    neighbour("hss-2.example.com", (peer, message) => maa(peer, message, "hss-2.example.com")),
  );
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port: first.port });
  node.addPeer({ host: "127.0.0.1", port: second.port, priority: 1 });
  node.start();
  await until(() => node.connectedPeers.length === 2, "connections");
  const outcome = await node.request(Mar, marAvps, REALM);
  assert.equal(outcome.kind === "answer" && outcome.peer, "hss-2.example.com");
  const [sent] = first.peers[0]?.seen.slice(1) ?? [];
  const [again] = second.peers[0]?.seen.slice(1) ?? [];
  assert.equal(sent?.header.flags, 0xc0);
  assert.equal(again?.header.flags, 0xd0);
  assert.equal(again?.header.endToEnd, sent?.header.endToEnd);
  assert.deepEqual(again?.avps, sent?.avps);
});

test("RFC 6733 §5.5.4: a try that times out goes to the next peer, all tries end in less than 2 s", async (t) => {
  const clock = fakeClock();
  const silent = await rawServer(t, neighbour("hss-1.example.com"));
  const answering = await rawServer(
    t,
    neighbour("hss-2.example.com", (peer, message) => maa(peer, message, "hss-2.example.com")),
  );
  const node = startNode(t, "sprout.example.com", { clock });
  node.addPeer({ host: "127.0.0.1", port: silent.port });
  node.addPeer({ host: "127.0.0.1", port: answering.port, priority: 1 });
  node.start();
  await until(() => node.connectedPeers.length === 2, "connections");
  const outcome = node.request(Mar, marAvps, REALM);
  await silent.peers[0]?.expect("MAR");
  clock.advance(1_000);
  assert.equal((await outcome).kind, "answer");
  await answering.close();
  await until(() => node.connectedPeers.length === 1, "close");
  const alone = node.request(Mar, marAvps, REALM);
  clock.advance(1_000);
  assert.deepEqual(await alone, { kind: "timeout" });
});

test("RFC 3539: a peer that lets a request time out is asked at once, suspected, left and reconnected", async (t) => {
  const clock = fakeClock();
  const server = await rawServer(t, (peer) => {
    const good = neighbour("hss.example.com");
    good(peer);
    const { onMessage } = peer;
    peer.onMessage = (message) => {
      if (message.name === "CER") onMessage(message);
    };
  });
  const node = startNode(t, "sprout.example.com", { clock, random: () => 0.5 });
  await connectTo(node, server.port);
  const outcome = node.request(Mar, marAvps, REALM);
  clock.advance(1_000);
  assert.deepEqual(await outcome, { kind: "timeout" });
  await server.peers[0]?.expect("DWR");
  assert.equal(node.isConnected(), true);
  clock.advance(500);
  assert.equal(node.isConnected(), false);
  assert.deepEqual(await node.request(Mar, marAvps, REALM), { kind: "unavailable", cause: "noPeer" });
  clock.advance(500);
  await until(() => server.peers[0]?.closed === true, "close");
  clock.advance(100);
  await until(() => server.peers.length === 2, "reconnection");
  await server.peers[1]?.expect("DWR");
  // Down through silence: three DWAs before it is used again.
  assert.equal(node.isConnected(), false);
});

test("RFC 6733 §7.1.3: 3002 from one peer makes the request try the next, without the T bit; alone it is the answer", async (t) => {
  const refusing = await rawServer(
    t,
    neighbour("dra-1.example.com", (peer, message) =>
      maa(peer, message, "dra-1.example.com", { resultCode: 3002 }, 0x60),
    ),
  );
  const answering = await rawServer(
    t,
    neighbour("hss-2.example.com", (peer, message) => maa(peer, message, "hss-2.example.com")),
  );
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port: refusing.port });
  node.addPeer({ host: "127.0.0.1", port: answering.port, priority: 1 });
  node.start();
  await until(() => node.connectedPeers.length === 2, "connections");
  const outcome = await node.request(Mar, marAvps, REALM);
  assert.equal(outcome.kind === "answer" && outcome.result.code, 2001);
  assert.equal(answering.peers[0]?.seen[1]?.header.flags, 0xc0);
  await answering.close();
  await until(() => node.connectedPeers.length === 1, "close");
  const alone = await node.request(Mar, marAvps, REALM);
  assert.equal(alone.kind === "answer" && alone.result.code, 3002);
});

test("TS 29.228 §6.1.1.1: an HSS front end without its database says 5012, and another one is asked; alone it is the answer", async (t) => {
  const [first, second] = await Promise.all(
    ["hss-1.example.com", "hss-2.example.com"].map((name, index) =>
      rawServer(
        t,
        neighbour(name, (peer, message) =>
          maa(peer, message, name, { resultCode: index === 0 ? 5012 : 2001 }),
        ),
      ),
    ),
  );
  const node = startNode(t, "sprout.example.com");
  node.addPeer({ host: "127.0.0.1", port: first?.port ?? 0 });
  node.addPeer({ host: "127.0.0.1", port: second?.port ?? 0, priority: 1 });
  node.start();
  await until(() => node.connectedPeers.length === 2, "connections");
  const outcome = await node.request(Mar, marAvps, REALM);
  assert.equal(outcome.kind === "answer" && outcome.result.code, 2001);
  await second?.close();
  await until(() => node.connectedPeers.length === 1, "close");
  const alone = await node.request(Mar, marAvps, REALM);
  assert.equal(alone.kind === "answer" && alone.result.code, 5012);
});

test("requests go to the peers of a realm in turn, to the destination host when it is one", async (t) => {
  const counts = [0, 0];
  const servers = await Promise.all(
    counts.map((_, i) =>
      rawServer(
        t,
        neighbour(`hss-${i}.example.com`, (peer, message) => {
          counts[i] = (counts[i] ?? 0) + 1;
          maa(peer, message, `hss-${i}.example.com`);
        }),
      ),
    ),
  );
  const node = startNode(t, "sprout.example.com");
  await connectTo(node, ...servers.map(({ port }) => port));
  await Promise.all(Array.from({ length: 20 }, () => node.request(Mar, marAvps, REALM)));
  assert.deepEqual(counts, [10, 10]);
  for (let i = 0; i < 6; i++)
    await node.request(Mar, marAvps, { ...REALM, destinationHost: "hss-1.example.com" });
  assert.deepEqual(counts, [10, 16]);
  assert.deepEqual(await node.request(Mar, marAvps, { destinationRealm: "elsewhere.example" }), {
    kind: "unavailable",
    cause: "noPeer",
  });
});

test("an answer that cannot be understood is an outcome, and one that nobody waits for is dropped", async (t) => {
  const server = await rawServer(
    t,
    neighbour("hss.example.com", (peer, message) => {
      peer.answer({ ...message, header: { ...message.header, hopByHop: 4711 } }, Mar.answer, {});
      const bytes = encodeMessage(Mar.answer, { ...message.header, flags: 0x40 }, {} as never);
      const bad = Buffer.concat([bytes, Buffer.from("0001ffff40000008", "hex")]);
      bad.writeUIntBE(bad.length, 1, 3);
      peer.socket.write(bad);
    }),
  );
  const register = metricsRegister();
  const node = startNode(t, "sprout.example.com", { register });
  await connectTo(node, server.port);
  assert.deepEqual(await node.request(Mar, marAvps, REALM), {
    kind: "unavailable",
    cause: "malformedAnswer",
  });
  const text = await register.scrape();
  assert.match(text, /ims_diameter_messages_dropped_total\{reason="unmatchedAnswer"\} 1/);
  assert.match(text, /ims_diameter_requests_sent_total\{outcome="unavailable",command="MAR"\} 1/);
  assert.match(text, /ims_diameter_open_peers 1/);
});

test("an oversized request, too many requests and a stopped node are outcomes, not exceptions", async (t) => {
  const server = await rawServer(t, neighbour("hss.example.com"));
  const node = startNode(t, "sprout.example.com", { maxPending: 1, timing: { disconnectTimeoutMs: 50 } });
  await connectTo(node, server.port);
  const avps = { ...marAvps, publicIdentity: "x".repeat(70_000) };
  assert.deepEqual(await node.request(Mar, avps, REALM), { kind: "unavailable", cause: "tooLong" });
  const waiting = node.request(Mar, marAvps, REALM);
  assert.deepEqual(await node.request(Mar, marAvps, REALM), {
    kind: "unavailable",
    cause: "tooManyRequests",
  });
  const stopped = node.stop();
  assert.equal((await waiting).kind, "unavailable");
  await stopped;
  assert.deepEqual(await node.request(Mar, marAvps, REALM), { kind: "unavailable", cause: "stopped" });
});

test("RFC 6733 §7: requests that cannot be handled get the error answer of their clause", async (t) => {
  const hss = startNode(t, "hss.example.com", { maxInWork: 1 });
  hss.handle(Mar, async ({ avps }) => {
    if (avps.userName === "throw") throw new Error("boom");
    if (avps.userName === "nonsense") return { resultCode: 2001, userName: 7 as unknown as string };
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { resultCode: 2001 };
  });
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  let asked = 0;
  async function ask(bytes: Buffer): Promise<Seen> {
    const count = client.seen.length;
    client.socket.write(bytes);
    asked++;
    await until(() => client.seen.length > count, `answer ${asked}`);
    return client.seen[count] as Seen;
  }
  const ids = { hopByHop: 9, endToEnd: 10 };
  const cases: readonly (readonly [string, Buffer, number, number])[] = [
    ["another realm", encodeMessage(Mar.request, ids, mar({ destinationRealm: "x" })), 3003, 0x60],
    ["another host", encodeMessage(Mar.request, ids, mar({ destinationHost: "x" })), 3002, 0x60],
    ["a loop", encodeMessage(Mar.request, ids, mar({ routeRecord: ["a", "HSS.example.com"] })), 3005, 0x60],
    ["no handler", encodeMessage(Lir.request, ids, { ...mar() }), 3001, 0x60],
    ["handler throws", encodeMessage(Mar.request, ids, mar({ userName: "throw" })), 5012, 0x40],
    ["handler answers nonsense", encodeMessage(Mar.request, ids, mar({ userName: "nonsense" })), 5012, 0x40],
  ];
  for (const [what, bytes, resultCode, flags] of cases) {
    const { header, avps } = await ask(bytes);
    assert.deepEqual([what, avps["resultCode"], header.flags, header.hopByHop], [what, resultCode, flags, 9]);
    assert.equal(avps["sessionId"], mar().sessionId);
    assert.equal(avps["originHost"], "hss.example.com");
  }
  const unknownApplication = encodeMessage(Mar.request, ids, mar());
  unknownApplication.writeUInt32BE(4, 8);
  assert.equal((await ask(unknownApplication)).header.flags, 0x60);
  const eBit = encodeMessage(Mar.request, { ...ids, flags: 0x60 }, mar());
  assert.equal((await ask(eBit)).avps["resultCode"], 3008);
  const missing = encodeMessage(Mar.request, ids, mar({ userName: undefined as unknown as string }));
  const { avps } = await ask(missing);
  assert.equal(avps["resultCode"], 5005);
  assert.equal(Buffer.from(avps["failedAvp"] as Uint8Array).toString("hex"), "0000000140000008");
  const one = encodeMessage(Mar.request, ids, mar());
  client.seen.length = 0;
  client.socket.write(Buffer.concat([one, one]));
  await until(() => client.seen.length === 2, "both answers");
  assert.deepEqual(client.seen.map((seen) => seen.avps["resultCode"]).sort(), [2001, 3004]);
});

test("what must be repeated does not fit: the error answer says who and why, and the node lives on", async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, () => ({ resultCode: 2001, errorMessage: "x".repeat(1_000) }));
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  const proxyInfo = (length: number) => [{ proxyHost: "p", proxyState: new Uint8Array(length) }];
  client.send(Mar.request, { ...mar(), proxyInfo: proxyInfo(65_000) }, { hopByHop: 5 });
  const repeated = await client.expect("MAA");
  assert.deepEqual([repeated.avps["resultCode"], repeated.header.hopByHop], [5012, 5]);
  assert.ok("proxyInfo" in repeated.avps);
  client.send(Mar.request, { sessionId: "s", proxyInfo: proxyInfo(65_400) });
  const { avps } = await client.expect("MAA", 2);
  assert.deepEqual(Object.keys(avps).sort(), ["originHost", "originRealm", "resultCode"]);
  assert.equal(avps["resultCode"], 5005);
});

test("a handler that forgets its answer costs its peer a 5012", async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, () => undefined as never);
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  client.send(Mar.request, mar());
  assert.equal((await client.expect("MAA")).avps["resultCode"], 5012);
});

test("a configured host address that is none is refused when the node is made", (t) => {
  for (const address of ["", "example.com", "1.2.3", "1.2.3.256", "::g", "[::1]", "1:2"]) {
    assert.throws(
      () => startNode(t, "hss.example.com", { hostAddresses: [address] }),
      /DIAMETER_VALUE/,
      address,
    );
  }
});

test("RFC 6733 §6.2: an answer repeats Session-Id, identifiers, the P bit and Proxy-Info", async (t) => {
  const hss = startNode(t, "hss.example.com");
  hss.handle(Mar, () => ({ resultCode: 2001 }));
  const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
  const proxyInfo = [
    { proxyHost: "p1", proxyState: Uint8Array.of(1, 2) },
    { proxyHost: "p2", proxyState: Uint8Array.of() },
  ];
  client.send(Mar.request, { ...mar(), proxyInfo }, { hopByHop: 0xffffffff, endToEnd: 3, flags: 0 });
  const { header, avps } = await client.expect("MAA");
  assert.deepEqual([header.flags, header.hopByHop, header.endToEnd], [0, 0xffffffff, 3]);
  assert.deepEqual(avps, {
    sessionId: mar().sessionId,
    vendorSpecificApplicationId: { vendorId: 10415, authApplicationId: 16_777_216 },
    authSessionState: 1,
    originHost: "hss.example.com",
    originRealm: "example.com",
    resultCode: 2001,
    proxyInfo,
  });
});

for (const [what, patch, resultCode] of [
  ["version 2", (bytes: Buffer) => bytes.writeUInt8(2, 0), 5011],
  ["a length below the header's", (bytes: Buffer) => bytes.writeUIntBE(16, 1, 3), 5015],
  ["a length above the limit", (bytes: Buffer) => bytes.writeUIntBE(0xfffffc, 1, 3), 5015],
  ["a length that is not a multiple of four", (bytes: Buffer) => bytes.writeUIntBE(345, 1, 3), 5015],
] as const) {
  test(`RFC 6733 §7.1.5: ${what} is answered ${resultCode}, then the connection is closed`, async (t) => {
    const hss = startNode(t, "hss.example.com");
    const client = await connectedClient(t, await hss.listen({ host: "127.0.0.1", port: 0 }));
    const bytes = encodeMessage(Mar.request, { hopByHop: 5, endToEnd: 6 }, mar());
    patch(bytes);
    client.socket.write(bytes);
    const answer = await client.expect("MAA");
    assert.equal(answer.avps["resultCode"], resultCode);
    assert.equal(answer.header.hopByHop, 5);
    await until(() => client.closed, "close");
    assert.equal(hss.isConnected(), false);
  });
}

test("TS 29.229 §6.2: answers are counted by their Result-Code or Experimental-Result-Code, with the time they took", async (t) => {
  const clock = fakeClock();
  const [ofHss, ofSprout] = [metricsRegister(), metricsRegister()];
  const hss = startNode(t, "hss.example.com", { register: ofHss, clock });
  const sprout = startNode(t, "sprout.example.com", { register: ofSprout, clock });
  const experimental = (experimentalResultCode: number, vendorId = 10_415): object => ({
    experimentalResult: { vendorId, experimentalResultCode },
  });
  const answers: object[] = [
    { resultCode: 2001 },
    experimental(2001),
    experimental(5001),
    experimental(5001, 4711),
    { resultCode: 5999 },
  ];
  hss.handle(Mar, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(3);
    return (answers.shift() ?? assert.fail()) as { resultCode: number };
  });
  await connectTo(sprout, await hss.listen({ host: "127.0.0.1", port: 0 }));
  while (answers.length > 0) assert.equal((await sprout.request(Mar, marAvps, REALM)).kind, "answer");
  const named = [
    ["DIAMETER_SUCCESS", 1],
    ["DIAMETER_FIRST_REGISTRATION", 1],
    ["DIAMETER_ERROR_USER_UNKNOWN", 1],
    ["other", 2],
  ] as const;
  for (const [register, direction] of [
    [ofSprout, "received"],
    [ofHss, "sent"],
  ] as const) {
    const text = await register.scrape();
    const counted = text
      .split("\n")
      .filter((line) => line.startsWith(`ims_diameter_results_${direction}_total{`))
      .sort();
    assert.deepEqual(
      counted,
      named
        .map(
          ([result, n]) => `ims_diameter_results_${direction}_total{result="${result}",command="MAR"} ${n}`,
        )
        .sort(),
    );
    const seconds = direction === "received" ? "request" : "service";
    assert.match(text, new RegExp(`ims_diameter_${seconds}_seconds_sum\\{command="MAR"\\} 0\\.015`));
    assert.match(text, new RegExp(`ims_diameter_${seconds}_seconds_count\\{command="MAR"\\} 5`));
  }
});
