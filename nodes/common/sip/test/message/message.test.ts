import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HeaderSet,
  parseMessage,
  parseNameAddr,
  parseUri,
  parseVia,
  responseTo,
  type SipMessage,
  uriEquals,
  uriKey,
} from "../../src/index.ts";

function message(text: string): SipMessage {
  const parsed = parseMessage(text);
  return parsed.kind === "message" ? parsed.message : assert.fail(`${parsed.fault}`);
}

const INVITE = [
  "INVITE sip:bob@example.com SIP/2.0",
  "v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa, SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKb",
  "ROUTE : <sip:a@x.example;lr>, <sip:b@y.example;lr>",
  "Route: <sip:c@z.example;lr>",
  'From: "A, <x\\" ;tag=no" <sip:a@b;tag=neither>;tag=f1',
  "To: <sip:bob@example.com>",
  "Call-ID: abc",
  "CSeq: 0007",
  "  INVITE",
  "X-Private : one",
  "x-private: two",
  "__proto__: value",
  "Content-Length: 4",
  "",
  "body",
].join("\r\n");

test("RFC 3261 §7.3: names in any case and compact form, folded lines, comma lists and quotes are read", () => {
  const invite = message(INVITE);
  assert.equal(invite.topVia?.branch, "z9hG4bKa");
  assert.deepEqual(invite.values("Route"), [
    "<sip:a@x.example;lr>",
    "<sip:b@y.example;lr>",
    "<sip:c@z.example;lr>",
  ]);
  assert.equal(invite.fromTag, "f1");
  assert.equal(invite.toTag, "");
  assert.deepEqual([invite.cseqNumber, invite.cseqMethod], [7, "INVITE"]);
  assert.deepEqual(invite.lines("X-PRIVATE"), ["one", "two"]);
  assert.deepEqual(invite.lines("__proto__"), ["value"]);
  assert.equal(invite.body, "body");
  assert.equal(invite.toString(), INVITE);
});

test("RFC 3261 §16.6: edits leave every other line byte for byte as it came", () => {
  const invite = message(INVITE);
  const copy = invite.clone();
  copy.prepend("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKnew");
  copy.replaceTop("Route", undefined);
  copy.set("Max-Forwards", "69");
  const expected = INVITE.replace("\r\nv:", "\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKnew\r\nv:")
    .replace("ROUTE : <sip:a@x.example;lr>, ", "Route: ")
    .replace("\r\n\r\n", "\r\nMax-Forwards: 69\r\n\r\n");
  assert.equal(copy.toString(), expected);
  assert.equal(copy.topVia?.branch, "z9hG4bKnew");
  assert.equal(invite.toString(), INVITE);
});

test("popping, replacing and removing walk through every value of a list", () => {
  const invite = message(INVITE);
  for (const expected of ["<sip:b@y.example;lr>", "<sip:c@z.example;lr>", undefined]) {
    invite.replaceTop("Route", undefined);
    assert.equal(invite.top("Route"), expected);
  }
  invite.replaceTop("Via", "SIP/2.0/UDP h;branch=z9hG4bKc");
  assert.deepEqual(invite.values("Via"), [
    "SIP/2.0/UDP h;branch=z9hG4bKc",
    "SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKb",
  ]);
  invite.remove("Via");
  assert.equal(invite.topVia, undefined);
  invite.setBody("longer body", "text/plain");
  assert.equal(invite.header("Content-Length"), "11");
  assert.equal(message(`${invite}`).body, "longer body");
});

test("RFC 3261 §18.3: octets beyond Content-Length are dropped, a Content-Length beyond the message is refused", () => {
  assert.equal(message(`${INVITE}more`).body, "body");
  for (const length of ["5", "-1", "4, 4", "99999999999999999999", "4x", ""])
    assert.equal(
      parseMessage(INVITE.replace("Content-Length: 4", `Content-Length: ${length}`)).kind,
      "invalid",
      length,
    );
  assert.equal(
    parseMessage(INVITE.replace("Content-Length: 4", "Content-Length: 4\r\nl: 3")).kind,
    "invalid",
  );
});

test("RFC 3261 §7: line endings other than CRLF, lines without a colon and start lines that are none are refused", () => {
  for (const [from, to] of [
    ["\r\nTo:", "\nTo:"],
    ["Call-ID: abc", "Call-ID: a\rbc"],
    ["Call-ID: abc", "Call-ID abc"],
    ["Call-ID: abc", "Call ID: abc"],
    ["INVITE sip:", "INVITE  sip:"],
    ["SIP/2.0\r\n", "SIP/2.0 \r\n"],
    ["SIP/2.0\r\n", "SIP/7.0\r\n"],
    ["\r\n\r\nbody", ""],
  ] as const)
    assert.equal(parseMessage(INVITE.replace(from, to)).kind, "invalid", JSON.stringify(to));
  for (const text of [
    "",
    "\r\n\r\n",
    "SIP/2.0 99 No\r\n\r\n",
    "SIP/2.0 2000 OK\r\n\r\n",
    "\0\0\0\0",
    "INVITE\r\n\r\n",
  ])
    assert.equal(parseMessage(text).kind, "invalid", JSON.stringify(text));
});

test("RFC 3261 §8.2.6: a response copies Via, From, To, Call-ID, CSeq and adds the To tag once", () => {
  const response = responseTo(message(INVITE), 404, { toTag: "t1" });
  assert.equal(response.header("To"), "<sip:bob@example.com>;tag=t1");
  assert.equal(response.values("Via").length, 2);
  const again = message(response.toString());
  assert.deepEqual(
    [again.status, again.reason, again.toTag, again.cseqMethod],
    [404, "Not Found", "t1", "INVITE"],
  );
});

test("RFC 3261 §19.1: URIs are read, written and compared", () => {
  const uri = parseUri("sip:Alice;x=1:pw@Example.COM:5070;transport=TCP;lr?Subject=x");
  assert.deepEqual(
    [uri?.user, uri?.password, uri?.host, uri?.port, uri?.headers],
    ["Alice;x=1", "pw", "example.com", 5070, "Subject=x"],
  );
  assert.equal(uri?.parameters.get("transport"), "TCP");
  assert.equal(parseUri("sip:[2001:db8::1]:5060")?.host, "2001:db8::1");
  assert.equal(uriKey(parseUri("tel:+1-650-555(0000)") ?? assert.fail()), "tel:+16505550000");
  const same = ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"] as const;
  assert.equal(uriEquals(parseUri(same[0]) ?? assert.fail(), parseUri(same[1]) ?? assert.fail()), true);
  assert.equal(
    uriEquals(
      parseUri("sip:bob@biloxi.com") ?? assert.fail(),
      parseUri("sip:bob@biloxi.com:5060") ?? assert.fail(),
    ),
    false,
  );
  for (const bad of [
    "",
    "sip:",
    "sip:a@",
    "sip:a b@c",
    "sip:a@b:99999",
    "sip:a@b:5x",
    "sip:@b",
    "sip:a@[::1",
    "<sip:a@b>",
    "bob",
    "sip:a@b;=1",
    "tel:",
    "tel:abc-x",
  ])
    assert.equal(parseUri(bad), undefined, bad);
});

test("RFC 3261 §20.10: name-addr and addr-spec", () => {
  const plain = parseNameAddr("sip:a@b.example;tag=1") ?? assert.fail();
  assert.deepEqual([plain.uriText, plain.parameters.get("tag")], ["sip:a@b.example", "1"]);
  const quoted = parseNameAddr('"Al \\"x\\", <sip:evil@e>" <sip:a@b.example;p=1>;q=0.5') ?? assert.fail();
  assert.deepEqual(
    [quoted.displayName, quoted.uri.parameters.get("p"), quoted.parameters.get("q")],
    ['Al "x", <sip:evil@e>', "1", "0.5"],
  );
  for (const bad of ['"open <sip:a@b>', "<sip:a@b", "sip:a@b?x=1", "Bell, A <sip:a@b>", "", "<>"])
    assert.equal(parseNameAddr(bad), undefined, bad);
});

test("RFC 3261 §20.42: Via with blanks around every separator", () => {
  const via = parseVia("SIP / 2.0 / UDP  first.example.com : 4000;ttl=16 ;branch=z9hG4bKa7c6a8dlze.1");
  assert.deepEqual(
    [via?.transport, via?.host, via?.port, via?.branch, via?.sip20],
    ["UDP", "first.example.com", 4000, "z9hG4bKa7c6a8dlze.1", true],
  );
});

test("the length is that on the wire, whatever was added, taken away, or cut off", () => {
  const invite = message(INVITE);
  assert.equal(invite.length, INVITE.length);
  const cut = message(INVITE.replace("Length: 4", "Length: 2"));
  const changed = invite.clone().prepend("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKnew");
  changed
    .replaceTop("Route", undefined)
    .set("Max-Forwards", "69")
    .set("Max-Forwards", "7")
    .removeNamed("X-Private");
  changed.requestUri = "sip:longer@example.com";
  const response = responseTo(invite, 486, { toTag: "t", reason: "Busy" }).setBody("a body", "text/plain");
  for (const one of [cut, changed, changed.clone(), response])
    assert.equal(one.length, one.toString().length);
});

test("tags, Call-ID and CSeq are those of the lines as they are now, in the copy too", () => {
  const read = (one: SipMessage) => [one.callId, one.fromTag, one.toTag, one.cseqNumber, one.cseqMethod];
  const before = message(INVITE);
  const [callId, fromTag] = read(before);
  assert.deepEqual(read(before), [callId, fromTag, "", before.cseqNumber, "INVITE"]);
  const copy = before.clone();
  copy.set("To", "<sip:bob@example.com>;tag=b1").set("CSeq", "7 BYE").set("Call-ID", "other");
  assert.deepEqual(read(copy), ["other", fromTag, "b1", 7, "BYE"]);
  assert.equal(before.toTag, "");
  copy.remove("From").prepend("From", "<sip:carol@example.com>;tag=c1");
  assert.equal(copy.fromTag, "c1");
  copy.removeNamed("t");
  assert.equal(copy.toTag, "");
  copy.append("To", "<sip:bob@example.com>;tag=b2");
  assert.equal(copy.toTag, "b2");
  copy.removeAll(new HeaderSet(["CSeq", "Call-ID"]));
  assert.deepEqual(read(copy), ["", "c1", "b2", -1, ""]);
});
