import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { parseNameAddr, parseUri, type SipMessage } from "@ims/sip";
import { checkReading, read } from "../reading.ts";
import { utf8 } from "../wire.ts";
import { archive } from "./archive.ts";
import { tortures } from "./expectations.ts";

test("RFC 4475 appendix A: the 49 messages are those of the archive, octet for octet", () => {
  assert.deepEqual(
    tortures
      .map(({ name, text }) => {
        const octets = Buffer.from(text, "latin1");
        return [name, octets.length, createHash("sha256").update(octets).digest("hex").slice(0, 16)];
      })
      .sort(),
    [...archive].sort(),
  );
  assert.equal(new Set(tortures.map(({ clause }) => clause)).size, 49);
});

for (const torture of tortures)
  test(`RFC 4475 §${torture.clause} ${torture.name}: ${torture.what}: ${torture.parser.kind}`, () =>
    checkReading(torture));

function messageNamed(name: string): SipMessage {
  const torture = tortures.find((one) => one.name === name);
  const reading = read(torture?.text ?? "");
  assert.equal(reading.kind, "accepted");
  return (reading as { message: SipMessage }).message;
}

test("RFC 4475 §3.1.1.1: folded values read as one line, unknown header fields as they are", () => {
  const wsinv = messageNamed("wsinv");
  assert.equal(wsinv.header("Subject"), "");
  assert.deepEqual(wsinv.lines("newfangledheader"), ["newfangled value continued newfangled value"]);
  assert.deepEqual(wsinv.lines("UnknownHeaderWithUnusualValue"), [";;,,;;,;"]);
  assert.equal(parseNameAddr(wsinv.header("From") ?? "")?.displayName, 'J Rosenberg \\"');
  const contact = parseNameAddr(wsinv.header("Contact") ?? "");
  assert.equal(contact?.displayName, 'Quoted string ""');
  assert.deepEqual(
    ["newparam", "secondparam", "q"].map((name) => contact?.parameters.get(name)),
    ["newvalue", "", "0.33"],
  );
  const route = parseNameAddr(wsinv.header("Route") ?? "")?.uri.parameters;
  assert.deepEqual([...(route?.names ?? [])], ["lr", "unknownwith", "unknown-no-value"]);
});

test("RFC 4475 §3.1.1.2: quoted control characters, UTF-8 and token characters survive", () => {
  const intmeth = messageNamed("intmeth");
  assert.equal(parseNameAddr(intmeth.header("To") ?? "")?.displayName, "BEL:\x07 NUL:\x00 DEL:\x7f");
  const from = parseNameAddr(intmeth.header("From") ?? "");
  assert.equal(from?.displayName, "token1~` token2'+_ token3*%!.-");
  assert.equal(from?.parameters.get("fromparam''~+*_!.-%"), utf8("работающий"));
  assert.deepEqual(intmeth.lines("extensionHeader-!.%*+_`'~"), [utf8("\ufeff大停電")]);
  const uri = parseUri(intmeth.requestUri);
  assert.deepEqual(
    [uri?.user, uri?.password, uri?.host],
    [
      "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
      "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
      "example.com",
    ],
  );
});

test("RFC 4475 §3.1.1.3: an escaped parameter name is the name", () => {
  const contact = parseNameAddr(messageNamed("esc01").header("Contact") ?? "")?.uri;
  assert.equal(contact?.parameters.has("lr"), true);
  assert.equal(contact?.parameters.has("name"), true);
  assert.equal(parseUri(messageNamed("esc01").requestUri)?.user, "sips%3Auser%40example.com");
});

test("RFC 4475 §3.1.1.4: an escaped NUL ends nothing", () => {
  const contacts = messageNamed("escnull").values("Contact");
  assert.deepEqual(
    contacts.map((value) => parseNameAddr(value)?.uri.user),
    ["%00", "%00%00"],
  );
});

test("RFC 4475 §3.1.1.5: % is no escape in header field names", () => {
  const esc02 = messageNamed("esc02");
  assert.equal(esc02.count("Contact"), 2);
  assert.deepEqual(esc02.lines("C%6Fntact"), ["<sip:alias2@host2.example.com>"]);
  assert.equal(parseNameAddr(esc02.header("To") ?? "")?.displayName, "%Z%45");
});

test("RFC 4475 §3.1.1.9: the host begins after the @, whatever stands before it", () => {
  const uri = parseUri(messageNamed("semiuri").requestUri);
  assert.deepEqual([uri?.user, uri?.host], ["user;par=u%40example.net", "example.com"]);
  assert.deepEqual([...(uri?.parameters.names ?? ["?"])], []);
  assert.equal(messageNamed("semiuri").values("Accept").length, 6);
});

test("RFC 4475 §3.3.12, §3.3.13: without brackets a parameter is the header field's, with brackets the URI's", () => {
  const bare = parseNameAddr(messageNamed("cparam01").header("Contact") ?? "");
  assert.deepEqual(
    [bare?.parameters.has("unknownparam"), bare?.uri.parameters.has("unknownparam")],
    [true, false],
  );
  const bracketed = parseNameAddr(messageNamed("cparam02").header("Contact") ?? "");
  assert.deepEqual(
    [bracketed?.parameters.has("unknownparam"), bracketed?.uri.parameters.has("unknownparam")],
    [false, true],
  );
});

test("RFC 4475 §3.3.14: header fields escaped into a Contact stay in its URI", () => {
  const contact = parseNameAddr(messageNamed("regescrt").header("Contact") ?? "");
  assert.equal(contact?.uri.headers, "Route=%3Csip:sip.example.com%3E");
});
