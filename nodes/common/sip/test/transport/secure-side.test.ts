import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { after, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { type Clock, CoreTls, type CoreTlsOptions, type Pools, systemClock } from "@ims/runtime";
import { fakeClock, memoryLogger, type TestCertificate, testAuthority } from "@ims/runtime/testing";
import { routedUri } from "../../src/transport/secure-uri.ts";
import { message, rawPeer, type Station, station, until } from "./support.ts";

const SIDE = "core";
const NOWHERE = "127.0.0.1";

interface Node extends Station {
  readonly tls: CoreTls;
  readonly log: ReturnType<typeof memoryLogger>;
  readonly host: string;
  readonly port: number;
}

interface NodeOptions extends Partial<CoreTlsOptions> {
  readonly pools?: Pools;
  /** By which it looks at its files. */
  readonly clock?: Clock;
}

/** A node of the core with a certificate, listening on an address of its own. */
async function node(
  t: TestContext,
  host: string,
  files: TestCertificate,
  given: NodeOptions = {},
): Promise<Node> {
  const log = memoryLogger();
  const { pools, clock = systemClock(), ...options } = given;
  const tls = new CoreTls(
    { coreTls: "require", coreTlsNames: [], coreTlsPlainPeers: [], ...files, ...options },
    { clock, log, pools },
  );
  t.after(() => tls.stop());
  const it = station(t, { secure: { [SIDE]: tls }, log });
  const { port } = await it.layer.listen({ side: SIDE, protocol: "TCP", host, port: 0 });
  return Object.assign(it, { tls, log, host, port });
}

const reasons = ({ log }: Node): unknown[] =>
  log.lines.filter(({ problemId }) => problemId === "TW-1014").map(({ reason }) => reason);

function say(from: Node, to: Node, id: string, serverName?: string): ReturnType<typeof from.layer.flowTo> {
  const flow = from.layer.flowTo(
    { protocol: "TCP", address: to.host, port: to.port, ...(serverName === undefined ? {} : { serverName }) },
    SIDE,
  );
  flow.send(message(id));
  return flow;
}

async function refused(from: Node, to: Node, id: string): Promise<void> {
  let closed = false;
  say(from, to, id).onClose(() => {
    closed = true;
  });
  await until("closed", () => closed);
  assert.equal(to.messages.length, 0);
}

const authority = testAuthority({ after: (cleanup) => after(() => cleanup()) });
const at = (host: string): TestCertificate => authority.issue({ names: `IP:${host}` });

test("TS 33.210 §5, RFC 3261 §26.3: nodes speak TLS 1.2 or later on the ports of TCP, each with a certificate of its address", async (t) => {
  const one = await node(t, "127.0.7.1", at("127.0.7.1"));
  const two = await node(t, "127.0.7.2", at("127.0.7.2"));
  two.answer = (text, flow) => flow.send(text);
  const flow = say(one, two, "1");
  await until("answer", () => one.messages.length === 1);
  assert.equal(flow.protocol, "TLS");
  const accepted = two.messages[0]?.flow;
  assert.deepEqual([accepted?.protocol, accepted?.remoteAddress], ["TLS", "127.0.7.1"]);
  assert.equal(
    say(one, two, "2"),
    one.layer.flowTo({ protocol: "TLS", address: two.host, port: two.port }, SIDE),
  );
  assert.deepEqual(
    one.layer.listeningPoints.map(({ protocol, port }) => [protocol, port]),
    [
      ["TCP", one.port],
      ["TLS", one.port],
    ],
  );
  assert.deepEqual([reasons(one), reasons(two)], [[], []]);
});

test("a certificate of another authority, one that has expired, and one for another address are refused by both ends, which say why", async (t) => {
  const good = await node(t, "127.0.7.1", at("127.0.7.1"));
  const foreign = await node(t, "127.0.7.2", testAuthority(t).issue({ names: "IP:127.0.7.2" }));
  const expired = await node(t, "127.0.7.3", authority.issue({ names: "IP:127.0.7.3", days: -1 }));
  const elsewhere = await node(
    t,
    "127.0.7.4",
    authority.issue({ names: "IP:127.0.7.9,DNS:else.example.com" }),
  );
  for (const bad of [foreign, expired, elsewhere]) await refused(good, bad, "1");
  assert.deepEqual(reasons(good), [
    "its certificate is of an authority that is not in --core-tls-ca",
    "its certificate has expired",
    "its certificate names IP Address:127.0.7.9, DNS:else.example.com, not 127.0.7.4",
  ]);
  good.log.lines.length = 0;
  // The foreign one does not believe us either, and tells us so.
  for (const bad of [expired, elsewhere]) await refused(bad, good, "2");
  await until("told", () => reasons(good).length === 2);
  assert.deepEqual(reasons(good), [
    "its certificate has expired",
    "its certificate names IP Address:127.0.7.9, DNS:else.example.com, not 127.0.7.4",
  ]);
  const [line] = good.log.lines.filter(({ problemId }) => problemId === "TW-1014");
  assert.equal(line?.["peer"], "127.0.7.3");
  assert.ok(!JSON.stringify([good, expired].map(({ log }) => log.lines)).includes("PRIVATE"));
});

test("what is required is required: TCP and UDP in the clear, TLS 1.1 and TLS without a certificate get nothing in", async (t) => {
  const one = await node(t, NOWHERE, at(NOWHERE));
  const udp = await one.layer.listen({ side: SIDE, protocol: "UDP", host: NOWHERE, port: 0 });
  const plain = await rawPeer(t, one.port);
  plain.socket.write(message("in the clear"));
  await until("cut", () => plain.closed);
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.2", resolve));
  socket.send(message("datagram"), udp.port, NOWHERE);
  for (const options of [{ maxVersion: "TLSv1.1", minVersion: "TLSv1" }, {}] as const) {
    const nobody = connectTls({
      ...{ host: NOWHERE, port: one.port, rejectUnauthorized: false, ciphers: "ALL:@SECLEVEL=0" },
      ...options,
    });
    nobody.on("error", () => undefined);
    nobody.on("secureConnect", () => nobody.write(message("nobody")));
    await new Promise((resolve) => nobody.once("close", resolve));
  }
  await until("told", () => reasons(one).length === 4);
  assert.deepEqual(reasons(one).sort(), [
    "it has no certificate",
    "it sends datagrams, which are in the clear",
    "it speaks a TLS before 1.2",
    "it speaks in the clear, or a TLS before 1.2",
  ]);
  assert.equal(one.messages.length, 0);
});

test("to a peer that does not speak TLS nothing is said", async (t) => {
  const one = await node(t, "127.0.7.1", at("127.0.7.1"));
  const old = station(t);
  const { port } = await old.layer.listen({ side: SIDE, protocol: "TCP", host: "127.0.7.5", port: 0 });
  let closed = false;
  const flow = one.layer.flowTo({ protocol: "TCP", address: "127.0.7.5", port }, SIDE);
  flow.send(message("1"));
  flow.onClose(() => {
    closed = true;
  });
  await until("closed", () => closed);
  assert.equal(old.messages.length, 0);
  await until("told", () => reasons(one).length === 1);
  assert.match(String(reasons(one)[0]), /^it (?:ended|does not answer) .*handshake/);
});

test("the steps of a network in service: accept takes both and says nothing new, use speaks TLS, plain peers stay reachable", async (t) => {
  const accepts = await node(t, "127.0.7.1", at("127.0.7.1"), { coreTls: "accept" });
  const uses = await node(t, "127.0.7.2", at("127.0.7.2"), { coreTls: "use" });
  const requires = await node(t, "127.0.7.3", at("127.0.7.3"), {
    coreTlsPlainPeers: ["127.0.7.0/30", "127.0.7.5"],
  });
  assert.equal(say(accepts, uses, "1").protocol, "TCP");
  assert.equal(say(uses, accepts, "2").protocol, "TLS");
  assert.equal(say(requires, accepts, "3").protocol, "TCP");
  assert.equal(say(accepts, requires, "4").protocol, "TCP");
  await until("all", () => [accepts, uses, requires].every(({ messages }) => messages.length >= 1));
  await until("both", () => accepts.messages.length === 2);
  const { port } = await station(t).layer.listen({ side: SIDE, protocol: "TCP", host: "127.0.7.6", port: 0 });
  assert.equal(requires.layer.flowTo({ protocol: "TCP", address: "127.0.7.6", port }, SIDE).protocol, "TLS");
  assert.equal(requires.layer.flowTo({ protocol: "TCP", address: "127.0.7.5", port }, SIDE).protocol, "TCP");

  const uri = "sip:scscf.sprout.example.com;transport=tcp";
  assert.equal(routedUri(uri, undefined), uri);
  assert.equal(routedUri(uri, accepts.tls), uri);
  assert.equal(routedUri(uri, requires.tls), uri, "a peer that cannot speak TLS comes back over TCP");
  assert.equal(routedUri(`${uri};lr`, uses.tls), "sip:scscf.sprout.example.com;transport=tls;lr");
});

test("RFC 5922 §7.1: a server found by a name must have that name, a pool member its own or its pool's", async (t) => {
  const pools = {
    members: [
      {
        name: "sprout-1.sprout.example.com",
        pool: "sprout.example.com",
        addresses: ["127.0.7.2"],
        draining: false,
      },
    ],
    isMember: (address: string) => address === "127.0.7.2",
  } as unknown as Pools;
  const one = await node(t, "127.0.7.1", at("127.0.7.1"), { pools });
  for (const names of ["DNS:sprout-1", "DNS:sprout-1.sprout.example.com", "URI:sip:sprout.example.com"]) {
    const member = await node(t, "127.0.7.2", authority.issue({ names }), { coreTlsNames: [], pools });
    member.messages.length = 0;
    const flow = say(one, member, names, "scscf.sprout.example.com");
    // It believes our address; we believe its name.
    await until(names, () => member.messages.length === 1);
    flow.close();
    await member.layer.stop();
  }
  const server = await node(t, "127.0.7.4", authority.issue({ names: "DNS:as.example.com,IP:127.0.7.4" }));
  say(one, server, "as", "as.example.com");
  await until("named", () => server.messages.length === 1);
  const wrong = one.layer.flowTo(
    { protocol: "TLS", address: server.host, port: server.port, serverName: "other.example.com" },
    SIDE,
  );
  let closed = false;
  wrong.onClose(() => {
    closed = true;
  });
  await until("not that name", () => closed);
  assert.match(
    String(reasons(one).at(-1)),
    /names DNS:as\.example\.com, IP Address:127\.0\.7\.4, not other\.example\.com/,
  );

  // An application server without an address in its certificate is believed by a name that was admitted.
  const named = await node(t, "127.0.7.5", authority.issue({ names: "DNS:as.example.com" }));
  say(named, server, "no name");
  await until("refused", () => reasons(server).length === 1);
  assert.equal(reasons(server)[0], "its certificate names DNS:as.example.com, not 127.0.7.5");
  const admitting = await node(t, "127.0.7.6", at("127.0.7.6"), { coreTlsNames: ["as.example.com"] });
  say(named, admitting, "admitted");
  await until("admitted", () => admitting.messages.length === 1);
});

test("certificates that are renewed under use: new connections have the new one, messages on the old ones are not lost", async (t) => {
  const files = at("127.0.7.2");
  const one = await node(t, "127.0.7.1", at("127.0.7.1"));
  const clock = fakeClock(Date.now());
  const two = await node(t, "127.0.7.2", files, { clock });
  const serial = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const { cert, key, ca } = one.tls.credentials;
      const socket = connectTls({
        ...{ host: two.host, port: two.port, cert, key, ca, localAddress: "127.0.7.1" },
        checkServerIdentity: () => undefined,
      });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
    });
  const before = await serial();
  const flow = say(one, two, "1");
  await until("first", () => two.messages.length === 1);
  const renewed = authority.renew(files, { names: "IP:127.0.7.2" });
  const end = performance.now() + 10_000;
  let sent = 1;
  while (two.tls.credentials.cert !== renewed.cert) {
    assert.ok(performance.now() < end, "taken up");
    flow.send(message(String(++sent)));
    clock.advance(2_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.notEqual(await serial(), before);
  flow.send(message("last"));
  await until("all", () => two.messages.length === sent + 1);
  assert.equal(flow.open, true);
  assert.deepEqual([reasons(one), reasons(two)], [[], []]);
});

test("a peer that sends one octet and waits, or dies in the handshake, holds nobody up", async (t) => {
  const one = await node(t, NOWHERE, at(NOWHERE), { coreTls: "use" });
  const slow = connect(one.port, NOWHERE);
  t.after(() => slow.destroy());
  slow.write(Uint8Array.of(0x16));
  const dying = connect(one.port, NOWHERE, () => dying.resetAndDestroy());
  const plain = await rawPeer(t, one.port);
  for (const part of message("in pieces").split(/(?<=\r\n)/)) {
    plain.socket.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("message", () => one.messages.length === 1);
  assert.equal(one.messages[0]?.flow.protocol, "TCP");
});
