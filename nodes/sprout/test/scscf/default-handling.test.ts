import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import type { Bench } from "../support/bench.ts";
import {
  chainBench,
  fromAlice,
  ifc,
  method,
  only,
  returned,
  sessionCase,
  visited,
} from "../support/chain.ts";

const statuses = (left: readonly SipMessage[]): number[] => left.map(({ status }) => status);
const toServer = (b: Bench, port = 7001) => b.dialled(port);
/** Not the polls. */
const calls = (left: readonly SipMessage[]): SipMessage[] => left.filter((one) => one.method !== "OPTIONS");

for (const status of [408, 500, 503, 504])
  test(`TS 24.229 §5.4.3.2: SESSION_CONTINUED goes on with the next server after ${status}`, async () => {
    const b = await chainBench({ alice: [ifc(7001), ifc(7002)] });
    const first = only(await fromAlice(b));
    const second = only(
      calls(await b.send(b.answer(first, status), toServer(b))).filter(
        ({ status: s, method: m }) => s === 0 && m !== "ACK",
      ),
    );
    assert.equal(visited(second), "7002");
    const [, back] = second.values("Route");
    assert.notEqual(back, first.values("Route")[1]);
  });

test("TS 24.229 §5.4.3.2: SESSION_TERMINATED hands the 5xx to the caller", async () => {
  const b = await chainBench({ alice: [ifc(7001, { defaultHandling: "terminate" }), ifc(7002)] });
  const first = only(await fromAlice(b));
  const left = await b.send(b.answer(first, 500), toServer(b));
  assert.deepEqual(statuses(left.filter(({ method: m }) => m !== "ACK")), [500]);
});

test("TS 24.229 §5.4.3.2: other final answers, and failures after a provisional one, are the answer to the caller", async () => {
  for (const [before, status] of [
    [undefined, 486],
    [undefined, 403],
    [undefined, 603],
    [183, 500],
    [180, 408],
  ] as const) {
    const b = await chainBench({ alice: [ifc(7001), ifc(7002)] });
    const first = only(await fromAlice(b));
    if (before !== undefined) await b.send(b.answer(first, before), toServer(b));
    const left = await b.send(b.answer(first, status), toServer(b));
    assert.deepEqual(statuses(left.filter(({ method: m }) => m !== "ACK")), [status]);
  }
});

test("TS 24.229 §5.4.3.2: a silent server is given up in time, passed over while it is away, and used at once when it is back", async () => {
  const b = await chainBench({ alice: [ifc(7001), ifc(7002)] });
  only(await fromAlice(b));
  assert.deepEqual(calls(await b.advance(1_999)), []);
  const left = await b.advance(1);
  assert.deepEqual(calls(left).map(visited), ["7002"]);
  // The next call does not wait.
  assert.deepEqual(calls(await fromAlice(b)).map(visited), ["7002"]);
  assert.deepEqual(b.entities.serversAway(), ["sip:127.0.0.1:7001;transport=tcp"]);
  // It answers a poll, be it with an error: the next call is its again.
  const polls: SipMessage[] = left.filter((one) => one.method === "OPTIONS");
  assert.equal(polls.length, 1);
  await b.send(b.answer(polls[0] ?? assert.fail(), 405), toServer(b));
  assert.deepEqual(b.entities.serversAway(), []);
  assert.deepEqual((await fromAlice(b)).map(visited), ["7001"]);
});

test("a server that nobody has wanted for a minute is not polled any more", async () => {
  const b = await chainBench({ alice: [ifc(7001)] });
  await fromAlice(b);
  let polls = 0;
  for (let second = 0; second < 90; second++)
    polls += (await b.advance(1_000)).filter((one) => one.method === "OPTIONS").length;
  assert.ok(polls > 10 && polls < 60, `${polls} polls`);
  assert.deepEqual(b.entities.serversAway(), []);
});

test("TS 24.229 §5.4.3.2: SESSION_TERMINATED answers 408 to an INVITE that a silent server had, and at once while it is away", async () => {
  const b = await chainBench({ alice: [ifc(7001, { defaultHandling: "terminate" })] });
  await fromAlice(b);
  assert.deepEqual(calls(await b.advance(3_999)), []);
  assert.deepEqual(statuses(calls(await b.advance(1))), [408]);
  assert.deepEqual(statuses(calls(await fromAlice(b))), [408]);
});

test("RFC 4320 §4: a PUBLISH may take four times as long, and ends with 504", async () => {
  const b = await chainBench({ alice: [ifc(7001, { defaultHandling: "terminate" })] });
  await fromAlice(b, "PUBLISH");
  assert.deepEqual(
    calls(await b.advance(15_999)).filter(({ method: m }) => m !== "PUBLISH"),
    [],
  );
  assert.deepEqual(statuses(calls(await b.advance(1)).filter(({ status }) => status !== 0)), [504]);
});

test("a server that cannot be reached costs no time: nobody is there, or its name is no SIP URI", async () => {
  const b = await chainBench({
    alice: [ifc(7001), ifc(7002, { serverName: "sip:" }), ifc(7003, { serverName: "hello" }), ifc(7004)],
  });
  b.transport.refuse({ protocol: "TCP", address: "127.0.0.1", port: 7001 });
  assert.deepEqual((await fromAlice(b)).map(visited), ["7004"]);
});

test("RFC 3261 §9.1: a server that answers too late is cancelled, and what it sends on does no harm", async () => {
  const b = await chainBench({ alice: [ifc(7001)] });
  const first = only(await fromAlice(b));
  const delivered = only(calls(await b.advance(2_000)));
  assert.equal(delivered.requestUri, "sip:bob@192.0.2.2:5060");
  const late = await b.send(b.answer(first, 183), toServer(b));
  assert.deepEqual(
    late.map((one) => one.method || one.status),
    ["CANCEL"],
  );
  // The callee answers the call that went on; a late 2xx of the server is one of a second fork.
  assert.deepEqual(statuses(await b.send(b.answer(delivered, 200), b.dialled())), [200]);
  assert.deepEqual(statuses(await b.send(b.answer(first, 200), toServer(b))), [200]);
});

test("a late 2xx for a call that has failed meanwhile is not shown to the caller", async () => {
  const b = await chainBench({ alice: [ifc(7001)] });
  const first = only(await fromAlice(b));
  const delivered = only(calls(await b.advance(2_000)));
  const busy = await b.send(b.answer(delivered, 486), b.dialled());
  assert.deepEqual(statuses(busy.filter(({ method: m }) => m !== "ACK")), [486]);
  assert.deepEqual(await b.send(b.answer(first, 200), toServer(b)), []);
});

test("RFC 3261 §16.10: a caller who gives up while the server is silent gets 487, and nobody else is called", async () => {
  const b = await chainBench({ alice: [ifc(7001), ifc(7002)] });
  await fromAlice(b, "INVITE", ["X-Test: 1"]);
  const invite = b.request("INVITE", {
    uri: "sip:bob@example.com",
    callId: "c9",
    branch: "z9hG4bKc9",
    headers: [
      "Route: <sip:127.0.0.1:5054;transport=tcp;lr;orig>",
      "P-Asserted-Identity: <sip:alice@example.com>",
    ],
  });
  await b.send(invite, b.toScscf);
  const cancel = b.request("CANCEL", { uri: "sip:bob@example.com", callId: "c9", branch: "z9hG4bKc9" });
  assert.deepEqual(statuses(await b.send(cancel, b.toScscf)), [200]);
  const left = calls(await b.advance(2_000)).filter(({ callId }) => callId === "c9");
  assert.deepEqual(
    left.map((one) => one.method || one.status),
    [487],
  );
});

test("a server that sends the request back twice, or into a loop, ends in an error for the caller only", async () => {
  const b = await chainBench({ alice: [ifc(7001)] });
  let asked = only(await fromAlice(b));
  await b.send(returned(asked), b.toScscf);
  const again = await b.send(returned(asked), b.toScscf);
  assert.ok(again.length <= 1);
  // It takes itself for the end of the way and calls the user again: each time a new chain, until Max-Forwards is used up.
  let rounds = 0;
  for (; rounds < 100 && asked.method === "INVITE"; rounds++) {
    const looped = returned(asked, (request) => {
      request.remove("Route").append("Route", "<sip:127.0.0.1:5054;transport=tcp;lr;orig>");
    });
    asked = only(await b.send(looped, b.toScscf));
  }
  assert.equal(asked.status, 483);
  assert.ok(rounds < 75, `${rounds}`);
});

test("TS 23.218 §5.2.2: shared sets, then fallback criteria for a request that meets none; both may be replaced", async () => {
  const b = await chainBench({
    alice: [ifc(7005, { when: [method("SUBSCRIBE")] })],
    aliceSets: [3, 77],
    operatorCriteria: {
      shared: new Map([[3, [ifc(7001, { when: [sessionCase(0)] })]]]),
      fallback: [ifc(7009, { when: [method("MESSAGE")] })],
    },
  });
  const shared = only(await fromAlice(b));
  assert.equal(visited(shared), "7001");
  // A chain that has met criteria does not fall back at its end.
  assert.equal(only(await b.send(returned(shared), b.toScscf)).requestUri, "sip:bob@192.0.2.2:5060");
  b.entities.replaceCriteria({ shared: new Map(), fallback: [ifc(7008), ifc(7009)] });
  const fallen = only(await fromAlice(b));
  assert.equal(visited(fallen), "7008");
  assert.equal(visited(only(await b.send(returned(fallen), b.toScscf))), "7009");
});

test("an operator may refuse what meets no criteria, and name a server that stands for none", async () => {
  const b = await chainBench({
    alice: [ifc(7001, { when: [method("INVITE"), sessionCase(0)], serverName: "sip:none.invalid" })],
    options: { rejectIfNoMatchingIfcs: true, dummyApplicationServer: "sip:none.invalid" },
  });
  assert.equal(only(await fromAlice(b)).requestUri, "sip:bob@192.0.2.2:5060");
  assert.deepEqual(statuses(await fromAlice(b, "MESSAGE")), [403]);
});
