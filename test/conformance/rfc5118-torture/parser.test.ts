import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNameAddr, parseUri, parseVia } from "@ims/sip";
import { checkReading } from "../reading.ts";
import { tortures, withTrueLength } from "./expectations.ts";

for (const torture of [...tortures, ...withTrueLength])
  test(`RFC 5118 §${torture.clause} ${torture.name}: ${torture.what}: ${torture.parser.kind}`, () =>
    checkReading(torture));

test("RFC 5118 §4.1 to §4.4: host and port of an IPv6 reference", () => {
  const read = (text: string): unknown => {
    const uri = parseUri(text);
    return uri === undefined ? undefined : [uri.host, uri.port];
  };
  assert.deepEqual(read("sip:[2001:db8::10]"), ["2001:db8::10", undefined]);
  assert.equal(read("sip:2001:db8::10"), undefined);
  assert.deepEqual(read("sip:[2001:db8::10:5070]"), ["2001:db8::10:5070", undefined]);
  assert.deepEqual(read("sip:[2001:db8::10]:5070"), ["2001:db8::10", 5070]);
  assert.deepEqual(read("sip:user@[2001:db8::192.0.2.1]"), ["2001:db8::192.0.2.1", undefined]);
});

test("RFC 5118 §4.5, §4.7: Via values with IPv6 sent-by and received in either form", () => {
  assert.equal(
    parseVia("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKx")?.branch,
    "z9hG4bKx",
  );
  const via = parseVia("SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;branch=z9hG4bKx");
  assert.deepEqual(
    [via?.host, via?.port, via?.parameters.get("received")],
    ["2001:db8::9:1", 6050, "2001:db8::9:255"],
  );
});

test("RFC 5118 §4.9: an IPv4-mapped address in a Contact", () => {
  const contact = parseNameAddr('"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>');
  assert.deepEqual([contact?.displayName, contact?.uri.host], ["T. desk phone", "::ffff:192.0.2.2"]);
});
