import assert from "node:assert/strict";
import { test } from "node:test";
import { CallerPreferences, requestDisposition, SipMessage } from "../../src/index.ts";

type Headers = readonly (readonly [name: string, value: string])[];

function request(headers: Headers, method = "INVITE"): SipMessage {
  const message = SipMessage.request(method, "sip:bob@example.com");
  for (const [name, value] of headers) message.appendUnknown(name, value);
  return message;
}

function suits(contact: string, headers: Headers, method?: string): number | undefined {
  return new CallerPreferences(request(headers, method)).suits(contact);
}

const accept = (value: string): Headers => [["Accept-Contact", value]];
const reject = (value: string): Headers => [["Reject-Contact", value]];

test("RFC 3841 §7.2.4: the score of a contact is the share of wanted features that it names", () => {
  assert.equal(suits(";audio;video", accept("*;audio;video")), 1000);
  assert.equal(suits(";audio", accept("*;audio;video")), 500);
  assert.equal(suits(';mobility="fixed"', accept("*;audio;video")), 0);
  assert.equal(suits(";audio=FALSE;video", accept("*;audio;video")), 0);
});

test("RFC 3841 §7.2.4: several Accept-Contact values count by the average of those that are met", () => {
  const two: Headers = [
    ["a", "*;audio;video"],
    ["Accept-Contact", '*;mobility="mobile";text'],
  ];
  assert.equal(suits(';audio;video;mobility="mobile"', two), 750);
  assert.equal(suits(';audio;video;mobility="fixed"', two), 1000);
});

test("RFC 3841 §7.2.4: require leaves out who does not match, explicit who does not say so", () => {
  const contact = ";audio";
  assert.equal(suits(contact, accept("*;video;require")), 0);
  assert.equal(suits(";audio;video=FALSE", accept("*;video;require")), undefined);
  assert.equal(suits(contact, accept("*;audio;video;explicit")), 0);
  assert.equal(suits(contact, accept("*;audio;video;require;explicit")), undefined);
  assert.equal(suits(contact, accept("*;audio;require;explicit")), 1000);
});

test("RFC 3841 §7.2.4: Reject-Contact leaves out who names everything in it, and matches", () => {
  assert.equal(suits(";automata", reject("*;automata")), undefined);
  assert.equal(suits(";automata=FALSE", reject("*;automata")), 1000);
  assert.equal(suits(";audio", reject("*;automata")), 1000);
  assert.equal(suits(";automata", reject("*;automata;video")), 1000);
  const both: Headers = [
    ["j", '*;actor="msg-taker"'],
    ["Accept-Contact", "*;audio"],
  ];
  assert.equal(suits(';audio;actor="msg-taker"', both), undefined);
  assert.equal(suits(';audio;actor="principal"', both), 1000);
});

test("RFC 3841 §7.2.3: a contact without feature tags is immune", () => {
  assert.equal(suits("", accept("*;video;require;explicit")), 1000);
  assert.equal(suits(";q=0.5;reg-id=1;expires=60", accept("*;video;require;explicit")), 1000);
});

test("TS 24.229 §7.9.2: services are told by their ICSI", () => {
  const mmtel = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"';
  const phone = `;+g.3gpp.smsip;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg,urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"`;
  assert.equal(suits(phone, accept(`*;${mmtel}`)), 1000);
  assert.equal(suits(";audio", accept(`*;${mmtel}`)), 0);
  assert.equal(suits(";audio", accept(`*;${mmtel};require;explicit`)), undefined);
  assert.equal(suits(";audio", accept("*;+g.3gpp.smsip;require;explicit")), undefined);
  assert.equal(suits(phone, accept("*;+g.3gpp.smsip;require;explicit")), 1000);
});

test("RFC 3840 §9: lists, negations, numbers, ranges and strings", () => {
  for (const [contact, wanted, matches] of [
    ['language="en,de"', 'language="DE"', true],
    ['language="en,de"', 'language="fr"', false],
    ['language="en,de,!fr"', 'language="!en"', true],
    ['language="en"', 'language="!en"', false],
    ['language="!en"', 'language="!fr"', true],
    ['language="!en"', 'language="en,fr"', true],
    ['priority="#>=5"', 'priority="#=7"', true],
    ['priority="#>=5"', 'priority="#<=4.5"', false],
    ['priority="#1:3"', 'priority="#3:9"', true],
    ['priority="#1:3,!#2:3"', 'priority="#2:3"', false],
    ['priority="#-2"', 'priority="#<=0"', true],
    ['priority="#x"', 'priority="#<=0"', false],
    ['description="<A, b>"', 'description="<A, b>"', true],
    ['description="<A, b>"', 'description="<a, B>"', false],
    ['description="<A>"', 'description="a"', false],
    ['isfocus="TRUE"', "isfocus", true],
    ['class="personal"', 'class="!personal"', false],
  ] as const)
    assert.equal(
      suits(`;${contact}`, accept(`*;${wanted};require`)) !== undefined,
      matches,
      `${contact} ${wanted}`,
    );
});

test("RFC 3841 §7.2.2: without preferences a contact that lists methods or packages must list what is asked for", () => {
  const phone = ';audio;methods="INVITE,ACK,BYE,CANCEL";events="dialog"';
  assert.equal(suits(phone, []), 1000);
  assert.equal(suits(phone, [], "MESSAGE"), undefined);
  assert.equal(suits(";audio", [], "MESSAGE"), 1000);
  const watcher = ';methods="SUBSCRIBE,NOTIFY";events="dialog,presence"';
  assert.equal(suits(watcher, [["o", "presence;id=4"]], "SUBSCRIBE"), 1000);
  assert.equal(suits(watcher, [["Event", "refer"]], "SUBSCRIBE"), undefined);
  // Whoever says what he wants is taken at his word.
  assert.equal(suits(phone, accept("*;audio"), "MESSAGE"), 1000);
});

test("what cannot be read wants nothing, and hostile lists cost no time", () => {
  for (const value of [
    "",
    "*",
    "*;",
    "audio;require",
    "<sip:x>;audio;require",
    '*;a=""x;require',
    "*;require;explicit",
  ])
    assert.equal(suits(";video", accept(value)), 1000, value);
  const many = Array.from({ length: 5_000 }, (_, index) => `v${index}`).join(",");
  assert.equal(suits(`;language="${many}"`, accept(`*;language="${many}";require`)), 1000);
  const tags = Array.from({ length: 5_000 }, (_, index) => `;+t${index}`).join("");
  assert.equal(suits(";video", accept(`*${tags};require`)), 1000, "more than 64 parameters are none");
  const values = accept(Array.from({ length: 5_000 }, () => "*;audio").join(","));
  assert.equal(suits(";audio", values), 1000);
  for (const name of ["__proto__", "constructor"])
    assert.equal(suits(`;+${name}="a"`, accept(`*;+${name}="b";require`)), undefined, name);
});

test("what is wanted or offered beyond 32 feature tags is not looked at: each costs a comparison with every contact", () => {
  const tags = (count: number): string => Array.from({ length: count }, (_, n) => `;+g.t${n}`).join("");
  assert.equal(suits(tags(32), accept(`*${tags(64)}`)), 1000);
  assert.equal(suits(tags(16), accept(`*${tags(64)}`)), 500);
});

test("RFC 3841 §9.1: of Request-Disposition what a forking proxy follows is read", () => {
  const said = (value: string): unknown => requestDisposition(request([["d", value]]));
  assert.deepEqual(said("No-Fork"), { fork: false });
  assert.deepEqual(said("proxy, sequential, no-queue"), { search: "sequential" });
  assert.deepEqual(said("parallel"), { search: "parallel" });
  assert.deepEqual(said("fork, cancel, recurse, , unheard-of"), {});
  assert.deepEqual(requestDisposition(request([])), {});
});
