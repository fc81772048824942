import assert from "node:assert/strict";
import { test } from "node:test";
import { only, PcscfBench, type Sent } from "../support/pcscf-bench.ts";

const SDP = "Content-Type: application/sdp";

/** P-Early-Media of what a UE has answered, as the core gets it. */
function said(
  options: { earlyMedia?: "sendrecv" | "inactive"; supported?: boolean },
  status: number,
  headers: readonly string[],
): readonly string[] {
  const bench = new PcscfBench(options);
  const ue = bench.ue(40000);
  bench.register(ue);
  const sent: readonly Sent[] = bench.request(bench.sprout(), {
    uri: "sip:alice@10.1.1.1:5060",
    from: "bob",
    headers: [
      `Route: ${bench.pathOf(ue)}`,
      ...(options.supported === false ? [] : ["P-Early-Media: supported"]),
    ],
  });
  const invite = only(sent.filter(({ message }) => message.isRequest));
  return only(bench.answer(invite, status, headers)).message.lines("P-Early-Media");
}

test("RFC 5009 §8.3: what a UE says of early media is not believed", () => {
  for (const status of [183, 200]) assert.deepEqual(said({}, status, [SDP, "P-Early-Media: sendrecv"]), []);
});

test("RFC 5009 §8.3: the operator says what early media of UEs is allowed, where media are answered and somebody asks", () => {
  assert.deepEqual(said({ earlyMedia: "inactive" }, 183, [SDP, "P-Early-Media: sendrecv"]), ["inactive"]);
  assert.deepEqual(said({ earlyMedia: "sendrecv" }, 180, [SDP]), ["sendrecv"]);
  assert.deepEqual(said({ earlyMedia: "sendrecv" }, 180, []), [], "no media");
  assert.deepEqual(said({ earlyMedia: "sendrecv" }, 200, [SDP]), [], "no early media");
  assert.deepEqual(
    said({ earlyMedia: "sendrecv", supported: false }, 183, [SDP]),
    [],
    "nobody understands it",
  );
});

test("RFC 5009 §8.1: a UE may say that it understands early media, and learns what is authorised", () => {
  const bench = new PcscfBench();
  const ue = bench.ue(40000);
  bench.register(ue);
  const invite = only(
    bench.request(ue, { headers: ["P-Early-Media: supported"] }).filter(({ message }) => message.isRequest),
  );
  assert.equal(invite.message.header("P-Early-Media"), "supported");
  const { message } = only(bench.answer(invite, 183, ["P-Early-Media: sendonly"]));
  assert.equal(message.header("P-Early-Media"), "sendonly");
});
