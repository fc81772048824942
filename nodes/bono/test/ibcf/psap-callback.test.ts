import assert from "node:assert/strict";
import { test } from "node:test";
import { CARRIER, IbcfBench, PBX } from "../support/ibcf-bench.ts";
import { only } from "../support/pcscf-bench.ts";

test("RFC 7090 §6.2: a call back by a PSAP is believed of a trusted peer, not of another one", () => {
  const b = new IbcfBench();
  const priorityOf = (address: string, priority: string, callId: string): string | undefined =>
    only(
      b.request(b.peer(address), {
        uri: "sip:alice@example.com",
        callId,
        headers: [`Priority: ${priority}`],
      }),
    ).message.header("Priority");
  assert.equal(priorityOf(CARRIER, "psap-callback", "1"), "psap-callback");
  assert.equal(priorityOf(PBX, "PSAP-Callback", "2"), undefined);
  assert.equal(priorityOf(PBX, "urgent", "3"), "urgent");
});
