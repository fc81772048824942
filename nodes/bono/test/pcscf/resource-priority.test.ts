import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, type Sent } from "../support/pcscf-bench.ts";

function toCore(sent: readonly Sent[]): Sent {
  return only(sent.filter(({ message }) => message.isRequest));
}

test("TS 24.229 §4.11: a UE may claim the priority of its subscription, or less, and nothing else", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  const accepted = bench.register(ue, "alice", ["Resource-Priority: ets.2, dsn.immediate"]);
  assert.equal(accepted.message.has("Resource-Priority"), false, "what is granted is not told to the UE");
  for (const [claimed, passed] of [
    ["ets.2", ["ets.2"]],
    ["ETS.4, dsn.flash", ["ETS.4"]],
    ["ets.0", []],
    ["wps.4", []],
    ["esnet.0", []],
    ["ets", []],
  ] as const) {
    const headers = [`Resource-Priority: ${claimed}`];
    const { message } = toCore(bench.request(ue, { callId: claimed, headers }));
    assert.deepEqual(message.values("Resource-Priority"), passed, claimed);
  }
});

test("TS 24.229 §4.4: who was granted nothing says nothing of priority, in whatever spelling", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  for (const line of [
    "Resource-Priority: ets.4",
    "resource-priority : wps.4",
    "RESOURCE-PRIORITY:\r\n q735.4",
  ])
    assert.equal(
      toCore(bench.request(ue, { callId: line, headers: [line] })).message.has("Resource-Priority"),
      false,
      line,
    );
});

test("TS 24.229 §4.11: inside the dialog the priority goes on as far as it was granted", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue, "alice", ["Resource-Priority: wps.1"]);
  const invite = toCore(bench.request(ue, { headers: ["Resource-Priority: wps.1"] }));
  const { message: answer } = only(bench.answer(invite, 200, ["Contact: <sip:bob@10.0.0.2:5060>"]));
  const routes = answer.values("Record-Route").reverse().join(", ");
  for (const [index, [claimed, passed]] of (
    [
      ["wps.1", true],
      ["wps.0", false],
    ] as const
  ).entries()) {
    const { message } = toCore(
      bench.request(ue, {
        uri: "sip:bob@10.0.0.2:5060",
        to: "<sip:bob@example.com>;tag=t1",
        cseq: index + 2,
        headers: [`Route: ${routes}`, `Resource-Priority: ${claimed}`],
      }),
    );
    assert.equal(message.has("Resource-Priority"), passed, claimed);
  }
});
