import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesWildcard, parseWildcardedImpu } from "../../src/index.ts";

function matches(pattern: string, identity: string): boolean {
  const wildcard = parseWildcardedImpu(pattern);
  assert.ok(wildcard, pattern);
  return matchesWildcard(wildcard, identity);
}

test("TS 23.003 §13.4B: the expression between the exclamation marks covers a range of identities", () => {
  assert.equal(matches("sip:list-!.*!@example.com", "sip:list-friends@example.com"), true);
  assert.equal(matches("sip:list-!.*!@Example.com", "sip:list-@example.com"), true);
  assert.equal(matches("sip:list-!.*!@example.com", "sip:other@example.com"), false);
  assert.equal(matches("sip:list-!.*!@example.com", "sip:list-a@example.org"), false);
  assert.equal(matches("tel:+1650!.{7}!", "tel:+16505550000"), true);
  assert.equal(matches("tel:+1650!.{7}!", "tel:+1650555000"), false);
  assert.equal(matches("sip:!a|b!-x@example.com", "sip:b-x@example.com"), true);
  assert.equal(matches("sip:!a|b!-x@example.com", "sip:ab-x@example.com"), false);
});

test("TS 23.003 §13.4B: what is not a wildcarded identity is refused", () => {
  for (const bad of ["sip:a@b", "!x!", "sip:!(!@b", "http:!.*!", "sip:a!.*!@", "tel:12!.*!3"]) {
    assert.equal(parseWildcardedImpu(bad), undefined, bad);
  }
});
