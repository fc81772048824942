import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { TopologyHiding } from "../../src/ibcf/topology-hiding.ts";

const key = createSecretKey(Buffer.alloc(32, 7));
const VIAS = "SIP/2.0/TCP 10.0.0.2:5054;branch=z9hG4bKa, SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKb";

function hiding(of = key): TopologyHiding {
  return new TopologyHiding({ key: of, network: "example.com" });
}

test("TS 24.229 §5.10.4.3: what one member of the pool has encrypted another one opens, also after a restart", () => {
  for (const text of ["", "x", VIAS, "é".repeat(3_000)]) {
    const token = hiding().seal("via", "call1", text);
    assert.match(token, /^[A-Za-z0-9_-]+$/);
    assert.equal(hiding().open("via", "call1", token), text);
    // A request that is sent on once more, by whatever member, is the same one (RFC 3261 §16.11).
    assert.equal(hiding().seal("via", "call1", text), token);
  }
});

test("a token tells nothing, and not even that two calls take the same way", () => {
  const tokens = ["call1", "call2"].map((callId) => hiding().seal("route", callId, VIAS));
  assert.notEqual(tokens[0], tokens[1]);
  for (const token of tokens)
    assert.doesNotMatch(Buffer.from(token, "base64url").toString("latin1"), /10\.0|SIP|branch/);
});

test("a token is good for its call and its purpose only, and with the key of the pool only", () => {
  const token = hiding().seal("route", "call1", VIAS);
  assert.equal(hiding().open("route", "call2", token), undefined);
  assert.equal(hiding().open("via", "call1", token), undefined);
  assert.equal(hiding(createSecretKey(randomBytes(32))).open("route", "call1", token), undefined);
});

test("tokens that were changed, cut, joined or made up are forged", () => {
  const token = hiding().seal("route", "call1", VIAS);
  const other = hiding().seal("route", "call1", "<sip:evil.example;lr>");
  for (let at = 0; at < token.length; at++) {
    const letter = token[at] === "A" ? "B" : "A";
    assert.equal(
      hiding().open("route", "call1", token.slice(0, at) + letter + token.slice(at + 1)),
      undefined,
    );
    assert.equal(hiding().open("route", "call1", token.slice(0, at)), undefined);
  }
  for (const forged of [
    "",
    ".",
    `${token}A`,
    `${token}=`,
    token + other,
    token.slice(0, 22) + other.slice(22),
    "A".repeat(20_000),
    "__proto__",
    "%41",
    "é",
  ])
    assert.equal(hiding().open("route", "call1", forged), undefined, forged.slice(0, 40));
  for (let count = 0; count < 200; count++)
    assert.equal(hiding().open("route", "call1", randomBytes(16 + count).toString("base64url")), undefined);
});
