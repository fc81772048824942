import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  OverloadControl,
  type OverloadSide,
  ProxyCore,
  parseMessage,
  type RequestContext,
  type SipMessage,
  type Target,
} from "../../src/index.ts";
import { type FakeFlow, FakeTransportLayer } from "../../testing/index.ts";

interface Bench {
  readonly core: ProxyCore;
  readonly overload: OverloadControl;
  readonly transport: FakeTransportLayer;
  readonly clock: FakeClock;
  readonly ue: FakeFlow;
  readonly failed: Target[];
  readonly seen: string[];
}

const target = (port: number): Target => ({ protocol: "TCP", address: "127.0.0.9", port });

function bench(
  procedure: (context: RequestContext) => void,
  sides: Record<"access" | "core", OverloadSide> = {
    access: { trusted: false },
    core: { trusted: true, inner: true, offers: true },
  },
): Bench {
  const clock = fakeClock();
  const transport = new FakeTransportLayer();
  const overload = new OverloadControl({ sides, clock, targetMs: 30, floor: 50, random: () => 0.5 });
  const failed: Target[] = [];
  const seen: string[] = [];
  const entity = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: (context: RequestContext) => {
      seen.push(context.request.method);
      procedure(context);
    },
  } as const;
  const core = new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false, answers: (address) => address === "127.0.0.9" },
    ],
    clock,
    locator: {
      locate: () => [target(7001), target(7002)],
      failed: (one) => failed.push(one),
    },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    overload,
    onDefect: (error) => assert.fail(String(error)),
  });
  const ue = transport.connect({ side: "access", remotePort: 6000 });
  return { core, overload, transport, clock, ue, failed, seen };
}

/** As after half a second of too many requests; nothing new is taken at this very moment. */
function overloaded({ overload, clock }: Bench): void {
  for (let tick = 0; tick < 9; tick++) {
    clock.advance(50);
    for (let request = 0; request < 50; request++) overload.taken(parsed(request1("OPTIONS", `s${request}`)));
    overload.measured(300, 50);
  }
  assert.equal(overload.active, true);
}

function request1(
  method: string,
  branch: string,
  more: { uri?: string; lines?: string[]; via?: string } = {},
): string {
  return [
    `${method} ${more.uri ?? "sip:bob@example.com"} SIP/2.0`,
    `Via: SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bK${branch}${more.via ?? ";rport"}`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a1",
    "To: <sip:bob@example.com>",
    `Call-ID: call@${branch}`,
    `CSeq: 1 ${method}`,
    ...(more.lines ?? []),
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
}

function parsed(text: string | undefined): SipMessage {
  const result = parseMessage(text ?? "");
  assert.equal(result.kind, "message", text);
  return result.kind === "message" ? result.message : assert.fail();
}

/** Takes requests until one is refused: what was saved up is used. */
function exhaust(b: Bench): void {
  for (let count = 0; b.ue.sent.length === 0 && count < 1_000; count++)
    b.ue.receive(request1("MESSAGE", `x${count}`));
  b.ue.sent.length = 0;
  b.seen.length = 0;
}

const wait = (): void => undefined;

test("overload is a problem for an operator while work is limited, and for half a minute after", () => {
  const b = bench(wait);
  assert.equal(b.overload.problem, undefined);
  overloaded(b);
  exhaust(b);
  assert.match(b.overload.problem ?? "", /^limited by queue, 1 requests refused$/);
  for (let tick = 0; tick < 100; tick++) {
    b.clock.advance(50);
    b.overload.measured(0, 50);
  }
  assert.match(b.overload.problem ?? "", /^limited by queue/);
  b.clock.advance(30_000);
  assert.equal(b.overload.problem, undefined);
});

test("RFC 3261 §21.5.4: in overload new work gets a stateless 503 with the source in the Via and a Retry-After", () => {
  const b = bench(wait);
  overloaded(b);
  exhaust(b);
  const before = b.core.transactions.serverTransactions;
  b.ue.receive(request1("INVITE", "call", { lines: ["v: SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKlow"] }));
  assert.deepEqual(b.seen, []);
  const refusal = parsed(b.ue.sent[0]);
  assert.equal(refusal.status, 503);
  assert.equal(refusal.values("Via").length, 2);
  assert.match(refusal.values("Via")[0] ?? "", /;branch=z9hG4bKcall;received=127\.0\.0\.1;rport=6000$/);
  assert.deepEqual(
    [refusal.callId, refusal.header("CSeq"), refusal.fromTag, refusal.header("Content-Length")],
    ["call@call", "1 INVITE", "a1", "0"],
  );
  const retryAfter = Number(refusal.header("Retry-After"));
  assert(retryAfter >= 5 && retryAfter <= 120, `${retryAfter}`);
  assert.equal(b.core.transactions.serverTransactions, before, "nothing is kept");

  // §8.2.7: a retransmission is refused the same way, and nobody waits for the ACK.
  b.ue.receive(request1("INVITE", "call"));
  assert.equal(parsed(b.ue.sent[1]).toTag, refusal.toTag);
  const ack = request1("ACK", "call").replace("To: <sip:bob@example.com>", `To: ${refusal.header("To")}`);
  b.ue.receive(ack);
  assert.equal(b.ue.sent.length, 2);
});

test("where it is known how long a message has waited, that decides: what has waited longer than the target is refused, what has just come is taken", () => {
  const b = bench(wait);
  overloaded(b);
  b.ue.waitedMs = 31;
  exhaust(b);
  for (let count = 0; count < 20; count++) b.ue.receive(request1("INVITE", `old${count}`));
  assert.deepEqual(b.seen, []);
  assert.deepEqual(new Set(b.ue.sent.map((text) => parsed(text).status)), new Set([503]));
  b.ue.receive(
    request1("BYE", "bye").replace("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b"),
  );
  b.ue.waitedMs = 0;
  for (let count = 0; count < 20; count++) b.ue.receive(request1("INVITE", `new${count}`));
  assert.deepEqual(b.seen, ["BYE", ...Array(20).fill("INVITE")]);
  assert.equal(b.ue.sent.length, 20);
});

test("what a UE claims of its source in the Via is not echoed", () => {
  const b = bench(wait);
  overloaded(b);
  exhaust(b);
  b.ue.receive(request1("INVITE", "c1", { via: ";received=6.6.6.6;rport=1" }));
  assert.match(parsed(b.ue.sent[0]).top("Via") ?? "", /z9hG4bKc1;received=127\.0\.0\.1;rport=6000$/);
  b.ue.receive(request1("INVITE", "c2", { via: ";received=6.6.6.6" }));
  assert.match(parsed(b.ue.sent[1]).top("Via") ?? "", /z9hG4bKc2;received=127\.0\.0\.1$/);
});

test("in overload nothing is shed of dialogs, of emergency calls, and of what is in progress", () => {
  const b = bench(wait);
  b.ue.receive(request1("INVITE", "admitted"));
  overloaded(b);
  exhaust(b);
  // A retransmission of what was admitted: 503 would end a call that is being set up.
  b.ue.receive(request1("INVITE", "admitted"));
  b.ue.receive(
    request1("BYE", "bye").replace("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b"),
  );
  b.ue.receive(
    request1("INVITE", "re").replace("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b"),
  );
  b.ue.receive(request1("CANCEL", "admitted"));
  b.ue.receive(request1("INVITE", "sos", { uri: "urn:service:sos" }));
  assert.deepEqual(b.seen, ["BYE", "INVITE", "INVITE"]);
  assert.deepEqual(
    b.ue.sent.map((text) => parsed(text).status).filter((status) => status > 100),
    [200, 487],
    "the CANCEL was answered, and nothing refused",
  );
});

test("when the delay is gone everything is taken again", () => {
  const b = bench(wait);
  overloaded(b);
  exhaust(b);
  for (let tick = 0; tick < 15; tick++) {
    b.clock.advance(50);
    b.overload.measured(1, 50);
  }
  assert.equal(b.overload.active, false);
  b.ue.receive(request1("INVITE", "after"));
  assert.deepEqual(b.seen, ["INVITE"]);
});

const server: Record<"access" | "core", OverloadSide> = {
  access: { trusted: false },
  core: { trusted: true, reports: true },
};

test("RFC 7339 §5.1, §5.2: a server answers an offer with oc=0, one that was not made with nothing", () => {
  const b = bench((context) => context.respond(200), server);
  const peer = b.transport.connect({ side: "core", protocol: "TCP", remoteAddress: "127.0.0.9" });
  peer.receive(request1("OPTIONS", "one", { via: ';oc;oc-algo="loss"' }));
  const via = parsed(peer.sent[0]).top("Via") ?? "";
  assert.match(via, /z9hG4bKone;oc=0;oc-algo="loss";oc-validity=0;oc-seq=[0-9]{1,12}\.[0-9]{1,5};?/);
  peer.receive(request1("OPTIONS", "two"));
  assert.doesNotMatch(parsed(peer.sent[1]).top("Via") ?? "", /;oc/);
});

test("RFC 7339 §5.10.2: a server in overload refuses without Retry-After and reports its share", () => {
  const b = bench(wait, server);
  overloaded(b);
  const peer = b.transport.connect({ side: "core", protocol: "TCP", remoteAddress: "127.0.0.9" });
  for (let count = 0; count < 300; count++)
    peer.receive(request1("INVITE", `n${count}`, { via: ';oc;oc-algo="loss"' }));
  b.clock.advance(50);
  b.overload.measured(300, 50);
  for (let count = 0; count < 300; count++)
    peer.receive(request1("INVITE", `m${count}`, { via: ';oc;oc-algo="loss"' }));
  const refusal = parsed(peer.sent.at(-1));
  assert.equal(refusal.status, 503);
  assert.equal(refusal.has("Retry-After"), false);
  const oc = Number(
    /;oc=([0-9]+);oc-algo="loss";oc-validity=1000;oc-seq=/.exec(refusal.top("Via") ?? "")?.[1],
  );
  assert(oc > 10 && oc <= 95, `oc=${oc}`);
});

const forwardAll = (context: RequestContext): void =>
  void context.fork(context.forward(), { destination: { kind: "uri", side: "core" } });

/** Response of the next hop, with parameters for the top Via in place of our offer. */
function answer(sent: string | undefined, status: number, report: string): string {
  const asked = parsed(sent);
  const vias = asked.values("Via");
  vias[0] = (vias[0] ?? "").replace(';oc;oc-algo="loss"', report);
  return [
    `SIP/2.0 ${status} Whatever`,
    ...vias.map((via) => `Via: ${via}`),
    `From: ${asked.header("From")}`,
    `To: ${asked.header("To")};tag=b1`,
    `Call-ID: ${asked.callId}`,
    `CSeq: ${asked.header("CSeq")}`,
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
}

test("RFC 7339 §5.1, §5.5: a client offers, and what its servers do not want is refused at its own door", () => {
  const b = bench(forwardAll);
  b.ue.receive(request1("MESSAGE", "one"));
  const hop = b.transport.dialled[0] ?? assert.fail("not forwarded");
  assert.match(parsed(hop.sent[0]).top("Via") ?? "", /;oc;oc-algo="loss"$/);
  assert.doesNotMatch(parsed(hop.sent[0]).values("Via")[1] ?? "", /;oc/);
  hop.receive(answer(hop.sent[0], 200, ';oc=80;oc-algo="loss";oc-validity=1000;oc-seq=5.1'));
  assert.equal(parsed(b.ue.sent[0]).status, 200);
  // The chance of this one is 0.5.
  b.ue.receive(request1("MESSAGE", "two"));
  assert.equal(parsed(b.ue.sent[1]).status, 503);
  assert.equal(b.seen.length, 1);
  b.clock.advance(1_000);
  b.overload.measured(0, 50);
  b.ue.receive(request1("MESSAGE", "three"));
  assert.equal(b.seen.length, 2);
});

test("RFC 7339 §11: a stranger's report counts for nothing", () => {
  const b = bench(forwardAll);
  const stranger = b.transport.connect({ side: "core", protocol: "TCP", remoteAddress: "10.6.6.6" });
  stranger.receive(
    answer(request1("MESSAGE", "x"), 200, "").replace(
      "rport",
      'oc=100;oc-algo="loss";oc-validity=60000;oc-seq=9.9',
    ),
  );
  assert.equal(b.overload.active, false);
});

test("a 503 of a server in overload is no failure of it: the next one is asked, and the UE is told when to come again", () => {
  const b = bench(forwardAll);
  b.ue.receive(request1("MESSAGE", "one"));
  const report = ';oc=30;oc-algo="loss";oc-validity=1000;oc-seq=5.1';
  const first = b.transport.dialled[0] ?? assert.fail("not forwarded");
  first.receive(answer(first.sent[0], 503, report));
  assert.deepEqual(b.failed, []);
  const second = b.transport.dialled[1] ?? assert.fail("not sent to the next one");
  second.receive(answer(second.sent[0], 503, report));
  const refusal = parsed(b.ue.sent[0]);
  assert.equal(refusal.status, 503);
  assert(Number(refusal.header("Retry-After")) >= 5);
  assert.doesNotMatch(refusal.values("Via").join(), /;oc/);
});

test("without overload the door costs next to nothing", () => {
  const b = bench(wait);
  const began = process.hrtime.bigint();
  let active = 0;
  for (let count = 0; count < 1_000_000; count++) if (b.overload.active) active++;
  const nanoseconds = Number(process.hrtime.bigint() - began) / 1_000_000;
  assert.equal(active, 0);
  assert(nanoseconds < 200, `${nanoseconds} ns`);
});
