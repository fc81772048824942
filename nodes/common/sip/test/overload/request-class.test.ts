import assert from "node:assert/strict";
import { test } from "node:test";
import { classOf, classOfStart, type RequestSource } from "../../src/overload/request-class.ts";
import { requestHead } from "../../src/overload/request-head.ts";
import { ResourcePriorities } from "../../src/resource-priority/resource-priorities.ts";

const ue: RequestSource = { trusted: false, inner: false, registered: false };
const registeredUe: RequestSource = { ...ue, registered: true };
const core: RequestSource = { trusted: true, inner: false, registered: false };

function request(method: string, uri: string, headers: readonly string[] = [], toTag = ""): string {
  return [
    `${method} ${uri} SIP/2.0`,
    "Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK1",
    "From: <sip:a@example.com>;tag=1",
    `To: <sip:b@example.com>${toTag}`,
    "Call-ID: c1",
    `CSeq: 1 ${method}`,
    ...headers,
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
}

function kindOf(text: string, source: RequestSource): string {
  const atOnce = classOfStart(text);
  if (atOnce !== undefined) return atOnce;
  const head = requestHead(text);
  assert(head !== undefined, "readable");
  return classOf(head, source);
}

test("never shed: responses, ACK, BYE, CANCEL, PRACK, whoever sends them", () => {
  assert.equal(classOfStart("SIP/2.0 200 OK\r\n"), "exempt");
  for (const method of ["ACK", "BYE", "CANCEL", "PRACK"])
    assert.equal(kindOf(request(method, "sip:b@example.com"), ue), "exempt", method);
});

test("never shed: every request inside a dialog", () => {
  for (const method of ["INVITE", "UPDATE", "INFO", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "OPTIONS"])
    assert.equal(kindOf(request(method, "sip:b@example.com", [], ";tag=x"), ue), "exempt", method);
});

test("RFC 7339 §5.10.1: never shed: emergency calls by their service URN, and emergency registrations", () => {
  for (const uri of ["urn:service:sos", "URN:SERVICE:SOS.police", "urn:service:sos.fire"])
    assert.equal(kindOf(request("INVITE", uri), ue), "exempt", uri);
  for (const uri of ["urn:service:sosnot", "urn:service:counseling", "sip:sos@example.com"])
    assert.equal(kindOf(request("INVITE", uri), ue), "normal", uri);
  const contact = "Contact: <sip:a@127.0.0.1:6000;sos>;expires=600";
  assert.equal(kindOf(request("REGISTER", "sip:example.com", [contact]), ue), "exempt");
});

test("TS 24.229 §5.2.10: never shed: emergency calls by numbers, where numbers are known as such", () => {
  const source = { ...ue, isEmergency: (uri: string) => uri === "tel:112" };
  assert.equal(kindOf(request("INVITE", "tel:112"), source), "exempt");
  assert.equal(kindOf(request("INVITE", "tel:113"), source), "normal");
  assert.equal(kindOf(request("INVITE", "tel:112"), ue), "normal");
});

test("RFC 7339 §5.10.1: Resource-Priority counts inside the trust domain, and of registered UEs as shed last", () => {
  const call = request("INVITE", "sip:b@example.com", ["Resource-Priority: ets.0"]);
  assert.equal(kindOf(call, core), "exempt");
  assert.equal(kindOf(call, registeredUe), "privileged");
  assert.equal(kindOf(call, ue), "normal");
});

test("RFC 4412: a table says which Resource-Priority counts, and outside the trust domain to whom it was granted", () => {
  const priorities = new ResourcePriorities();
  const kind = (value: string, source: RequestSource): string =>
    kindOf(request("INVITE", "sip:b@example.com", [`Resource-Priority: ${value}`]), {
      ...source,
      priorities,
    });
  assert.deepEqual(
    ["ets.4", "dsn.priority, ets.9", "dsn.routine", "unheard.of"].map((value) => kind(value, core)),
    ["exempt", "exempt", "normal", "normal"],
  );
  const mayClaim = (value: string): boolean => value === "ets.4";
  assert.equal(kind("ets.4", { ...registeredUe, mayClaim }), "exempt");
  assert.equal(kind("ets.0", { ...registeredUe, mayClaim }), "privileged");
  assert.equal(kind("dsn.routine", { ...registeredUe, mayClaim }), "normal");
});

test("what completes or keeps a registration is shed last, new work first", () => {
  const register = (line: string) => request("REGISTER", "sip:example.com", line === "" ? [] : [line]);
  assert.equal(kindOf(register(""), ue), "normal");
  assert.equal(kindOf(register('Authorization: Digest username="a", response=""'), ue), "normal");
  assert.equal(kindOf(register('Authorization: Digest username="a", response="0123"'), ue), "privileged");
  assert.equal(kindOf(register(""), registeredUe), "privileged");
  const asserted = 'Authorization: Digest username="a", integrity-protected="ip-assoc-yes"';
  assert.equal(kindOf(register(asserted), core), "privileged");
  assert.equal(kindOf(register(asserted), ue), "normal");
  for (const method of ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "OPTIONS", "UNHEARD"])
    assert.equal(kindOf(request(method, "sip:b@example.com"), registeredUe), "normal", method);
});

test("polls among trusted nodes are never shed, and what a node before has worked on is shed last", () => {
  assert.equal(kindOf(request("OPTIONS", "sip:127.0.0.1:5054"), core), "exempt");
  assert.equal(kindOf(request("INVITE", "sip:b@127.0.0.1"), { ...core, inner: true }), "privileged");
});

test("header names in any case, compact and folded are seen; what cannot be read is left to the parser", () => {
  const folded = request("INVITE", "sip:b@example.com").replace(
    "To: <sip:b@example.com>",
    "t:\r\n <sip:b@h>\r\n ;tag=9",
  );
  assert.equal(kindOf(folded, ue), "exempt");
  assert.equal(requestHead("INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>\r\n\r\n"), undefined);
  assert.equal(requestHead("garbage"), undefined);
  assert.equal(requestHead(""), undefined);
  const bare = request("INVITE", "sip:b@example.com").replace("Call-ID: c1", "Call-ID: c1\nVia: x");
  assert.equal(requestHead(bare), undefined);
  const twice = request("INVITE", "sip:b@example.com", ["To: <sip:c@h>;tag=2"]);
  assert.equal(requestHead(twice), undefined);
  const endless = request(
    "INVITE",
    "sip:b@example.com",
    Array.from({ length: 300 }, () => "X: y"),
  );
  assert.equal(requestHead(endless), undefined);
});
