import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { AnsweredRequests } from "../../src/transaction/answered-requests.ts";

test("RFC 3261 §17.2.2: a response is there for Timer J and no longer", () => {
  const clock = fakeClock();
  const answered = new AnsweredRequests(clock);
  answered.keep("z9hG4bK1|ue:5060|REGISTER|access", "SIP/2.0 200 OK\r\n\r\n", 5, 32_000);
  clock.advance(31_999);
  const found = answered.find("z9hG4bK1|ue:5060|REGISTER|access");
  assert.deepEqual(found, { response: "SIP/2.0 200 OK\r\n\r\n", flowId: 5 });
  assert.equal(answered.find("z9hG4bK1|ue:5060|OPTIONS|access"), undefined);
  clock.advance(1);
  assert.equal(answered.find("z9hG4bK1|ue:5060|REGISTER|access"), undefined);
});

test("at a steady load only those of the last Timer J are kept, and some more", () => {
  const clock = fakeClock();
  const answered = new AnsweredRequests(clock);
  for (let second = 0; second < 200; second++) {
    for (let request = 0; request < 100; request++)
      answered.keep(`z9hG4bK${second}-${request}|ue|REGISTER|access`, `${request}`.repeat(300), 1, 32_000);
    clock.advance(1_000);
  }
  assert.ok(answered.size >= 3_200 && answered.size < 4_800, `${answered.size} kept`);
});
