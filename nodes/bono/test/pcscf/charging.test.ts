import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChargingEvent, ChargingTriggers } from "@ims/ims";
import { only, PcscfBench } from "../support/pcscf-bench.ts";

function chargedBench(): { bench: PcscfBench; events: ChargingEvent[] } {
  const events: ChargingEvent[] = [];
  const bench = new PcscfBench();
  const charging = new ChargingTriggers({
    ...{ node: "P-CSCF", nodeAddress: "10.0.0.1", methods: ["INVITE", "REGISTER"] },
    now: () => bench.clock.now(),
    emit: (event) => events.push(event),
  });
  Object.assign(bench.modules, { charging });
  return { bench, events };
}
const brief = ({ kind, method, role, status, icid }: ChargingEvent) => ({ kind, method, role, status, icid });

test("TS 32.260 §5.2.2.1: the P-CSCF of the caller charges the ICID it has made, where the home network says", () => {
  const { bench, events } = chargedBench();
  const alice = bench.ue(40001);
  bench.register(alice, "alice", ['P-Charging-Function-Addresses: ccf="aaa://cdf.example.com"; ccf=second']);
  const toCore = only(bench.request(alice, {}).filter(({ message }) => message.isRequest));
  const toUe = bench.answer(toCore, 200, [
    "P-Charging-Vector: icid-value=icid2;orig-ioi=example.com;term-ioi=example.org",
    "Contact: <sip:bob@10.9.9.9>",
  ]);
  assert.equal(toUe.at(-1)?.message.has("P-Charging-Vector"), false);
  assert.deepEqual(events.map(brief), [
    { kind: "event", method: "REGISTER", role: "originating", status: 200, icid: "icid1" },
    { kind: "start", method: "INVITE", role: "originating", status: 200, icid: "icid2" },
  ]);
  assert.deepEqual(events[1]?.ccf, ["aaa://cdf.example.com", "second"]);
  assert.deepEqual([events[1]?.origIoi, events[1]?.termIoi], ["example.com", "example.org"]);
  assert.deepEqual(events[1]?.callingParty, ["sip:alice@example.com"]);
});

test("TS 24.229 §5.2.6.4.4: an answer of the called UE goes on with the ICID and our network as term-ioi", () => {
  const { bench, events } = chargedBench();
  const bob = bench.ue(40002);
  bench.register(bob, "bob");
  const toBob = only(
    bench
      .request(bench.sprout(), {
        uri: "sip:bob@10.1.1.1:5060",
        headers: [
          `Route: ${bench.pathOf(bob)}`,
          "P-Called-Party-ID: <sip:bob@example.com>",
          "P-Charging-Vector: icid-value=abc;orig-ioi=home1.net",
        ],
      })
      .filter(({ message }) => message.isRequest),
  );
  const back = only(
    bench.answer(toBob, 200, ["Contact: <sip:bob@10.1.1.1>", "P-Charging-Vector: icid-value=forged"]),
  );
  assert.deepEqual(back.message.values("P-Charging-Vector"), [
    "icid-value=abc;orig-ioi=home1.net;term-ioi=example.com",
  ]);
  const start = events.at(-1);
  assert.deepEqual(start && brief(start), {
    kind: "start",
    method: "INVITE",
    role: "terminating",
    status: 200,
    icid: "abc",
  });
  assert.equal(start?.requestedParty, "sip:bob@example.com");
});

test("a call that fails here or there is an event; who is not registered is not charged", () => {
  const { bench, events } = chargedBench();
  const stranger = bench.ue(40003);
  bench.request(stranger, {});
  assert.deepEqual(events, []);
  const alice = bench.ue(40001);
  bench.register(alice);
  const toCore = only(bench.request(alice, { callId: "busy" }).filter(({ message }) => message.isRequest));
  bench.answer(toCore, 486);
  assert.deepEqual(events.slice(1).map(brief), [
    { kind: "event", method: "INVITE", role: "originating", status: 486, icid: "icid2" },
  ]);
});
