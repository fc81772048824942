import assert from "node:assert/strict";
import { test } from "node:test";
import { identitiesOf, KeyError, keyOf } from "../src/core/key.ts";

test("a name is taken as it is; a number may be written as people write it", () => {
  for (const name of [
    "001010123456789",
    "sip:alice@example.com",
    "8f3a-12@192.0.2.7",
    "12-34",
    "<x>@y",
    "%00",
  ])
    assert.equal(keyOf(name), name);
  assert.equal(keyOf(" alice "), "alice");
  assert.equal(keyOf("+49 (30) 123-456"), "+4930123456");
});

test("what can be nobody's name is refused in one line with what to give", () => {
  for (const name of [
    "",
    " ",
    "a b",
    "a\nb",
    "a\u0000",
    "\u202eb",
    "ä",
    "x".repeat(301),
    "x".repeat(1_000_000),
  ])
    assert.throws(
      () => keyOf(name),
      (error: unknown) =>
        error instanceof KeyError && /give an IMSI/.test(error.message) && error.message.length < 250,
      name.slice(0, 20),
    );
});

test("a number is looked for as a SIP URI of the home domain and as a tel URI", () => {
  assert.deepEqual(identitiesOf("6505550000", "example.com"), [
    "sip:6505550000@example.com",
    "tel:6505550000",
  ]);
  assert.deepEqual(identitiesOf("alice", "example.com"), ["sip:alice@example.com"]);
  assert.deepEqual(identitiesOf("alice@example.org", "example.com"), ["sip:alice@example.org"]);
  assert.deepEqual(identitiesOf("tel:+1", undefined), ["tel:+1"]);
});
