import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseUri, type Uri, uriToString } from "../../src/message/uri.ts";

const plain = (uri: Uri | undefined) =>
  uri === undefined ? undefined : { ...uri, parameters: uri.parameters.toString() };

test("RFC 3261 §19.1.1: a URI means the same when its host and parameters are known as when they are new", () => {
  const written: readonly (readonly [string, ReturnType<typeof plain>])[] = [
    ["sip:core.example:5058;lr", sip("", "core.example", 5058, ";lr")],
    ["sip:token.mark@core.example:5058;lr", sip("token.mark", "core.example", 5058, ";lr")],
    ["sip:core.example:5058;LR", sip("", "core.example", 5058, ";lr")],
    ["sip:CORE.example:5058;l%72", sip("", "core.example", 5058, ";lr")],
    [
      "sip:a;b?c@core.example:5058;lr?x=1;y",
      { ...sip("a;b?c", "core.example", 5058, ";lr"), headers: "x=1;y" },
    ],
    ["sip:a:p@[2001:DB8::1]", { ...sip("a", "2001:db8::1", undefined, ""), password: "p" }],
    ["sips:a@core.example:5058;lr", { ...sip("a", "core.example", 5058, ";lr"), scheme: "sips" }],
    ["sip:a@b@core.example:5058;lr", undefined],
    ["sip:core.example:5058;lr@", undefined],
    ["sip:@core.example:5058;lr", undefined],
    ["sip:a@core.example:5058;lr>", undefined],
    ["sip:a@core.example:5058;lr\u0100", undefined],
    ["sip:a@core.example:5058;=lr", undefined],
  ];
  for (let round = 0; round < 4; round++)
    for (const [text, meaning] of written)
      for (let again = 0; again < 2; again++) assert.deepEqual(plain(parseUri(text)), meaning, text);
});

test("RFC 3261 §19.1.1: whatever URIs came before, one is what it is when it comes first", () => {
  const part = fc.constantFrom(
    "a",
    "B",
    "@",
    ":",
    "5060",
    ";",
    "lr",
    "=",
    "?",
    "%61",
    ".",
    "-",
    "[::1]",
    " ",
    "<",
    "é",
  );
  const text = fc.array(part, { maxLength: 9 }).map((parts) => `sip:${parts.join("")}`);
  fc.assert(
    fc.property(text, (one) => {
      const first = plain(parseUri(one));
      for (let again = 0; again < 3; again++) assert.deepEqual(plain(parseUri(one)), first);
      const uri = parseUri(one);
      if (uri !== undefined) assert.deepEqual(plain(parseUri(uriToString(uri))), first);
    }),
  );
});

test("parameters of a URI, which others share, are there to be read only", () => {
  const editable: "set" | "delete" extends keyof Uri["parameters"] ? true : false = false;
  assert.equal(editable, false);
});

function sip(user: string, host: string, port: number | undefined, parameters: string) {
  return {
    scheme: "sip",
    user,
    password: undefined as string | undefined,
    host,
    port,
    parameters,
    headers: "",
  };
}
