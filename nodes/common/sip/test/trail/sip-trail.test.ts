import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Trail, type TrailStep } from "@ims/runtime";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";
import { ProxyCore, type RequestContext, SipTrail, type TransactionUser } from "../../src/index.ts";
import { FakeTransportLayer } from "../../testing/index.ts";

const SECRET = "0123456789abcdefSECRET";

interface Bench {
  readonly trail: Trail;
  readonly transport: FakeTransportLayer;
  readonly clock: FakeClock;
  find(...keys: string[]): Promise<readonly TrailStep[]>;
}

function bench(onRequest: (context: RequestContext) => void, more: readonly TransactionUser[] = []): Bench {
  const clock = fakeClock();
  const transport = new FakeTransportLayer();
  const trail = new Trail({ bytes: 1_000_000, steps: 1_000, clock, origin: () => 0 });
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: (uri) => uri.host === "pcscf.example.com",
    onRequest,
  };
  new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false },
      ...more.map((one, index) => ({ name: `more${index}`, entity: one, strict: false })),
    ],
    clock,
    locator: {
      locate: () => [{ protocol: "UDP", address: "127.0.0.9", port: 7000 }],
      failed: () => undefined,
    },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
    trail: new SipTrail(trail),
  });
  return {
    trail,
    transport,
    clock,
    find: async (...keys) => (await trail.find({ keys, limit: 100, text: true })).steps,
  };
}

function request(method: string, more: readonly string[] = [], body = ""): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    "Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKone;rport",
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a1",
    "To: <sip:bob@example.com>",
    "Call-ID: call-1",
    `CSeq: 1 ${method}`,
    "P-Charging-Vector: icid-value=icid-1;orig-ioi=example.com",
    ...more,
    `Content-Length: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}

const forwardAll = (context: RequestContext): void =>
  void context.fork(context.forward(), { destination: { kind: "uri", side: "core" } });

test("an exporter is told the Call-ID and ICID of a message as its reader finds them, however they are written", () => {
  const b = bench(forwardAll);
  const told: unknown[] = [];
  b.trail.attach((step) => {
    const { callId, icid } = step.read() ?? {};
    assert.deepEqual(step.identifiers(), { ...(callId && { callId }), ...(icid && { icid }) });
    told.push(callId, icid);
  });
  const ue = b.transport.connect({ side: "access", remotePort: 6000 });
  const vector = "P-Charging-Vector: icid-value=icid-1;orig-ioi=example.com";
  for (const text of [
    request("OPTIONS"),
    request("OPTIONS")
      .replace("Call-ID: call-1", "i  :  call-2 \t")
      .replace(vector, 'p-charging-vector:icid-value = "x y"'),
    request("OPTIONS").replace("Call-ID: call-1", "CALL-ID:call-3").replace(`${vector}\r\n`, ""),
  ])
    ue.receive(text.replace("z9hG4bKone", `z9hG4bK${text.length}`));
  for (const one of ["call-1", "icid-1", "call-2", "x y", "call-3", undefined])
    assert.ok(told.includes(one), String(one));
});

test("what comes and goes of a call is found by its Call-ID, its ICID and its users, in order, with times and ends", async () => {
  const b = bench(forwardAll);
  const ue = b.transport.connect({ side: "access", remotePort: 6000 });
  ue.receive(request("INVITE"));
  b.clock.advance(5);
  const [next] = b.transport.dialled;
  const via = /Via: [^\r]*/.exec(next?.sent[0] ?? "")?.[0] ?? "";
  next?.receive(
    request("INVITE")
      .replace(/^INVITE [^\r]*/, "SIP/2.0 486 Busy Here")
      .replace("Via:", `${via}\r\nVia:`)
      .replace("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b1"),
  );
  for (const key of ["call-1", "icid-1", "sip:alice@example.com", "bob@example.com"]) {
    const steps = await b.find(key);
    assert.deepEqual(
      steps.map(({ direction, title }) => `${direction} ${title}`),
      [
        "in INVITE sip:bob@example.com",
        "out INVITE sip:bob@example.com",
        "in 486 Busy Here (INVITE)",
        "out ACK sip:bob@example.com",
        "out 486 Busy Here (INVITE)",
      ].filter((line) => key !== "icid-1" || !line.includes("ACK") || steps.length === 5),
      key,
    );
  }
  const [first, second, third] = await b.find("call-1");
  assert.deepEqual([first?.time, third?.time], [0, 5]);
  assert.deepEqual(
    [first?.ends?.side, first?.ends?.protocol, first?.ends?.remote.split(":")[1]],
    ["access", "UDP", "6000"],
  );
  assert.equal(second?.ends?.remote, "127.0.0.9:7000");
  assert.deepEqual(first?.identities, ["sip:alice@example.com", "sip:bob@example.com"]);
  assert.notEqual(first?.message, second?.message, "another branch");
});

test("what is sent again is a step of its own", async () => {
  const b = bench(forwardAll);
  b.transport.connect({ side: "access", remotePort: 6000 }).receive(request("OPTIONS"));
  b.clock.advance(600);
  const sent = (await b.find("call-1")).filter(({ direction }) => direction === "out");
  assert.equal(sent.length, 2);
});

test("decisions, hops inside the process and answers made here stand between the messages", async () => {
  const other: TransactionUser = {
    functionalEntity: "S-CSCF",
    accepts: (uri) => uri.user === "bob",
    onRequest: (context) => {
      context.decided("iFC", { server: "sip:as.example.com", priority: 0 });
      context.respond(403, { reason: "Forbidden (test)" });
    },
  };
  const b = bench(forwardAll, [other]);
  b.transport.connect({ side: "access", remotePort: 6000 }).receive(request("MESSAGE"));
  const steps = await b.find("call-1");
  assert.deepEqual(
    steps.map(({ title }) => title),
    [
      "MESSAGE sip:bob@example.com",
      "hop: from P-CSCF, to S-CSCF, request MESSAGE sip:bob@example.com",
      "iFC: entity S-CSCF, server sip:as.example.com, priority 0",
      "answer: entity S-CSCF, status 403, reason Forbidden (test)",
      "403 Forbidden (test) (MESSAGE)",
    ],
  );
});

test("secrets and what users write are neither kept nor shown", async () => {
  const b = bench((context) =>
    context.respond(401, {
      edit: (response) =>
        void response.append(
          "WWW-Authenticate",
          `Digest realm="example.com", nonce="n1", ck="${SECRET}", ik="${SECRET}"`,
        ),
    }),
  );
  const kept: string[] = [];
  b.trail.attach(({ bytes, start, end }) => kept.push(bytes.toString("latin1", start, end)));
  const ue = b.transport.connect({ side: "access", remotePort: 6000 });
  const credentials = `Authorization: Digest username="alice@example.com", nonce="n1", response="${SECRET}"`;
  ue.receive(request("REGISTER", [credentials]));
  ue.receive(request("MESSAGE", ["Content-Type: text/plain"], `Dear Bob, ${SECRET}`));
  ue.receive(`REGISTER sip:example.com SIP/2.0\r\nAuthorization: Digest response="${SECRET}"\r\n\r\n`);
  const steps = await b.find("call-1", "alice@example.com");
  assert.ok(steps.length >= 4, `${steps.length} steps`);
  assert.ok(steps[0]?.identities?.includes("alice@example.com"), "the private identity is an identity");
  assert.ok(!JSON.stringify(steps).includes(SECRET), JSON.stringify(steps));
  assert.ok(!kept.join("\n").includes(SECRET), kept.join("\n"));
  assert.match(steps[0]?.text ?? "", /nonce="#[0-9a-f]{8}"/);
  const nonces = steps.flatMap(({ text = "" }) => text.match(/nonce="[^"]*"/g) ?? []);
  assert.equal(new Set(nonces).size, 1, "whose answer it is can be seen");
});

test("nothing of a message or a connection lives on for the sake of the trail", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  let context: WeakRef<object> | undefined;
  let flow: WeakRef<object> | undefined;
  const b = bench((given) => {
    context = new WeakRef(given);
    flow = new WeakRef(given.flow);
    given.decided("test", { request: given.request.requestUri });
    given.respond(404);
  });
  const ue = b.transport.connect({ side: "access", protocol: "TCP", remotePort: 6001 });
  ue.receive(request("MESSAGE"));
  assert.ok(flow?.deref() === ue);
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  assert.equal(context?.deref(), undefined);
  assert.equal((await b.find("call-1")).length, 4);
});
