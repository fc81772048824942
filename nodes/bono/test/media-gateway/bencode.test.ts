import assert from "node:assert/strict";
import { test } from "node:test";
import { bdecode, bencode } from "../../src/media-gateway/bencode.ts";

test("ng protocol: what is written is read again; octets count, not characters of Unicode", () => {
  const text = bencode({
    command: "offer",
    sdp: "s=\xc3\xbc",
    flags: ["a", "b"],
    "delete-delay": 0,
    none: undefined,
  });
  assert.equal(text, "d7:command5:offer3:sdp4:s=\xc3\xbc5:flagsl1:a1:be12:delete-delayi0ee");
  assert.deepEqual(
    bdecode(text),
    new Map<string, unknown>([
      ["command", "offer"],
      ["sdp", "s=\xc3\xbc"],
      ["flags", ["a", "b"]],
      ["delete-delay", 0],
    ]),
  );
  assert.deepEqual(bdecode("d9:__proto__d1:ai-7eee"), new Map([["__proto__", new Map([["a", -7]])]]));
});

test("ng protocol: what is no value, or more than one, is none", () => {
  const wrong = [
    "",
    "d",
    "d3:foo",
    "l1:ae1:b",
    "i12",
    "ie",
    "i1.5e",
    "-3:abc",
    "5:abc",
    "d1:ae",
    "di1e1:ae",
    "x",
    "99999999999999999999999:a",
  ];
  for (const text of wrong) assert.equal(bdecode(text), undefined, text);
  assert.equal(bdecode("l".repeat(60_000)), undefined, "deep");
  assert.equal(bdecode(`${"l".repeat(40)}${"e".repeat(40)}`), undefined, "deeper than any answer");
});
