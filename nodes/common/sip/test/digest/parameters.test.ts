import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDigestParameters } from "../../src/digest/parameters.ts";
import { HeaderSet } from "../../src/message/header-names.ts";
import { hideProofs } from "../../src/trail/hide-proofs.ts";
import { redactSip } from "../../src/trail/redact-sip.ts";

/** Mostly `usual`, now and then `odd`. */
const often = (usual: readonly string[], odd: readonly string[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const name = often(
  ["username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop", "algorithm", "ik"],
  ["Response", "x", ""],
);
const value = often(
  [
    '"alice@example.com"',
    '"sip:a@b:5060"',
    "auth",
    "MD5",
    '""',
    '"a, b=c"',
    '"n0nce=="',
    '"sip:a:b@example.com"',
  ],
  ["", '"', '"a\\"b"', "a b", "<a,b>", "sip:a@b", '"x" y', "=", "ab=="],
);
const separator = often([", ", ","], [" , ", ",\t", ",,", " ", ";"]);
const parameter = fc.tuple(name, often(["="], [" =", "= "]), value).map((parts) => parts.join(""));
const credentials = fc
  .tuple(
    often(["Digest "], ["digest\t", "DIGEST  ", "Basic ", "Digest", " Digest "]),
    parameter,
    fc.array(fc.tuple(separator, parameter), { maxLength: 6 }),
    often([""], [" ", ",", ", "]),
  )
  .map((parts) => parts.flat(2).join(""));

test("RFC 7616 §3.4: parameters by their names, quotes taken off", () => {
  assert.deepEqual(
    [...(parseDigestParameters('Digest username="a\\"b", Realm="x, y" ,nc=00000001,, qop = auth') ?? [])],
    [
      ["username", 'a"b'],
      ["realm", "x, y"],
      ["nc", "00000001"],
      ["qop", "auth"],
    ],
  );
  for (const wrong of [
    ...["Basic abc", "Digest", 'Digest nonce="a" realm="b"', 'Digest nonce="a', "Digest =a", "Digest a b=c"],
    ...["Digest nonce=a, NONCE=b", `Digest ${Array.from({ length: 33 }, (_, at) => `p${at}=x`).join(",")}`],
  ])
    assert.equal(parseDigestParameters(wrong), undefined, wrong);
});

test("one pass and the thorough way read the same", () => {
  fc.assert(
    fc.property(credentials, (text) => {
      // A space in front is trimmed, but not in one pass.
      const quick = parseDigestParameters(text);
      const thorough = parseDigestParameters(` ${text}`);
      assert.deepEqual(quick && [...quick], thorough && [...thorough]);
    }),
    { numRuns: 2_000 },
  );
});

test("proofs are hidden in one pass as the thorough way hides them, or not in one pass", () => {
  const fields = new HeaderSet(["Authorization", "WWW-Authenticate", "Authentication-Info"]);
  let done = 0;
  fc.assert(
    fc.property(
      fc.constantFrom("Authorization", "WWW-Authenticate", "authentication-info"),
      fc.constantFrom(" ", "", "  "),
      credentials,
      (field, space, text) => {
        const message = `REGISTER sip:a SIP/2.0\r\nTo: <sip:a@b>\r\n${field}:${space}${text}\r\nMax-Forwards: 70\r\n\r\n`;
        const quick = hideProofs(message, fields);
        if (quick === undefined) return;
        done++;
        assert.equal(quick, redactSip(message, { nonces: "kept" }));
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(done > 100, `${done} in one pass`);
});
