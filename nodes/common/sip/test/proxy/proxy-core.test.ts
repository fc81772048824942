import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import {
  ProxyCore,
  parseMessage,
  type RequestContext,
  type SipMessage,
  type Target,
  type TransactionUser,
} from "../../src/index.ts";
import { type FakeFlow, FakeTransportLayer } from "../../testing/index.ts";

type Procedure = (context: RequestContext) => void | Promise<void>;

interface Bench {
  readonly entity: TransactionUser;
  readonly core: ProxyCore;
  readonly transport: FakeTransportLayer;
  readonly clock: FakeClock;
  readonly ue: FakeFlow;
  readonly defects: unknown[];
  targets: readonly Target[];
}

function bench(procedure: Procedure, more: readonly TransactionUser[] = [], sentBy?: string): Bench {
  const clock = fakeClock();
  const transport = new FakeTransportLayer();
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: (uri) => uri.host === "pcscf.example.com",
    onRequest: procedure,
  };
  const defects: unknown[] = [];
  const state = { targets: [target(7000)] as readonly Target[] };
  const core = new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false, sentBy },
      ...more.map((one, index) => ({ name: `more${index}`, entity: one, strict: false })),
    ],
    clock,
    locator: { locate: () => state.targets, failed: () => undefined },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => defects.push(error),
  });
  const ue = transport.connect({ side: "access", remotePort: 6000 });
  return Object.assign(state, { entity, core, transport, clock, ue, defects });
}

function target(port: number): Target {
  return { protocol: "UDP", address: "127.0.0.9", port };
}

function request(method: string, headers: readonly string[] = [], branch = "z9hG4bKtest1"): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:6000;branch=${branch};rport`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a1",
    "To: <sip:bob@example.com>",
    `Call-ID: call-1@${branch}`,
    `CSeq: 1 ${method === "ACK" || method === "CANCEL" ? method : method}`,
    ...headers,
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

/** Response of the next hop to what was sent to it. */
function answer(sent: string | undefined, status: number, headers: readonly string[] = []): string {
  const asked = parsed(sent);
  return [
    `SIP/2.0 ${status} Whatever`,
    ...asked.values("Via").map((via) => `Via: ${via}`),
    `From: ${asked.header("From")}`,
    `To: ${asked.header("To")};tag=b1`,
    `Call-ID: ${asked.callId}`,
    `CSeq: ${asked.header("CSeq")}`,
    ...headers,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

const forwardAll: Procedure = (context) =>
  void context.fork(context.forward(), { destination: { kind: "uri", side: "core" } });

function statuses(flow: FakeFlow): number[] {
  return flow.sent.map((text) => parsed(text).status);
}

function peer(b: Bench, index = 0): FakeFlow {
  return b.transport.dialled[index] ?? assert.fail(`no flow ${index} was dialled`);
}

test("a stranger's Route of more proxies than a request may pass is refused before anybody takes it apart", () => {
  const taken: number[] = [];
  const { ue, defects } = bench((context) => {
    taken.push(context.request.routes.length);
    context.respond(200);
  });
  const routes = (count: number): string =>
    `Route: ${Array(count).fill("<sip:pcscf.example.com;lr>").join(",")}`;
  ue.receive(request("MESSAGE", [routes(70)], "z9hG4bKfew"));
  ue.receive(request("MESSAGE", [routes(71)], "z9hG4bKmany"));
  ue.receive(request("MESSAGE", [routes(36), routes(35)], "z9hG4bKlines"));
  assert.deepEqual(taken, [70]);
  assert.deepEqual(
    ue.sent.map((text) => /^SIP\/2.0 (.*)/.exec(text)?.[1]),
    ["200 OK", "400 Bad Request (Route)", "400 Bad Request (Route)"],
  );
  assert.deepEqual(defects, []);
});

test("RFC 3261 §16.6: a forwarded request has our Via on top, Max-Forwards counted down, and the source in the old Via", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("OPTIONS"));
  const sent = parsed(peer(b).sent[0]);
  assert.equal(sent.header("Max-Forwards"), "69");
  assert.equal(sent.values("Via").length, 2);
  assert.match(sent.values("Via")[1] ?? "", /branch=z9hG4bKtest1;rport=6000;received=127\.0\.0\.1$/);
  peer(b).receive(answer(peer(b).sent[0], 200));
  assert.deepEqual(statuses(b.ue), [200]);
  assert.equal(parsed(b.ue.sent[0]).values("Via").length, 1);
});

test("RFC 3261 §17.2.2: a retransmitted request gets the same final response and reaches the procedure once", () => {
  let calls = 0;
  const b = bench((context) => {
    calls++;
    context.respond(403);
  });
  b.ue.receive(request("MESSAGE"));
  b.ue.receive(request("MESSAGE"));
  assert.equal(calls, 1);
  assert.deepEqual(statuses(b.ue), [403, 403]);
  assert.equal(b.ue.sent[0], b.ue.sent[1]);
  b.clock.advance(31_999);
  b.ue.receive(request("MESSAGE"));
  assert.equal(calls, 1);
  b.clock.advance(1);
  b.ue.receive(request("MESSAGE"));
  assert.equal(calls, 2, "Timer J has fired");
  b.clock.advance(39_000);
  assert.equal(b.core.transactions.serverTransactions, 0);
});

test("RFC 3261 §17.2.2: who sends somebody else's request again from another address does not get its answer", () => {
  let calls = 0;
  const b = bench((context) => {
    calls++;
    context.respond(403);
  });
  b.ue.receive(request("MESSAGE"));
  const stranger = b.transport.connect({ side: "access", remotePort: 6001 });
  stranger.receive(request("MESSAGE"));
  assert.equal(calls, 1);
  assert.deepEqual([statuses(b.ue), statuses(stranger)], [[403, 403], []]);
  b.ue.close();
  stranger.receive(request("MESSAGE"));
  assert.deepEqual([calls, statuses(stranger)], [1, []]);
});

test("RFC 3261 §17.2.2: a UDP flow that was forgotten and is there again gets the answer once more", () => {
  const b = bench((context) => context.respond(403));
  b.ue.receive(request("MESSAGE"));
  b.ue.close();
  const again = b.transport.connect({ side: "access", remotePort: 6000 });
  again.receive(request("MESSAGE"));
  assert.deepEqual(statuses(again), [403]);
});

test("RFC 3261 §8.2.7: of a request answered without state nothing is kept, and sent again it is a new one", () => {
  let calls = 0;
  const b = bench((context) => {
    calls++;
    context.respond(403, { stateless: true });
  });
  b.ue.receive(request("MESSAGE"));
  assert.equal(b.core.transactions.serverTransactions, 0);
  b.ue.receive(request("MESSAGE"));
  assert.deepEqual([calls, statuses(b.ue)], [2, [403, 403]]);
  assert.equal(b.core.transactions.serverTransactions, 0);
});

test("RFC 3261 §17.2.1: 100 Trying leaves after 200 ms without a response, a non-2xx is sent again until its ACK", () => {
  const b = bench(() => undefined);
  b.ue.receive(request("INVITE"));
  b.clock.advance(199);
  assert.deepEqual(statuses(b.ue), []);
  b.clock.advance(1);
  assert.deepEqual(statuses(b.ue), [100]);
  const refused = bench((context) => context.respond(403));
  refused.ue.receive(request("INVITE"));
  refused.clock.advance(1500);
  assert.deepEqual(statuses(refused.ue), [403, 403, 403]);
  refused.ue.receive(request("ACK"));
  refused.clock.advance(20_000);
  assert.equal(refused.ue.sent.length, 3);
  assert.equal(refused.core.transactions.serverTransactions, 0);
});

test("RFC 3261 §17.1.1.2: an INVITE over UDP is sent again at T1 doubling, and 408 is made after 64*T1", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("INVITE"));
  b.clock.advance(500 + 1000 + 2000);
  assert.equal(peer(b).sent.length, 4);
  b.clock.advance(32_000);
  assert.equal(statuses(b.ue).at(-1), 408);
});

test("RFC 4320 §4.2: a non-INVITE that times out is answered with nothing", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("MESSAGE"));
  b.clock.advance(64_000);
  assert.deepEqual(statuses(b.ue), []);
  assert.equal(b.core.transactions.serverTransactions + b.core.transactions.clientTransactions, 0);
});

test("RFC 3263 §4.3: the next target is tried when one cannot be reached or answers 503", () => {
  const b = bench(forwardAll);
  b.targets = [target(7001), { ...target(7002), priority: 1 }, { ...target(7003), priority: 2 }];
  b.transport.refuse(target(7001));
  b.ue.receive(request("OPTIONS"));
  peer(b).receive(answer(peer(b).sent[0], 503));
  peer(b, 1).receive(answer(peer(b, 1).sent[0], 200));
  assert.deepEqual([peer(b).remotePort, peer(b, 1).remotePort], [7002, 7003]);
  assert.deepEqual(statuses(b.ue), [200]);
});

test("RFC 3261 §16.9: 503 made here when no target can be reached", () => {
  const b = bench(forwardAll);
  b.transport.refuse(target(7000));
  b.ue.receive(request("OPTIONS"));
  assert.deepEqual(statuses(b.ue), [503]);
});

test("RFC 3261 §16.10: a CANCEL is answered 200, waits for a provisional, and 487 comes back", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("INVITE"));
  b.ue.receive(request("CANCEL"));
  assert.deepEqual(statuses(b.ue), [200]);
  assert.equal(peer(b).sent.length, 1);
  peer(b).receive(answer(peer(b).sent[0], 180));
  const cancel = parsed(peer(b).sent[1]);
  assert.equal(cancel.method, "CANCEL");
  assert.equal(cancel.top("Via"), parsed(peer(b).sent[0]).top("Via"));
  assert.equal(cancel.values("Via").length, 1);
  peer(b).receive(answer(peer(b).sent[0], 487));
  assert.equal(statuses(b.ue).at(-1), 487);
  assert.equal(parsed(peer(b).sent[2]).method, "ACK");
});

test("RFC 3261 §9.2: a CANCEL of nothing gets 481, a CANCEL from another flow cancels nothing", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("CANCEL"));
  assert.deepEqual(statuses(b.ue), [481]);
  b.ue.receive(request("INVITE", [], "z9hG4bKother"));
  const stranger = b.transport.connect({ side: "access", remotePort: 6666 });
  stranger.receive(request("CANCEL", [], "z9hG4bKother"));
  peer(b).receive(answer(peer(b).sent[0], 180));
  assert.deepEqual(statuses(stranger), [481]);
  assert.equal(peer(b).sent.length, 1);
});

test("RFC 3261 §16.10: a CANCEL that comes before the procedure forked ends the request with 487", async () => {
  let go: () => void = () => undefined;
  const stored = new Promise<void>((resolve) => {
    go = resolve;
  });
  const b = bench(async (context) => {
    await stored;
    await forwardAll(context);
  });
  b.ue.receive(request("INVITE"));
  b.ue.receive(request("CANCEL"));
  go();
  await stored;
  assert.deepEqual(statuses(b.ue), [200, 487]);
  assert.equal(b.transport.dialled.length, 0);
});

function forkTo(context: RequestContext, ports: readonly number[]): void {
  for (const port of ports)
    context.fork(context.forward(), {
      destination: { kind: "targets", side: "core", targets: [target(port)] },
    });
}

test("RFC 3261 §16.7: the first 2xx goes up at once and the other branches are cancelled", () => {
  const b = bench((context) => forkTo(context, [7001, 7002, 7003]));
  b.ue.receive(request("INVITE"));
  for (const index of [0, 1, 2]) peer(b, index).receive(answer(peer(b, index).sent[0], 180));
  peer(b, 1).receive(answer(peer(b, 1).sent[0], 200));
  assert.deepEqual(statuses(b.ue), [180, 180, 180, 200]);
  assert.equal(parsed(peer(b, 0).sent[1]).method, "CANCEL");
  assert.equal(parsed(peer(b, 2).sent[1]).method, "CANCEL");
  for (const index of [0, 2]) peer(b, index).receive(answer(peer(b, index).sent[0], 487));
  assert.equal(b.ue.sent.length, 4);
});

test("RFC 6026 §7.1: a repeated 2xx goes up as it went first, also when nothing of the procedure is left", () => {
  const b = bench((context) => {
    context.onUpstream((response) => void response.append("Server", "edited"));
    forkTo(context, [7001]);
  });
  b.ue.receive(request("INVITE"));
  const ok = answer(peer(b, 0).sent[0], 200);
  peer(b, 0).receive(ok);
  const first = b.ue.sent.at(-1);
  b.clock.advance(20_000);
  peer(b, 0).receive(ok);
  assert.equal(b.ue.sent.length, 2);
  assert.equal(b.ue.sent.at(-1), first);
  assert.match(first ?? "", /Server: edited/);
  b.ue.receive(request("INVITE"));
  assert.equal(peer(b, 0).sent.length, 1, "a repeated INVITE goes nowhere");
  b.clock.advance(20_000);
  assert.equal(b.core.transactions.serverTransactions + b.core.transactions.clientTransactions, 0);
});

test("nothing of a call outlives its final response but keys and bytes", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (const [status, flows] of [
    [200, ["UDP", "TCP"]],
    [486, ["UDP"]],
  ] as const)
    for (const protocol of flows) {
      let kept: WeakRef<object> | undefined;
      const b = bench((context) => {
        kept = new WeakRef(context);
        forkTo(context, [7001]);
      });
      const ue =
        protocol === "UDP" ? b.ue : b.transport.connect({ side: "access", protocol, remotePort: 6001 });
      ue.receive(request("INVITE"));
      peer(b, 0).receive(answer(peer(b, 0).sent[0], status));
      assert.equal(b.core.transactions.serverTransactions, 1);
      // What a WeakRef has shown stays until the next turn.
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      assert.equal(kept?.deref(), undefined, `${status} over ${protocol}`);
    }
});

test("RFC 3261 §16.7 step 5: the 2xx of one more UAS behind the same branch goes up too, seen by the entity", () => {
  const b = bench((context) => forkTo(context, [7001]));
  const seen: string[] = [];
  const entity: TransactionUser = b.entity;
  entity.onFurtherAnswer = (response, from, to) => {
    seen.push(`${response.toTag} ${from.remotePort} ${to.remotePort}`);
    return response.toTag !== "dropped";
  };
  b.ue.receive(request("INVITE"));
  const ok = answer(peer(b, 0).sent[0], 200);
  peer(b, 0).receive(ok);
  for (const tag of ["other", "dropped"]) peer(b, 0).receive(ok.replace(/(To: .*tag=)[^\r;]*/, `$1${tag}`));
  assert.deepEqual(seen, ["other 7001 6000", "dropped 7001 6000"]);
  assert.deepEqual(
    b.ue.sent.map((text) => parsed(text).toTag),
    [parsed(ok).toTag, "other"],
  );
  peer(b, 0).receive(ok);
  assert.equal(parsed(b.ue.sent.at(-1)).toTag, parsed(ok).toTag, "the first one is still the one repeated");
});

test("RFC 3261 §16.7 step 6: when all fail the best response wins, 6xx above all, and challenges are put together", () => {
  for (const [given, expected] of [
    [[486, 404, 503], 486],
    [[480, 603, 404], 603],
    [[500, 302, 404], 302],
    [[404, 401, 407], 401],
  ] as const) {
    const b = bench((context) => forkTo(context, [7001, 7002, 7003]));
    b.ue.receive(request("INVITE"));
    given.forEach((status, index) => {
      const challenge =
        status === 401
          ? ["WWW-Authenticate: Digest realm=x"]
          : status === 407
            ? ["Proxy-Authenticate: Digest realm=y"]
            : [];
      const flow = peer(b, index);
      flow.receive(answer(flow.sent[0], status, challenge));
    });
    assert.deepEqual(statuses(b.ue), [expected]);
    if (expected === 401) assert.equal(parsed(b.ue.sent[0]).has("Proxy-Authenticate"), true);
  }
});

test("RFC 3261 §16.8: Timer C cancels a branch that only ever rings", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("INVITE"));
  peer(b).receive(answer(peer(b).sent[0], 180));
  b.clock.advance(180_000);
  peer(b).receive(answer(peer(b).sent[0], 180));
  b.clock.advance(180_000);
  assert.equal(peer(b).sent.length, 1);
  b.clock.advance(2_000);
  assert.equal(parsed(peer(b).sent[1]).method, "CANCEL");
});

test("a hop inside the process is a function call that answers like a next hop", () => {
  const icscf: TransactionUser = {
    functionalEntity: "I-CSCF",
    accepts: (uri) => uri.host === "icscf.example.com",
    onRequest: (context) => {
      assert.equal(context.from, "P-CSCF");
      const request = context.forward();
      request.replaceTop("Route", undefined);
      context.onUpstream((response) => void response.appendUnknown("X-I", "1"));
      context.fork(request, { destination: { kind: "uri", side: "core" } });
    },
  };
  const b = bench(
    (context) => {
      const request = context.forward();
      request.prepend("Route", "<sip:icscf.example.com;lr>");
      context.onUpstream((response) => void response.appendUnknown("X-P", "1"));
      context.fork(request, { destination: { kind: "uri", side: "core" } });
    },
    [icscf],
  );
  b.ue.receive(request("INVITE"));
  const sent = parsed(peer(b).sent[0]);
  assert.equal(sent.values("Via").length, 2);
  assert.equal(sent.has("Route"), false);
  assert.equal(sent.header("Max-Forwards"), "68");
  peer(b).receive(answer(peer(b).sent[0], 180));
  b.ue.receive(request("CANCEL"));
  assert.equal(parsed(peer(b).sent[1]).method, "CANCEL");
  peer(b).receive(answer(peer(b).sent[0], 487));
  const last = parsed(b.ue.sent.at(-1));
  assert.deepEqual([last.status, last.lines("X-I"), last.lines("X-P")], [487, ["1"], ["1"]]);
});

test("a request that runs in circles inside the process ends with 483", () => {
  const b = bench((context) => {
    const request = context.forward();
    context.fork(request, { destination: { kind: "uri", side: "core", uri: { ...PCSCF } } });
  });
  b.ue.receive(request("OPTIONS"));
  assert.deepEqual(statuses(b.ue), [483]);
});

const PCSCF = {
  scheme: "sip",
  user: "",
  password: undefined,
  host: "pcscf.example.com",
  port: undefined,
  parameters: (parsed(request("OPTIONS")).topVia ?? assert.fail()).parameters,
  headers: "",
};

test("a procedure that throws or rejects is answered 500 and reported", async () => {
  for (const procedure of [
    () => {
      throw new Error("defect");
    },
    async () => {
      throw new Error("defect");
    },
  ]) {
    const b = bench(procedure);
    b.ue.receive(request("OPTIONS"));
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual(statuses(b.ue), [500]);
    assert.equal(b.defects.length, 1);
  }
});

test("RFC 3261 §16.3: what cannot be proxied is refused with the status the clause names", () => {
  const b = bench(forwardAll);
  const cases: readonly [text: string, status: number][] = [
    [request("OPTIONS").replace("SIP/2.0\r\n", "SIP/3.0\r\n"), 505],
    [request("OPTIONS").replace("sip:bob@example.com SIP", "nobodyKnows:bob SIP"), 416],
    [request("OPTIONS").replace("Max-Forwards: 70", "Max-Forwards: 0"), 483],
    [request("OPTIONS").replace("Max-Forwards: 70", "Max-Forwards: 99999999999"), 400],
    [request("OPTIONS", ["Proxy-Require: nothingSupports, this"]), 420],
    [request("OPTIONS").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400],
    [
      request("OPTIONS").replace("From: <sip:alice@example.com>", 'From: "no end <sip:alice@example.com>'),
      400,
    ],
    [request("OPTIONS", ["Call-ID: another"]), 400],
    [request("OPTIONS", ["no colon here"]), 400],
  ];
  for (const [text, status] of cases) {
    b.ue.sent.length = 0;
    b.ue.receive(text.replaceAll("z9hG4bKtest1", `z9hG4bK${Math.random()}`));
    assert.deepEqual(statuses(b.ue), [status], text);
  }
  assert.equal(b.transport.dialled.length, 0);
  assert.equal(parsed(b.ue.sent[0]).values("Via").length, 1);
});

test("an ACK for a 2xx is forwarded along its Route without a transaction", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("ACK", ["Route: <sip:pcscf.example.com;lr>, <sip:scscf.example.com;lr>"]));
  const ack = parsed(peer(b).sent[0]);
  assert.equal(ack.method, "ACK");
  assert.deepEqual(ack.values("Route"), ["<sip:scscf.example.com;lr>"]);
  assert.equal(ack.values("Via").length, 2);
  assert.equal(b.core.transactions.serverTransactions + b.core.transactions.clientTransactions, 0);
});

test("design §3: a response whose transaction lived elsewhere is forwarded by its Via inside the trust domain only", () => {
  const b = bench(forwardAll, [], "proxies.example.com");
  const stray = [
    "SIP/2.0 200 OK",
    "Via: SIP/2.0/UDP proxies.example.com;branch=z9hG4bKgone",
    "Via: SIP/2.0/UDP 127.0.0.8:5070;branch=z9hG4bKolder",
    "From: <sip:a@example.com>;tag=1",
    "To: <sip:b@example.com>;tag=2",
    "Call-ID: x",
    "CSeq: 1 INVITE",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
  b.ue.receive(stray);
  assert.equal(b.transport.dialled.length, 0);
  b.transport.connect({ side: "core", remotePort: 7777 }).receive(stray);
  assert.equal(peer(b).remotePort, 5070);
  assert.equal(parsed(peer(b).sent[0]).values("Via").length, 1);
  const other = bench(forwardAll, [], "others.example.com");
  other.transport.connect({ side: "core", remotePort: 7777 }).receive(stray);
  assert.equal(other.transport.dialled.length, 0, "what is not of our pool is not ours to pass on");
});

test("RFC 3261 §17.1.4: a connection that closes fails the transactions that wait on it", async () => {
  const b = bench(forwardAll);
  b.targets = [{ protocol: "TCP", address: "127.0.0.9", port: 7000 }];
  b.ue.receive(request("INVITE"));
  peer(b).close();
  b.transport.refuse({ protocol: "TCP", address: "127.0.0.9", port: 7000 });
  await b.clock.advanceAsync(1_000);
  assert.deepEqual(statuses(b.ue), [100, 503]);
  assert.equal(b.core.transactions.clientTransactions, 0);
});

test("RFC 3261 §18.1.1: a request longer than a datagram may be goes by TCP, by UDP when there is no TCP", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("MESSAGE", [`X-Long: ${"x".repeat(1400)}`]));
  assert.equal(peer(b).protocol, "TCP");
  const edge = bench(forwardAll);
  const room = 1_290 - request("MESSAGE", ["X-Long: "]).length;
  edge.ue.receive(request("MESSAGE", [`X-Long: ${"x".repeat(room)}`]));
  assert.equal(peer(edge).protocol, "TCP", "our Via counts");
  const refusing = bench(forwardAll);
  refusing.transport.refuse({ ...target(7000), protocol: "TCP" });
  refusing.ue.receive(request("MESSAGE", [`X-Long: ${"x".repeat(1400)}`]));
  assert.equal(peer(refusing).protocol, "UDP");
});

test("RFC 5393 §4.2: a request that comes back unchanged is a loop, one with another target a spiral", () => {
  const b = bench(forwardAll);
  b.ue.receive(request("INVITE"));
  const back = b.transport.connect({ side: "core", remotePort: 7777 });
  const looped = peer(b).sent[0] ?? "";
  back.receive(
    looped.replace("SIP/2.0/UDP 127", "SIP/2.0/UDP 127.0.0.7:1;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP 127"),
  );
  assert.deepEqual(statuses(back), [482]);
  back.sent.length = 0;
  back.receive(
    looped
      .replace("INVITE sip:bob@", "INVITE sip:carol@")
      .replace("SIP/2.0/UDP 127", "SIP/2.0/UDP 127.0.0.7:1;branch=z9hG4bKy\r\nVia: SIP/2.0/UDP 127"),
  );
  assert.deepEqual(statuses(back), []);
});

test("RFC 5393 §5.3: Max-Breadth is shared among parallel branches, 440 when it is used up", () => {
  const parallel: Procedure = (context) => {
    for (const port of [7001, 7002]) {
      const targets = [target(port)];
      context.fork(context.forward(), {
        parallel: 2,
        destination: { kind: "targets", side: "core", targets },
      });
    }
  };
  const b = bench(parallel);
  b.ue.receive(request("INVITE", ["Max-Breadth: 5"]));
  assert.equal(parsed(peer(b).sent[0]).header("Max-Breadth"), "2");
  const narrow = bench(parallel);
  narrow.ue.receive(request("INVITE", ["Max-Breadth: 1"]));
  assert.deepEqual(statuses(narrow.ue), [440]);
});

test("RFC 3261 §9.1: who has said nothing in the time given is given up, and cancelled when it begins to answer", () => {
  const seen: [number, boolean][] = [];
  const b = bench((context) => {
    context.fork(context.forward(), {
      destination: { kind: "uri", side: "core" },
      firstResponseMs: 2_000,
      onResponse: (response, _fork, local) => {
        seen.push([response.status, local]);
        return context.answered ? "absorb" : "forward";
      },
    });
  });
  b.ue.receive(request("INVITE"));
  b.clock.advance(1_999);
  assert.deepEqual(seen, []);
  b.clock.advance(1);
  assert.deepEqual(seen, [[408, true]]);
  assert.deepEqual(statuses(b.ue).at(-1), 408);
  const before = peer(b).sent.length;
  peer(b).receive(answer(peer(b).sent[0], 180));
  assert.match(peer(b).sent[before] ?? "", /^CANCEL /);
  peer(b).receive(answer(peer(b).sent[0], 200));
  assert.deepEqual(seen.at(-1), [200, false]);
  assert.deepEqual(b.defects, []);
});

test("100 is a response: who has sent it in time may take as long as it likes", () => {
  const b = bench((context) => {
    context.fork(context.forward(), { destination: { kind: "uri", side: "core" }, firstResponseMs: 2_000 });
  });
  b.ue.receive(request("INVITE"));
  peer(b).receive(answer(peer(b).sent[0], 100));
  b.clock.advance(100_000);
  assert.equal(
    statuses(b.ue).some((status) => status >= 200),
    false,
  );
  peer(b).receive(answer(peer(b).sent[0], 200));
  assert.equal(statuses(b.ue).at(-1), 200);
});

test("what the transport drops as stale is counted with the side it came on", () => {
  const dropped: string[] = [];
  const transport = new FakeTransportLayer();
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: () => undefined,
  };
  const core = new ProxyCore({
    sides: [{ name: "core", entity, strict: false }],
    clock: fakeClock(),
    locator: { locate: () => [] },
    transport: () => transport,
    onDefect: (error) => assert.fail(String(error)),
    counters: {
      request: () => undefined,
      response: () => undefined,
      dropped: (reason, side) => dropped.push(`${reason} ${side}`),
    },
  });
  core.onStale("core");
  assert.deepEqual(dropped, ["stale core"]);
});
