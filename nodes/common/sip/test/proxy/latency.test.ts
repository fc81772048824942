import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import {
  ProxyCore,
  type RequestContext,
  sipCounters,
  sipGauges,
  type TransactionUser,
} from "../../src/index.ts";
import { FakeTransportLayer } from "../../testing/index.ts";

function request(method: string, { branch = "1", toTag = "" } = {}): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK${branch};rport`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a1",
    `To: <sip:bob@example.com>${toTag === "" ? "" : `;tag=${toTag}`}`,
    `Call-ID: call-${branch}`,
    `CSeq: 1 ${method}`,
    "Contact: <sip:alice@127.0.0.1:6000>",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** A core whose entity leaves the answers to the test. */
function bench() {
  const clock = fakeClock();
  const register = metricsRegister();
  const transport = new FakeTransportLayer();
  const contexts: RequestContext[] = [];
  const entity: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: (context) => void contexts.push(context),
  };
  const core = new ProxyCore({
    sides: [
      { name: "access", entity, strict: true },
      { name: "core", entity, strict: false },
    ],
    clock,
    locator: { locate: () => [] },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => assert.fail(String(error)),
    counters: sipCounters(register, "ims_test", ["access", "core"]),
  });
  sipGauges(register, "ims_test", () => core);
  const ue = transport.connect({ side: "access", remotePort: 6000 });
  const lines = async (name: string): Promise<string[]> =>
    (await register.scrape()).split("\n").filter((line) => line.startsWith(`ims_test_sip_${name}`));
  return { clock, contexts, ue, lines };
}

test("a request is timed from its arrival to its first final answer, by method and side", async () => {
  const b = bench();
  b.ue.receive(request("MESSAGE"));
  assert.deepEqual(await b.lines("requests_in_progress"), ["ims_test_sip_requests_in_progress 1"]);
  b.clock.advance(30);
  b.contexts[0]?.respond(200);
  b.ue.receive(request("MESSAGE")); // again: the answer is sent again and timed once
  assert.deepEqual(await b.lines("requests_in_progress"), ["ims_test_sip_requests_in_progress 0"]);
  const buckets = await b.lines('request_seconds_bucket{le="0.0');
  assert.ok(
    buckets.includes('ims_test_sip_request_seconds_bucket{le="0.02",side="access",method="MESSAGE"} 0'),
  );
  assert.ok(
    buckets.includes('ims_test_sip_request_seconds_bucket{le="0.05",side="access",method="MESSAGE"} 1'),
  );
  assert.deepEqual(await b.lines("request_seconds_sum"), [
    'ims_test_sip_request_seconds_sum{side="access",method="MESSAGE"} 0.03',
  ]);
});

test("TS 32.409: a new call is timed to its first 180 and to its 2xx; inside a dialog nothing is set up", async () => {
  const b = bench();
  b.ue.receive(request("INVITE"));
  b.clock.advance(50);
  b.contexts[0]?.respond(183);
  b.clock.advance(50);
  b.contexts[0]?.respond(180);
  b.clock.advance(4_900);
  b.contexts[0]?.respond(180);
  b.contexts[0]?.respond(200);
  b.ue.receive(request("INVITE", { branch: "2", toTag: "b1" }));
  b.contexts[1]?.respond(180);
  b.contexts[1]?.respond(200);
  assert.deepEqual(await b.lines("call_setup_seconds_sum"), [
    'ims_test_sip_call_setup_seconds_sum{side="access",stage="ringing"} 0.1',
    'ims_test_sip_call_setup_seconds_sum{side="access",stage="answered"} 5',
  ]);
  assert.deepEqual(await b.lines("call_setup_seconds_count"), [
    'ims_test_sip_call_setup_seconds_count{side="access",stage="ringing"} 1',
    'ims_test_sip_call_setup_seconds_count{side="access",stage="answered"} 1',
  ]);
  assert.deepEqual(await b.lines("request_seconds_count"), [
    'ims_test_sip_request_seconds_count{side="access",method="INVITE"} 2',
  ]);
});

test("refusals are counted by status code; one without a meaning of its own by its class", async () => {
  const b = bench();
  for (const [index, status] of [486, 486, 499, 603, 302].entries()) {
    b.ue.receive(request("INVITE", { branch: `f${index}` }));
    b.contexts[index]?.respond(status);
  }
  assert.deepEqual((await b.lines("failures_total")).sort(), [
    'ims_test_sip_failures_total{side="access",status="302",method="INVITE"} 1',
    'ims_test_sip_failures_total{side="access",status="486",method="INVITE"} 2',
    'ims_test_sip_failures_total{side="access",status="603",method="INVITE"} 1',
    'ims_test_sip_failures_total{side="access",status="other4xx",method="INVITE"} 1',
  ]);
  assert.deepEqual(await b.lines("call_setup_seconds_count"), []);
});
