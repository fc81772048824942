import assert from "node:assert/strict";
import { test } from "node:test";
import { type PageMessage, pageModule } from "./modules.ts";

const { parseMessage } = await pageModule<{ parseMessage(text: string): PageMessage | undefined }>(
  "sip/message.js",
);
const { nameAddr, targetOf, shown } = await pageModule<{
  nameAddr(value: string): { name: string; uri: string; params: ReadonlyMap<string, string> };
  targetOf(typed: string, domain: string): string | undefined;
  shown(uri: string, domain: string): string;
}>("sip/header.js");
const { callerOf, divertedBy, causeOf } = await pageModule<{
  callerOf(request: PageMessage, domain: string): { uri: string; name: string };
  divertedBy(request: PageMessage, own: readonly string[], domain: string): string;
  causeOf(message: PageMessage): number | undefined;
}>("call/parties.js");

const NEEDED = [
  "v: SIP/2.0/WS x.invalid;branch=z9hG4bK1",
  "t: <sip:b@example.com>",
  "i: 1",
  "CSeq: 1 INVITE",
];

function invite(...lines: string[]): PageMessage {
  const from = lines.some((line) => line.startsWith("From")) ? [] : ["From: <sip:a@example.com>;tag=1"];
  const text = ["INVITE sip:b@example.com SIP/2.0", ...NEEDED, ...from, ...lines, "", "body"].join("\r\n");
  return parseMessage(text) ?? assert.fail(`not read: ${text}`);
}

test("RFC 3261 §7.3: compact names, folded lines, lists and quoted names are read", () => {
  const message = invite(
    'M: "A, \\"B\\" <c>" <sip:a@b;x=1>;q=1,\r\n <sip:c@d>',
    "Route: <sip:p;lr>, <sip:q;lr>",
    "l: 4",
  );
  assert.deepEqual(message.values("route"), ["<sip:p;lr>", "<sip:q;lr>"]);
  const [first = "", second = ""] = message.values("Contact");
  assert.deepEqual(nameAddr(first), {
    name: 'A, "B" <c>',
    uri: "sip:a@b;x=1",
    params: new Map([["q", "1"]]),
  });
  assert.equal(nameAddr(second).uri, "sip:c@d");
  assert.equal(message.body, "body");
  assert.match(String(message), /\r\nContent-Length: 4\r\n\r\nbody$/);
});

test("what is no SIP message is passed over", () => {
  const broken = [
    ...["", "\r\n\r\n", "hello", "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n", "SIP/2.0 999 x\r\n\r\n"],
    "INVITE sip:b SIP/2.0\r\nno header\r\n\r\n",
    "INVITE sip:b SIP/2.0\r\nVia: x\r\n\r\n",
    `INVITE sip:b SIP/2.0\r\n${NEEDED.join("\r\n")}\r\nFrom: x\r\nCSeq INVITE\r\n\r\n`,
  ];
  for (const text of broken) assert.equal(parseMessage(text), undefined, text);
});

test("what a person types becomes a URI of the home domain, of another one, or nothing", () => {
  const target = (typed: string) => targetOf(typed, "example.com");
  assert.equal(target(" +1 (650) 555-0100 "), "sip:+16505550100@example.com");
  assert.equal(target("*21#"), "sip:*21%23@example.com");
  assert.equal(target("alice"), "sip:alice@example.com");
  assert.equal(target("alice@example.org"), "sip:alice@example.org");
  assert.equal(target("tel:+1-650"), "sip:+1650@example.com;user=phone");
  // Nothing but the target: headers of a URI would become headers of our INVITE.
  assert.equal(target("sip:a@b?Replaces=x"), "sip:a@b");
  for (const wrong of ["", "a b", "<sip:a@b>", "sip:@b", "a\r\nb: c", "ä@b", "sip:a@b>;x"])
    assert.equal(target(wrong), undefined, wrong);
  assert.equal(shown("sip:6505550100@example.com", "example.com"), "6505550100");
  assert.equal(shown("sip:bob@example.org;user=phone", "example.com"), "bob@example.org");
});

test("RFC 3325, RFC 7044, RFC 5806, RFC 3326: who calls, who has sent the call on, why it ended", () => {
  const caller = (...lines: string[]) => callerOf(invite(...lines), "example.com");
  assert.deepEqual(caller('P-Asserted-Identity: "Al <i>" <sip:1@example.com>, <tel:+1>'), {
    uri: "sip:1@example.com",
    name: "Al <i> (1)",
  });
  assert.equal(caller('From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1').name, "Number withheld");
  const own = ["sip:b@example.com"];
  const diverted = invite(
    "History-Info: <sip:2@example.com>;index=1",
    "History-Info: <sip:b@example.com;cause=302>;index=1.1",
  );
  assert.equal(divertedBy(diverted, own, "example.com"), "2");
  assert.equal(
    divertedBy(invite("Diversion: <sip:3@example.com>;reason=unconditional"), own, "example.com"),
    "3",
  );
  assert.equal(divertedBy(invite("History-Info: <sip:b@example.com>;index=1"), own, "example.com"), "");
  assert.equal(causeOf(invite('Reason: Q.850;cause=16, SIP;cause=200;text="Call completed elsewhere"')), 200);
});
