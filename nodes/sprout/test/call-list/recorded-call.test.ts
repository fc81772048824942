import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { RecordedCalls } from "../../src/call-list/recorded-call.ts";

const keyOf = (octet: number) => createSecretKey(Buffer.alloc(16, octet));
const CALL = { impu: "sip:bob@example.com", call: "00ff00ff00ff", startedAt: 1_700_000_000_123 };

test("any member of the pool reads the token of another one, and who sees it learns nothing of who is served", () => {
  const token = new RecordedCalls(keyOf(1)).issue(CALL);
  assert.deepEqual(new RecordedCalls(keyOf(1)).read(token), CALL);
  assert.doesNotMatch(Buffer.from(token.slice(3), "base64url").toString("latin1"), /bob|example/);
  assert.match(token, /^cl_[A-Za-z0-9_-]+$/, "it may stand in the user part of a SIP URI as it is");
});

test("two calls have two names, and no token is given twice", () => {
  const tokens = new RecordedCalls(keyOf(1));
  assert.match(tokens.call(), /^[0-9a-f]{12}$/);
  assert.notEqual(tokens.call(), tokens.call());
  assert.notEqual(tokens.issue(CALL), tokens.issue(CALL));
});

test("tokens that were made up, changed, cut or sealed by another pool are forged, other user parts are none", () => {
  const tokens = new RecordedCalls(keyOf(1));
  const token = tokens.issue(CALL);
  for (let at = 3; at < token.length - 1; at++) {
    const other = token[at] === "A" ? "B" : "A";
    assert.equal(tokens.read(token.slice(0, at) + other + token.slice(at + 1)), "forged", `at ${at}`);
  }
  for (const bad of [
    ...["cl_", "cl_AAAA", `cl_${"A".repeat(48)}`, `cl_${"A".repeat(5_000)}`, "cl_!!", token.slice(0, -4)],
    new RecordedCalls(keyOf(2)).issue(CALL),
  ])
    assert.equal(tokens.read(bad), "forged", bad.slice(0, 60));
  for (const other of ["", "bob", "odi_abc", "CL_x"]) assert.equal(tokens.read(other), "none");
});
