import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { Challenged } from "../../src/icscf/challenged.ts";

const query = {
  impi: "a@example.com",
  impu: "sip:a@example.com",
  visitedNetwork: "example.com",
  type: "registration",
} as const;

test("the S-CSCF of a challenged REGISTER is known once, for the same call and identities, for 10 s", () => {
  const clock = fakeClock();
  const challenged = new Challenged(clock);
  challenged.remember("call", query, "sip:scscf");
  assert.equal(challenged.take("other", query), undefined);
  assert.equal(challenged.take("call", { ...query, impu: "sip:b@example.com" }), undefined);
  assert.equal(challenged.take("call", { ...query, type: "deregistration" }), undefined);
  assert.equal(challenged.take("call", query), "sip:scscf");
  assert.equal(challenged.take("call", query), undefined);
  challenged.remember("call", query, "sip:scscf");
  clock.advance(10_001);
  assert.equal(challenged.take("call", query), undefined);
});
