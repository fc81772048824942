import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUri } from "@ims/sip";
import { ServiceUris } from "../src/index.ts";

test("an application server of this process goes by its host, or in a Route by its name; a user of that name stays one", () => {
  const own = new ServiceUris("gemini", { homeDomain: "example.com", port: 5054 });
  const cases = [
    ["sip:gemini.example.com", true],
    ["sip:mobile-twinned@GEMINI.example.com;twin-prefix=12;lr", true],
    ["sips:gemini.example.com:5054;transport=tcp", true],
    ["sip:gemini.example.com:5060", false],
    ["sip:gemini@example.com;lr", true],
    ["sip:gemini@example.com", false],
    ["sip:gemini@example.org;lr", false],
    ["sip:gemini2@example.com;lr", false],
    ["sip:example.com;lr", false],
    ["tel:+4930123", false],
  ] as const;
  for (const [text, expected] of cases) {
    const uri = parseUri(text);
    assert.ok(uri, text);
    assert.equal(own.has(uri), expected, text);
  }
});
