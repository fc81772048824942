import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, type Sent } from "../support/pcscf-bench.ts";

const TIMERS = { sessionExpires: 600, maxSessionExpires: 1800, minSessionExpires: 120 } as const;

function requests(sent: readonly Sent[]): Sent {
  return only(sent.filter(({ message }) => message.isRequest));
}

test("TS 24.229 §5.2.7.2, RFC 4028 §8: calls of a UE are to be refreshed; 422 when it asks for too short an interval", () => {
  const bench = new PcscfBench({ sessionTimers: TIMERS });
  const ue = bench.ue(40000);
  bench.register(ue);
  const invite = requests(bench.request(ue, { callId: "a", headers: ["Supported: timer"] }));
  assert.equal(invite.message.header("Session-Expires"), "600");
  const { message: answer } = only(bench.answer(invite, 200));
  assert.deepEqual(
    [answer.header("Session-Expires"), answer.values("Require")],
    ["600;refresher=uac", ["timer"]],
  );
  const brief = ["Session-Expires: 90", "Supported: timer"];
  const { message: refused } = only(bench.request(ue, { callId: "b", headers: brief }));
  assert.deepEqual([refused.status, refused.header("Min-SE")], [422, "120"]);
});

test("TS 24.229 §5.2.7.3, RFC 4028 §8: calls to a UE are to be refreshed; who refreshes is the UE's to say", () => {
  const bench = new PcscfBench({ sessionTimers: TIMERS });
  const ue = bench.ue(40000);
  bench.register(ue);
  const sprout = bench.sprout();
  const call = (callId: string): Sent =>
    requests(
      bench.request(sprout, {
        uri: "sip:alice@10.1.1.1:5060",
        from: "bob",
        callId,
        headers: [`Route: ${bench.pathOf(ue)}`, "Supported: timer", "Session-Expires: 9000"],
      }),
    );
  const first = call("a");
  assert.equal(first.message.header("Session-Expires"), "1800");
  const timed = ["Session-Expires: 1800;refresher=uas", "Require: timer"];
  assert.equal(only(bench.answer(first, 200, timed)).message.header("Session-Expires"), "1800;refresher=uas");
  assert.equal(only(bench.answer(call("b"), 200)).message.header("Session-Expires"), "1800;refresher=uac");
});

test("without session timers configured requests and answers stay as they are", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const invite = requests(bench.request(ue, { headers: ["Supported: timer", "Session-Expires: 30"] }));
  assert.equal(invite.message.header("Session-Expires"), "30");
  assert.equal(only(bench.answer(invite, 200)).message.has("Session-Expires"), false);
});
