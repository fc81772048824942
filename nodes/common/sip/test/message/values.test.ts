import assert from "node:assert/strict";
import { test } from "node:test";
import { unquote } from "../../src/message/values.ts";

test("RFC 3261 §25.1: quotes and escapes of a quoted-string go, also escapes of escapes", () => {
  const texts = [
    '"plain"',
    '""',
    '"a\\"b"',
    '"a\\\\b"',
    '"\\\\\\""',
    '"a\\\nb"',
    '"',
    '"a',
    "a\\b",
    '"end\\"',
  ];
  assert.deepEqual(texts.map(unquote), [
    "plain",
    "",
    'a"b',
    "a\\b",
    '\\"',
    "a\nb",
    '"',
    '"a',
    "a\\b",
    "end\\",
  ]);
});
