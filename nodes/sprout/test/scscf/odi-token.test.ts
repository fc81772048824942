import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { parseUri } from "@ims/sip";
import fc from "fast-check";
import { OdiTokens, type OriginalDialog } from "../../src/scscf/odi-token.ts";

const key = createSecretKey(Buffer.alloc(16, 7));
const tokens = new OdiTokens(key, "sip:scscf.example.com;transport=tcp");
const line = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => text.replaceAll("\n", ""));
const dialog: fc.Arbitrary<OriginalDialog> = fc.record(
  {
    sessionCase: fc.constantFrom(0, 1, 2, 3, 4),
    impu: line,
    wildcard: line,
    list: fc.constantFrom("profile", "fallback"),
    priority: fc.nat(2 ** 32 - 1),
    place: fc.nat(1000),
    uriPrint: line,
  },
  { noNullPrototype: true },
);

test("TS 24.229 §5.4.3.2: an original dialog identifier is read back whole by every member with the key, and by nobody else", () => {
  const other = new OdiTokens(createSecretKey(Buffer.alloc(16, 7)), "sip:192.0.2.1:5054");
  const stranger = new OdiTokens(createSecretKey(randomBytes(16)), "sip:scscf.example.com");
  fc.assert(
    fc.property(dialog, (given) => {
      const token = tokens.issue(given);
      assert.deepEqual(other.read(token), given);
      assert.equal(other.issue(given), token);
      assert.equal(stranger.read(token), "forged");
      assert.deepEqual(parseUri(`sip:${token}@example.com`)?.user, token);
    }),
  );
});

test("an original dialog identifier with any one character changed is forged", () => {
  const token = tokens.issue({
    sessionCase: 1,
    impu: "sip:alice@example.com",
    wildcard: "",
    list: "profile",
    priority: 3,
    place: 0,
    uriPrint: "abc",
  });
  for (let at = 4; at < token.length; at++)
    assert.equal(
      tokens.read(`${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`),
      "forged",
    );
  assert.equal(tokens.read("alice"), "none");
  assert.equal(tokens.read("odi_"), "forged");
});

test("the Route leads to the S-CSCF of the pool, with the user part that it may already have replaced", () => {
  const given: OriginalDialog = {
    sessionCase: 0,
    impu: "sip:a@b",
    wildcard: "",
    list: "profile",
    priority: 0,
    place: 0,
    uriPrint: "",
  };
  assert.match(tokens.route(given), /^<sip:odi_[\w-]+@scscf\.example\.com;transport=tcp;lr;orig>$/);
  assert.match(tokens.route({ ...given, sessionCase: 2 }), /;transport=tcp;lr>$/);
  assert.match(
    new OdiTokens(key, "sip:s@192.0.2.1:5054;lr").route(given),
    /^<sip:odi_[\w-]+@192\.0\.2\.1:5054;lr;orig>$/,
  );
});
