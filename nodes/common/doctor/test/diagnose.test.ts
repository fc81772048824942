import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseFacts } from "../src/case/finding.ts";
import { diagnose } from "../src/diagnose.ts";
import { Recorded, START } from "./recorded.ts";

const FACTS: CaseFacts = { homeDomain: "example.com", now: START + 60_000 };
const CHALLENGE =
  'WWW-Authenticate: Digest realm="example.com", nonce="#11111111", algorithm=MD5, qop="auth"';
const ANSWER =
  'Authorization: Digest username="alice@example.com", realm="example.com", nonce="#11111111", uri="sip:example.com", response="<hidden>"';

function ids(recorded: Recorded, facts: CaseFacts = FACTS): readonly string[] {
  return diagnose(recorded.file, facts).map(({ id }) => id);
}

/** REGISTER, challenge, answer. */
function challenged(answer = ANSWER, challenge = CHALLENGE): Recorded {
  return new Recorded()
    .sip("in", "REGISTER sip:example.com SIP/2.0", ["Contact: <sip:alice@192.0.2.7:5071>"])
    .sip("out", "SIP/2.0 401 Unauthorized", ["CSeq: 1 REGISTER", challenge])
    .sip("in", "REGISTER sip:example.com SIP/2.0", ["CSeq: 2 REGISTER", answer]);
}

test("nothing is said of what went well, and of what has just begun", () => {
  const well = challenged().sip("out", "SIP/2.0 200 OK", [
    "CSeq: 2 REGISTER",
    "Contact: <sip:a@192.0.2.7>;expires=60",
  ]);
  assert.deepEqual(ids(well), []);
  assert.deepEqual(ids(challenged(), { ...FACTS, now: START }), []);
  assert.deepEqual(ids(new Recorded()), []);
});

test("a diagnosis has the words of the catalogue, those of the case, and the steps that show it", () => {
  const recorded = challenged()
    .decided("authentication", { impi: "alice@example.com", wrong: "response", algorithm: "MD5" })
    .decided("answer", { status: "403", entity: "S-CSCF" })
    .sip("out", "SIP/2.0 403 Forbidden", ["CSeq: 2 REGISTER"]);
  const [only, ...others] = diagnose(recorded.file, FACTS);
  assert.deepEqual(others, []);
  assert.equal(only?.id, "wrong-password");
  assert.equal(only.severity, "failure");
  assert.equal(only.said, "The answer of alice@example.com does not fit the password that the HSS has.");
  assert.deepEqual(
    only.evidence.map(({ node, title }) => `${node} ${title}`),
    [
      "bono 401 Unauthorized (REGISTER)",
      "bono REGISTER sip:example.com",
      "sprout authentication",
      "bono 403 Forbidden (REGISTER)",
    ],
  );
  assert.ok(only.cause !== "" && only.remedy.length > 0 && only.clauses.length > 0);
});

test("the answer to AKA: what the HSS says it fits decides; without it there is a doubt", () => {
  const algorithm = "AKAv1-MD5";
  const recorded = challenged(`${ANSWER}, algorithm=${algorithm}`, CHALLENGE.replace("MD5", algorithm))
    .decided("authentication", { impi: "alice@example.com", wrong: "response", algorithm, proof: "x" })
    .sip("out", "SIP/2.0 403 Forbidden", ["CSeq: 2 REGISTER"]);
  const told = (akaFits: CaseFacts["akaFits"]): unknown =>
    diagnose(recorded.file, { ...FACTS, ...(akaFits === undefined ? {} : { akaFits }) }).map(
      ({ id, likely }) => [id, likely],
    );
  assert.deepEqual(
    told(() => "op"),
    [["op-entered-as-opc", false]],
  );
  assert.deepEqual(
    told(() => "neither"),
    [["aka-wrong-key", false]],
  );
  assert.deepEqual(told(undefined), [["aka-wrong-key", true]]);
});

test("an empty response is a refusal of the network only when it is for a challenge", () => {
  const aka = CHALLENGE.replace("MD5", "AKAv1-MD5");
  const empty = ANSWER.replace("<hidden>", "");
  assert.deepEqual(
    ids(challenged(empty, aka).sip("out", "SIP/2.0 401 Unauthorized", ["CSeq: 2 REGISTER", aka])),
    ["aka-network-refused"],
  );
  const begins = empty.replace("#11111111", "");
  const first = new Recorded()
    .sip("in", "REGISTER sip:example.com SIP/2.0", [begins])
    .sip("out", "SIP/2.0 401 Unauthorized", ["CSeq: 1 REGISTER", aka]);
  assert.deepEqual(ids(first), ["challenge-not-answered"]);
});

test("what the other UE says is its own; the same answer of the core is another diagnosis", () => {
  const invite = (): Recorded => new Recorded().sip("in", "INVITE sip:bob@example.com SIP/2.0");
  const answered = ["CSeq: 1 INVITE"];
  const byUe = invite()
    .sip("in", "SIP/2.0 480 Temporarily Unavailable", answered, { ends: { ...uesOther } })
    .sip("out", "SIP/2.0 480 Temporarily Unavailable", answered);
  assert.deepEqual(ids(byUe), ["refused-by-ue"]);
  const byCore = invite()
    .decided("answer", { status: "480", entity: "S-CSCF" })
    .sip("out", "SIP/2.0 480 Temporarily Unavailable", answered);
  assert.deepEqual(ids(byCore), ["called-not-registered"]);
  const byHss = invite()
    .step({ kind: "cx", title: "LIR: outcome timeout", fields: { what: "LIR", outcome: "timeout" } })
    .decided("answer", { status: "480", entity: "I-CSCF" })
    .sip("out", "SIP/2.0 480 Temporarily Unavailable", answered);
  assert.deepEqual(ids(byHss), ["hss-unreachable"]);
});

const uesOther = {
  protocol: "UDP",
  side: "access",
  local: "10.0.0.1:5060",
  remote: "192.0.2.8:5060",
} as const;

test("a server that fails is worth knowing when the call goes on without it, and what went wrong when it does not", () => {
  const call = (defaultHandling: string, status: string): Recorded =>
    new Recorded()
      .sip("in", "INVITE sip:bob@example.com SIP/2.0")
      .decided("default handling", {
        server: "sip:as.example.com",
        status: "408",
        silent: "true",
        defaultHandling,
      })
      .sip("out", `SIP/2.0 ${status} X`, ["CSeq: 1 INVITE"]);
  const said = (recorded: Recorded): unknown =>
    diagnose(recorded.file, FACTS).map(({ id, severity }) => [id, severity]);
  assert.deepEqual(said(call("continue", "200")), [["application-server-silent", "notice"]]);
  assert.deepEqual(said(call("terminate", "408")), [["application-server-silent", "failure"]]);
});

test("addresses: a Contact with a name says nothing about a NAT, one that is not the source does", () => {
  const register = (contact: string): Recorded =>
    new Recorded()
      .sip("in", "REGISTER sip:example.com SIP/2.0", [`Contact: <sip:alice@${contact}>`])
      .sip("out", "SIP/2.0 200 OK", ["CSeq: 1 REGISTER"]);
  assert.deepEqual(ids(register("abc.invalid;transport=ws")), []);
  assert.deepEqual(ids(register("192.0.2.7:40000")), []);
  assert.deepEqual(ids(register("10.1.2.3")), ["behind-nat"]);
  assert.deepEqual(ids(register("[2001:db8::1]:5060")), ["behind-nat"]);
});

test("a thousand copies of a message are looked at once, and twelve are shown", () => {
  const recorded = challenged();
  for (let n = 3; n < 1_000; n++)
    recorded
      .sip("out", "SIP/2.0 401 Unauthorized", [`CSeq: ${n} REGISTER`, `${CHALLENGE}, stale=TRUE`])
      .sip("in", "REGISTER sip:example.com SIP/2.0", [`CSeq: ${n} REGISTER`, ANSWER]);
  const [only] = diagnose(recorded.file, FACTS);
  assert.deepEqual([only?.id, only?.evidence.length], ["stale-nonce-loop", 12]);
});

test("messages that cannot be read, steps without text, names such as __proto__ hurt nobody", () => {
  const recorded = new Recorded("__proto__")
    .sip("in", "REGISTER sip:example.com SIP/2.0", [
      'Authorization: Digest __proto__="x", username="constructor"',
    ])
    .step({ kind: "sip", title: "unreadable", text: "\u0000\u0001" })
    .step({ kind: "sip", title: "no text", direction: "in" })
    .decided("__proto__", { status: "403" })
    .sip("out", "SIP/2.0 403 Forbidden", ["CSeq: 1 REGISTER"]);
  assert.deepEqual(ids(recorded), []);
});
