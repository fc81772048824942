import assert from "node:assert/strict";
import { test } from "node:test";
import { akaAnswerSchema } from "@ims/api";
import { type DecisionFields, parseAuthorization, type RequestContext, SipMessage } from "@ims/sip";
import { tellWrongAnswer } from "../../src/scscf/wrong-answer.ts";

const IMPI = "alice@example.com";

/** What the trail is told of an answer. */
function told(parameters: string, challenge = { realm: "example.com", offered: true, wellFormed: true }) {
  const decisions: { readonly what: string; readonly fields: DecisionFields }[] = [];
  const context = {
    request: SipMessage.request("REGISTER", "sip:example.com"),
    decided: (what: string, fields: DecisionFields) => void decisions.push({ what, fields }),
  } as unknown as RequestContext;
  const credentials = parseAuthorization(`Digest username="${IMPI}",${parameters}`);
  assert.ok(credentials);
  tellWrongAnswer(context, IMPI, credentials, challenge);
  const [decision] = decisions;
  assert.equal(decision?.what, "authentication");
  return decision.fields;
}

const ANSWER =
  'realm="example.com",nonce="bm9uY2U=",uri="sip:example.com",response="0123456789ABCDEF0123456789abcdef",qop=auth,nc=00000001,cnonce="c1"';

test("TS 24.229 §5.4.1.2.3: what was wrong with an answer is told, the realm before the algorithm before the response", () => {
  const challenge = { realm: "example.org", offered: false, wellFormed: false };
  assert.equal(told(ANSWER, challenge)["wrong"], "realm");
  assert.equal(told(ANSWER, { ...challenge, realm: "example.com" })["wrong"], "algorithm");
  assert.equal(told(ANSWER, { realm: "example.com", offered: true, wellFormed: false })["wrong"], "form");
  assert.deepEqual(told(ANSWER), { impi: IMPI, wrong: "response", algorithm: "MD5", proof: undefined });
});

test("of an answer to AKA there is a fingerprint, and never the response; of one to a password there is none", () => {
  const { proof = "" } = told(`${ANSWER},algorithm=AKAv1-MD5`);
  const text = Buffer.from(String(proof), "base64url").toString();
  const answer = akaAnswerSchema.parse(JSON.parse(text));
  assert.deepEqual(
    [answer.method, answer.nonce, answer.nc, answer.cnonce, answer.print.length],
    ["REGISTER", "bm9uY2U=", "00000001", "c1", 32],
  );
  assert.ok(!text.toLowerCase().includes("0123456789abcdef"));
  assert.equal(told(`${ANSWER},algorithm=AKAv1-MD5,opaque="${"x".repeat(500)}"`)["proof"], proof);
  assert.equal(told(`${ANSWER.replace("c1", "c".repeat(600))},algorithm=AKAv1-MD5`)["proof"], undefined);
});
