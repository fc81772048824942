import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  blameServerBehind,
  OverloadControl,
  ProxyCore,
  parseMessage,
  popOwnRoutes,
  type RequestContext,
  ResourcePriorities,
  responseTo,
  type SipMessage,
  sendElsewhere,
  type Target,
  type TransactionUser,
} from "../../src/index.ts";
import { type FakeFlow, FakeTransportLayer } from "../../testing/index.ts";

const POOL = "proxies.example.com";

interface Member {
  readonly core: ProxyCore;
  readonly transport: FakeTransportLayer;
  readonly clock: FakeClock;
  /** A connection that a trusted peer opened. */
  readonly peer: FakeFlow;
}

function member(
  targets: readonly Target[],
  options: { readonly pings?: boolean; sentBy?: string; priorities?: ResourcePriorities } = {},
): Member {
  const clock = fakeClock();
  const transport = new FakeTransportLayer();
  if (options.pings !== false) transport.answerPings(clock);
  const entity: TransactionUser = {
    functionalEntity: "S-CSCF",
    accepts: (uri) => uri.host === POOL,
    isOfRefusal: (ack) => ack.routes[0]?.uri?.parameters.has("orig") === true,
    onRequest(context: RequestContext) {
      const forwarded = context.forward();
      popOwnRoutes(forwarded, { own: { has: entity.accepts } });
      context.fork(forwarded, { destination: { kind: "uri", side: "core" } });
    },
  };
  const core: ProxyCore = new ProxyCore({
    sides: [{ name: "core", entity, strict: false, sentBy: options.sentBy ?? POOL }],
    clock,
    locator: {
      locate: (uri) => (uri.host === POOL ? [] : targets),
      locateVia: (via) => (via.host === "edges.example.com" ? targets : []),
    },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    poolKey: createSecretKey(Buffer.alloc(32, 3)),
    ...(options.priorities === undefined
      ? {}
      : {
          overload: new OverloadControl({
            sides: { core: { trusted: true } },
            clock,
            targetMs: 0,
            floor: 1,
            resourcePriorities: options.priorities,
          }),
        }),
    onDefect: (error) => assert.fail(String(error)),
  });
  const peer = transport.connect({ protocol: "TCP", remoteAddress: "10.0.0.1" });
  return { core, transport, clock, peer };
}

function target(index: number, priority = 0): Target {
  return { protocol: "TCP", address: `192.0.2.${index}`, port: 5054, ...(priority > 0 ? { priority } : {}) };
}

const TWO = [target(1), target(2, 1)];

function request(
  method: string,
  options: { branch?: string; toTag?: string; headers?: readonly string[] } = {},
): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    `Via: SIP/2.0/TCP edges.example.com;branch=${options.branch ?? "z9hG4bKin"}`,
    `Route: <sip:${POOL};lr>`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a1",
    `To: <sip:bob@example.com>${options.toTag === undefined ? "" : `;tag=${options.toTag}`}`,
    "Call-ID: call-1",
    `CSeq: 1 ${method}`,
    ...(options.headers ?? []),
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

function parsed(text: string | undefined): SipMessage {
  const result = parseMessage(text ?? "");
  assert.equal(result.kind, "message", text);
  return result.kind === "message" ? result.message : assert.fail();
}

function answer(sent: string | undefined, status: number): string {
  const asked = parsed(sent);
  return [
    `SIP/2.0 ${status} Whatever`,
    ...asked.values("Via").map((via) => `Via: ${via}`),
    `From: ${asked.header("From")}`,
    `To: ${asked.header("To")}${asked.toTag === "" ? ";tag=b1" : ""}`,
    `Call-ID: ${asked.callId}`,
    `CSeq: ${asked.header("CSeq")}`,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** What went to a target, on whatever connection, oldest first. */
function sentTo({ transport }: Member, index: number): string[] {
  return transport.dialled
    .filter(({ remoteAddress }) => remoteAddress === `192.0.2.${index}`)
    .flatMap(({ sent }) => sent);
}

function flowTo({ transport }: Member, index: number): FakeFlow {
  const open = transport.dialled.filter(({ remoteAddress }) => remoteAddress === `192.0.2.${index}`);
  return open.at(-1) ?? assert.fail(`nothing went to ${index}`);
}

function methods(texts: readonly string[]): string[] {
  return texts.map((text) => parsed(text).method);
}

function statuses(flow: FakeFlow): number[] {
  return flow.sent.map((text) => parsed(text).status);
}

const branchOf = (text: string | undefined): string | undefined => parsed(text).topVia?.branch;

for (const [method, provisional] of [
  ["REGISTER", undefined],
  ["MESSAGE", undefined],
  ["BYE", undefined],
  ["INVITE", undefined],
  ["INVITE", 100],
  ["INVITE", 180],
] as const)
  test(`design §4: a ${method} ${provisional ?? "without an answer"} is sent again at once, as it was, when its hop dies`, async () => {
    const one = member(TWO);
    one.peer.receive(request(method));
    if (provisional !== undefined) flowTo(one, 1).receive(answer(sentTo(one, 1)[0], provisional));
    one.transport.refuse(target(1));
    await one.clock.advanceAsync(1);
    const again = sentTo(one, 2)[0];
    assert.equal(parsed(again).method, method);
    assert.equal(branchOf(again), branchOf(sentTo(one, 1)[0]), "so whoever has it already knows it again");
    flowTo(one, 2).receive(answer(again, 200));
    assert.equal(statuses(one.peer).at(-1), 200);
    assert.equal(statuses(one.peer).filter((status) => status >= 200).length, 1);
  });

test("design §4: a request whose hop hangs goes to the next target as soon as the hop is out of service", async () => {
  const one = member(TWO);
  one.peer.receive(request("OPTIONS", { branch: "z9hG4bKfirst" }));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  await one.clock.advanceAsync(1_500);
  one.transport.hang(target(1));
  one.peer.receive(request("REGISTER"));
  await one.clock.advanceAsync(460);
  assert.deepEqual(methods(sentTo(one, 2)), ["REGISTER"]);
  // Its late answer is as good as the other's, and there is one answer.
  one.transport.wake(target(1));
  flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 200));
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 200));
  assert.deepEqual(statuses(one.peer), [200, 200]);
});

test("a request without another target waits for its hung hop", async () => {
  const one = member([target(1)]);
  one.peer.receive(request("OPTIONS", { branch: "z9hG4bKfirst" }));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  await one.clock.advanceAsync(1_500);
  one.transport.hang(target(1));
  one.peer.receive(request("INVITE"));
  await one.clock.advanceAsync(2_000);
  one.transport.wake(target(1));
  flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 200));
  assert.equal(statuses(one.peer).at(-1), 200);
});

/** An INVITE that goes to the second target because the first is silent, which answers 482. */
async function merged(targets: readonly Target[] = TWO): Promise<Member> {
  const one = member(targets);
  one.peer.receive(request("OPTIONS", { branch: "z9hG4bKfirst" }));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  await one.clock.advanceAsync(1_500);
  one.transport.hang(target(1));
  one.peer.receive(request("INVITE"));
  flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 180));
  await one.clock.advanceAsync(460);
  assert.deepEqual(methods(sentTo(one, 2)), ["INVITE"]);
  return one;
}

test("RFC 3261 §8.2.2.2: 482 to the copy that fail-over made is no answer while the first, which was only slow, may give one", async () => {
  const one = await merged();
  one.transport.wake(target(1));
  const [copy] = sentTo(one, 2);
  flowTo(one, 2).receive(answer(copy, 482));
  assert.deepEqual(methods(sentTo(one, 2)), ["INVITE", "ACK"], "the refusal is acknowledged");
  const invites = sentTo(one, 1).filter((text) => text.startsWith("INVITE"));
  assert.deepEqual(invites.map(branchOf), [branchOf(copy), branchOf(copy)], "a retransmission to the first");
  flowTo(one, 1).receive(answer(invites.at(-1), 180));
  flowTo(one, 1).receive(answer(invites.at(-1), 200));
  assert.deepEqual(statuses(one.peer), [200, 180, 180, 200]);
});

test("RFC 3261 §16.10: and a CANCEL that came meanwhile goes there", async () => {
  const one = await merged();
  one.transport.wake(target(1));
  one.peer.receive(request("CANCEL"));
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 482));
  const again = sentTo(one, 1).at(-1);
  flowTo(one, 1).receive(answer(again, 180));
  assert.equal(parsed(sentTo(one, 1).at(-1)).method, "CANCEL");
  flowTo(one, 1).receive(answer(again, 487));
  assert.equal(statuses(one.peer).at(-1), 487);
});

test("RFC 3261 §21.5.4: 482 to the copy, and the first is gone: 503, not a loop that the sender would believe in", async () => {
  const one = await merged();
  one.transport.refuse(target(1));
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 482));
  await one.clock.advanceAsync(2_000);
  assert.deepEqual(statuses(one.peer), [200, 180, 503]);
});

test("RFC 5393 §4.2: 482 from both, and 482 from the only one that was asked, go back", async () => {
  const one = await merged();
  one.transport.wake(target(1));
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 482));
  flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 482));
  assert.deepEqual(statuses(one.peer), [200, 180, 482]);
  const other = member(TWO);
  other.peer.receive(request("INVITE"));
  flowTo(other, 1).receive(answer(sentTo(other, 1)[0], 482));
  assert.deepEqual(statuses(other.peer), [482]);
  assert.equal(sentTo(other, 2).length, 0);
});

test("RFC 3261 §16.10: a cancelled INVITE whose hop dies is cancelled where it goes on", async () => {
  const one = member(TWO);
  one.peer.receive(request("INVITE"));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 180));
  one.peer.receive(request("CANCEL"));
  assert.deepEqual(methods(sentTo(one, 1)), ["INVITE", "CANCEL"]);
  one.transport.refuse(target(1));
  await one.clock.advanceAsync(1);
  assert.deepEqual(methods(sentTo(one, 2)), ["INVITE"]);
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 100));
  assert.deepEqual(methods(sentTo(one, 2)), ["INVITE", "CANCEL"]);
  flowTo(one, 2).receive(answer(sentTo(one, 2)[0], 487));
  assert.equal(statuses(one.peer).at(-1), 487);
});

test("design §4: rounds of retries with pauses, exponential for INVITE; then a 503 of ours", async () => {
  const one = member([target(1)]);
  one.peer.receive(request("INVITE"));
  const times: number[] = [];
  for (let ms = 0; ms < 2_000; ms += 10) {
    const flow = one.transport.dialled.at(-1);
    if (flow?.open && flow.sent.some((text) => text.startsWith("INVITE"))) {
      times.push(one.clock.monotonic());
      flow.close();
    }
    await one.clock.advanceAsync(10);
  }
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.equal(times.length, 4, "three retries");
  for (const [index, pause] of [100, 200, 400].entries())
    assert.ok(Math.abs((gaps[index] ?? 0) - pause) <= 10, `${gaps}`);
  assert.equal(statuses(one.peer).at(-1), 503);
});

test("whoever cannot be reached at all is no matter of retries: 503 at once", () => {
  const one = member([target(1)]);
  one.transport.refuse(target(1));
  one.peer.receive(request("INVITE"));
  assert.deepEqual(statuses(one.peer), [503]);
});

test("design §4: a registrar that takes 10 s is given up for the next, though alive; a far end that is slow is waited for", async () => {
  const one = member(TWO);
  one.peer.receive(request("REGISTER"));
  await one.clock.advanceAsync(9_990);
  assert.equal(sentTo(one, 2).length, 0);
  await one.clock.advanceAsync(20);
  assert.deepEqual(methods(sentTo(one, 2)), ["REGISTER"]);
  const other = member(TWO);
  other.peer.receive(request("BYE", { toTag: "b1" }));
  await other.clock.advanceAsync(20_000);
  assert.equal(sentTo(other, 2).length, 0, "not an equal: another edge cannot make the user answer");
  flowTo(other, 1).receive(answer(sentTo(other, 1)[0], 200));
  assert.deepEqual(statuses(other.peer), [200]);
  const equals = member([target(1), target(2)]);
  equals.peer.receive(request("BYE", { toTag: "b1" }));
  await equals.clock.advanceAsync(4_010);
  assert.equal(sentTo(equals, 1).length + sentTo(equals, 2).length, 2, "an equal may try");
});

test("a 503 goes to the next target as another transaction, two of them at most; overload opens no breaker", () => {
  const targets = [target(1), target(2, 1), target(3, 2), target(4, 3)];
  const one = member(targets);
  one.peer.receive(request("OPTIONS"));
  for (const index of [1, 2, 3]) flowTo(one, index).receive(answer(sentTo(one, index)[0], 503));
  assert.equal(sentTo(one, 4).length, 0);
  assert.deepEqual(statuses(one.peer), [503]);
  assert.equal(new Set([1, 2, 3].map((index) => branchOf(sentTo(one, index)[0]))).size, 3);
});

test("RFC 3261 §21.5.4: a 503 because of a server behind goes back as it is: no other target is asked, no breaker opens", () => {
  const one = member(TWO);
  const busy = responseTo(parsed(request("INVITE")), 503, { toTag: "b1" });
  blameServerBehind(busy, 7);
  const [warning = ""] = busy.lines("Warning");
  for (let n = 0; n < 8; n++) {
    one.peer.receive(request("INVITE", { branch: `z9hG4bK${n}` }));
    const [sent] = sentTo(one, 1).slice(-1);
    const plain = answer(sent, 503);
    flowTo(one, 1).receive(
      plain.replace("Content-Length", `Warning: ${warning}\r\nRetry-After: 7\r\nContent-Length`),
    );
  }
  assert.equal(sentTo(one, 2).length, 0);
  assert.deepEqual(statuses(one.peer), Array(8).fill(503));
  assert.equal(
    methods(sentTo(one, 1)).filter((method) => method === "INVITE").length,
    8,
    "all were let through",
  );
});

test("RFC 3263 §4.3: a 503 of a server that misses what its equals may have goes to the next target, and opens no breaker", () => {
  const one = member(TWO);
  const elsewhere = responseTo(parsed(request("INVITE")), 503, { toTag: "b1" });
  sendElsewhere(elsewhere, 7);
  const [warning = ""] = elsewhere.lines("Warning");
  for (let n = 0; n < 8; n++) {
    one.peer.receive(request("INVITE", { branch: `z9hG4bK${n}` }));
    const first = sentTo(one, 1).length > sentTo(one, 2).length ? 1 : 2;
    for (const index of [first, 3 - first]) {
      const plain = answer(sentTo(one, index).at(-1), 503);
      flowTo(one, index).receive(
        plain.replace("Content-Length", `Warning: ${warning}\r\nRetry-After: 7\r\nContent-Length`),
      );
    }
  }
  const invites = (index: number): number =>
    methods(sentTo(one, index)).filter((method) => method === "INVITE").length;
  assert.deepEqual([invites(1), invites(2)], [8, 8], "all were let through, to both");
  assert.deepEqual(statuses(one.peer), Array(8).fill(503));
});

test("design §4: an open breaker refuses new dialogs, not requests inside one, nor emergency calls", () => {
  const one = member([target(1)]);
  for (let n = 0; n < 5; n++) {
    one.peer.receive(request("INVITE", { branch: `z9hG4bK${n}` }));
    flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 503));
  }
  const before = sentTo(one, 1).length;
  one.peer.receive(request("INVITE", { branch: "z9hG4bKnew" }));
  assert.equal(sentTo(one, 1).length, before);
  assert.equal(statuses(one.peer).at(-1), 503);
  one.peer.receive(request("INVITE", { branch: "z9hG4bKin", toTag: "b1" }));
  one.peer.receive(request("INVITE", { branch: "z9hG4bKsos", headers: ["Resource-Priority: esnet.1"] }));
  assert.equal(sentTo(one, 1).length, before + 2);
});

test("RFC 4412 §4.6.2: past an open breaker goes what has a priority that counts here", () => {
  const one = member([target(1)], { priorities: new ResourcePriorities() });
  for (let n = 0; n < 5; n++) {
    one.peer.receive(request("INVITE", { branch: `z9hG4bK${n}` }));
    flowTo(one, 1).receive(answer(sentTo(one, 1).at(-1), 503));
  }
  for (const [claimed, sent] of [
    ["dsn.routine", 0],
    ["unheard.of", 0],
    ["wps.2", 1],
  ] as const) {
    const before = sentTo(one, 1).length;
    one.peer.receive(
      request("INVITE", { branch: `z9hG4bK${claimed}`, headers: [`Resource-Priority: ${claimed}`] }),
    );
    assert.equal(sentTo(one, 1).length - before, sent, claimed);
  }
});

test("RFC 3261 §16.11: every member makes the same branch of the same request, whichever connection it comes on", () => {
  const branches = [member(TWO), member(TWO)].map((one) => {
    one.peer.receive(request("INVITE"));
    return branchOf(sentTo(one, 1)[0]);
  });
  assert.equal(branches[0], branches[1]);
  const other = member(TWO);
  other.peer.receive(request("INVITE", { branch: "z9hG4bKother" }));
  assert.notEqual(branchOf(sentTo(other, 1)[0]), branches[0]);
  assert.equal(parsed(sentTo(other, 1)[0]).topVia?.host, POOL);
});

test("a request that comes again over another connection is absorbed, and its answers take that connection", () => {
  const one = member(TWO);
  one.peer.receive(request("INVITE"));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 180));
  const takingOver = one.transport.connect({ protocol: "TCP", remoteAddress: "10.0.0.2" });
  takingOver.receive(request("INVITE"));
  assert.deepEqual(statuses(takingOver), [180], "what was said last");
  assert.equal(sentTo(one, 1).length, 1);
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  assert.deepEqual(statuses(takingOver), [180, 200]);
  assert.deepEqual(statuses(one.peer), [180]);
});

test("RFC 3263 §5: an answer whose connection is gone goes to another member of the pool that the Via names", async () => {
  const one = member([target(1)]);
  one.peer.receive(request("INVITE"));
  one.peer.close();
  const edge = one.transport;
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  await one.clock.advanceAsync(1);
  // Here the pool of edges and the next hop are the same address: what matters is that the 200 left.
  const last = parsed(edge.sent.at(-1)?.text);
  assert.equal(last.status, 200);
  assert.equal(last.values("Via").length, 1);
});

test("RFC 3261 §16.10: a CANCEL whose INVITE another member has goes the way of the INVITE with its branch", () => {
  const first = member(TWO);
  const second = member(TWO);
  first.peer.receive(request("INVITE"));
  second.peer.receive(request("CANCEL"));
  const cancel = parsed(sentTo(second, 1)[0]);
  assert.equal(cancel.method, "CANCEL");
  assert.equal(cancel.topVia?.branch, branchOf(sentTo(first, 1)[0]));
  assert.deepEqual(statuses(second.peer), [], "the answer is the next hop's");
  flowTo(second, 1).receive(answer(sentTo(second, 1)[0], 200));
  assert.equal(second.core.transactions.serverTransactions, 0);
});

test("nothing without a transaction goes round: Max-Forwards, and what has passed the pool already", () => {
  const one = member(TWO);
  one.peer.receive(request("ACK"));
  const sent = sentTo(one, 1)[0] ?? "";
  assert.equal(parsed(sent).method, "ACK");
  const back = sent.replace("Via:", "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx\r\nVia:");
  one.peer.receive(back);
  one.peer.receive(request("ACK", { branch: "z9hG4bKnone" }).replace("Max-Forwards: 70", "Max-Forwards: 0"));
  one.peer.receive(
    request("CANCEL", { branch: "z9hG4bKnone" }).replace("Max-Forwards: 70", "Max-Forwards: 0"),
  );
  assert.deepEqual(methods([...sentTo(one, 1), ...sentTo(one, 2)]), ["ACK"]);
  assert.deepEqual(statuses(one.peer), [481]);
});

test("an ACK that was under way when the connection of its only target was reset leaves over the next one", async () => {
  const one = member([target(1)]);
  one.peer.receive(request("INVITE"));
  flowTo(one, 1).receive(answer(sentTo(one, 1)[0], 200));
  await one.clock.advanceAsync(2_500);
  one.transport.hang(target(1));
  one.peer.receive(request("ACK", { branch: "z9hG4bKack", toTag: "b1" }));
  await one.clock.advanceAsync(2_500);
  const [first, second, ...more] = one.transport.dialled;
  assert.deepEqual([first?.open, second?.open, more.length], [false, true, 0]);
  assert.deepEqual(methods(first?.sent ?? []), ["INVITE", "ACK"]);
  assert.deepEqual(methods(second?.sent ?? []), ["ACK"]);
});

const preloaded = (text: string): string => text.replace(`<sip:${POOL};lr>`, `<sip:${POOL};lr;orig>`);

test("RFC 3261 §17.2.1, §16.11: the ACK of a refusal whose INVITE another member has goes the way of the INVITE with its branch", () => {
  const first = member(TWO);
  const second = member(TWO);
  first.peer.receive(preloaded(request("INVITE")));
  const invite = parsed(sentTo(first, 1)[0]);
  const refusal = { toTag: "b;x=1", headers: ["P-Asserted-Identity: <sip:alice@example.com>"] };
  second.peer.receive(preloaded(request("ACK", refusal)));
  const [sent, ...more] = sentTo(second, 1);
  const ack = parsed(sent);
  assert.deepEqual([ack.method, ack.requestUri, more], ["ACK", invite.requestUri, []]);
  assert.equal(ack.top("Via"), invite.top("Via"), "its server transaction is found by that");
  assert.deepEqual(ack.lines("Route"), invite.lines("Route"));
  assert.deepEqual([ack.header("To"), ack.header("CSeq")], ["<sip:bob@example.com>;tag=b;x=1", "1 ACK"]);
  assert.equal(second.core.transactions.clientTransactions, 0);
});

test("the ACK of a refused INVITE inside a dialog has the branch of that INVITE at every member", () => {
  const first = member(TWO);
  const second = member(TWO);
  first.peer.receive(request("INVITE", { toTag: "b1" }));
  second.peer.receive(request("ACK", { toTag: "b1" }));
  assert.deepEqual(methods(sentTo(second, 1)), ["ACK"]);
  assert.equal(branchOf(sentTo(second, 1)[0]), branchOf(sentTo(first, 1)[0]));
});

test("RFC 3261 §17.1.1.3: an ACK whose connection is gone leaves over the one that the refusal came by", () => {
  const one = member([target(1)]);
  one.peer.receive(request("INVITE"));
  const other = one.transport.connect({ protocol: "TCP", remoteAddress: "192.0.2.2" });
  flowTo(one, 1).close();
  other.receive(answer(one.transport.dialled[0]?.sent[0], 486));
  assert.deepEqual(methods(other.sent), ["ACK"]);
  assert.deepEqual(statuses(one.peer), [486]);
});
