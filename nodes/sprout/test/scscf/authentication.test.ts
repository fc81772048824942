import assert from "node:assert/strict";
import { test } from "node:test";
import { akaHa1, akaNonce, parseChallenge, type SipMessage } from "@ims/sip";
import type { AkaVector } from "../../src/cx/cx.ts";
import { type Bench, benchWithUsers } from "../support/bench.ts";

const PROTECTED = (kind: string): string =>
  `Digest username="alice@example.com",realm="example.com",nonce="",uri="sip:example.com",response="",integrity-protected="${kind}"`;

function stale(response: SipMessage): boolean | undefined {
  return parseChallenge(response.header("WWW-Authenticate") ?? "")?.stale;
}

test("TS 24.229 §5.4.1.2.3: a wrong response gets 403 and the HSS hears of the failure; the nonce is spent", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  b.cx.taken();
  const wrong = b.answerTo(challenged, { password: "guess" });
  assert.equal((await b.exchange(b.register({ authorization: wrong }))).status, 403);
  assert.deepEqual(b.cx.taken(), ["UAR", "SAR AUTHENTICATION_FAILURE"]);
  const right = await b.exchange(b.register({ authorization: b.answerTo(challenged) }));
  assert.equal(right.status, 401);
  assert.equal(stale(right), true);
});

test("TS 24.229 §5.4.1.2.3: a failed re-authentication does not deregister anybody", async () => {
  const b = benchWithUsers();
  await b.registered();
  const challenged = await b.exchange(b.register());
  b.cx.taken();
  const refused = await b.exchange(
    b.register({ authorization: b.answerTo(challenged, { password: "guess" }) }),
  );
  assert.equal(refused.status, 403);
  assert.deepEqual(b.cx.taken(), ["UAR"]);
  const fetched = await b.exchange(b.register({ contact: null, authorization: PROTECTED("ip-assoc-yes") }));
  assert.equal(fetched.header("Contact"), "<sip:alice@192.0.2.1:5060>;expires=3600");
});

test("TS 24.229 §5.4.1.2.3B: a nonce nobody gave out is challenged again with stale=TRUE", async () => {
  const b = benchWithUsers();
  const invented =
    'Digest username="alice@example.com",realm="example.com",nonce="0123",uri="sip:example.com",response="00112233445566778899aabbccddeeff"';
  const response = await b.exchange(b.register({ authorization: invented }));
  assert.equal(response.status, 401);
  assert.equal(stale(response), true);
});

test("a nonce may be answered for 40 s and not longer", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  await b.advance(40_001);
  const late = await b.exchange(b.register({ authorization: b.answerTo(challenged) }));
  assert.equal(late.status, 401);
  assert.equal(stale(late), true);
});

test("RFC 7616 §3.4: a nonce count counts once, a higher one is taken", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  const first = b.answerTo(challenged, { nc: "00000001" });
  assert.equal((await b.exchange(b.register({ authorization: first }))).status, 200);
  const replayed = await b.exchange(b.register({ authorization: first }));
  assert.equal(replayed.status, 401);
  assert.equal(stale(replayed), true);
  const next = b.answerTo(challenged, { nc: "0000000a" });
  assert.equal((await b.exchange(b.register({ authorization: next }))).status, 200);
});

test("RFC 2617 §3.2.2: credentials without qop are taken once", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  const answer = b.answerTo(challenged, { qop: null });
  const accepted = await b.exchange(b.register({ authorization: answer }));
  assert.equal(accepted.status, 200);
  assert.equal(accepted.has("Authentication-Info"), false);
  assert.equal((await b.exchange(b.register({ authorization: answer }))).status, 401);
});

test("of two requests that spend one nonce count at the same time, one is accepted", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  const authorization = b.answerTo(challenged);
  b.toIcscf.receive(b.register({ authorization }));
  b.toIcscf.receive(b.register({ authorization, callId: "other" }));
  const statuses = (await b.settled()).map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, 401]);
});

test("RFC 8760 §2.3: what the HSS has is offered in the operator's order, and either is accepted", async () => {
  const b = benchWithUsers();
  b.cx.subscribers.unshift({
    impi: "alice@example.com",
    impus: ["sip:alice@example.com"],
    algorithms: ["MD5", "SHA-256"],
  });
  for (const challenge of [0, 1]) {
    const challenged = await b.exchange(b.register());
    assert.deepEqual(
      challenged.lines("WWW-Authenticate").map((line) => parseChallenge(line)?.algorithm),
      ["SHA-256", "MD5"],
    );
    const authorization = b.answerTo(challenged, { challenge });
    assert.equal((await b.exchange(b.register({ authorization }))).status, 200);
  }
});

test("TS 24.229 §5.4.1.2.2: a protected REGISTER of a registered user is not challenged, of anybody else it is", async () => {
  for (const kind of ["ip-assoc-yes", "tls-yes", "yes"]) {
    const b = benchWithUsers();
    const early = await b.exchange(b.register({ authorization: PROTECTED(kind) }));
    assert.equal(early.status, 401, kind);
    await b.registered();
    b.cx.taken();
    const again = await b.exchange(b.register({ authorization: PROTECTED(kind) }));
    assert.equal(again.status, 200, kind);
    assert.deepEqual(b.cx.taken(), ["UAR", "SAR RE_REGISTRATION"]);
  }
  const b = benchWithUsers();
  await b.registered();
  for (const kind of ["ip-assoc-pending", "tls-pending", "no", "nonsense"])
    assert.equal((await b.exchange(b.register({ authorization: PROTECTED(kind) }))).status, 401, kind);
});

test("TS 24.229 §5.4.1.2.2C: a protected re-registration may repeat its old credentials", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  const authorization = b.answerTo(challenged);
  assert.equal((await b.exchange(b.register({ authorization }))).status, 200);
  await b.advance(600_000);
  const repeated = `${authorization},integrity-protected="ip-assoc-yes"`;
  assert.equal((await b.exchange(b.register({ authorization: repeated }))).status, 200);
});

test("TS 24.229 §5.4.1.1: without Authorization the IMPI follows from the IMPU", async () => {
  const b = benchWithUsers();
  await b.exchange(b.register());
  const [uar, mar] = b.cx.calls;
  assert.deepEqual(
    [uar?.command === "UAR" && uar.query.impi, mar?.command === "MAR" && mar.query.impi],
    ["alice@example.com", "alice@example.com"],
  );
  assert.equal(mar?.command === "MAR" && mar.query.scheme, "unknown");
});

test("malformed credentials and identities are answered 400 or 403; an unknown scheme counts as none (RFC 4475 §3.3.7)", async () => {
  const b = benchWithUsers();
  for (const [authorization, status] of [
    ['Digest username="a', 400],
    ["Basic YTpi", 401],
    ['Digest realm="x",nonce=""', 400],
    ['Digest username="no at sign",nonce=""', 403],
    ['Digest username="__proto__",nonce=""', 403],
  ] as const)
    assert.equal((await b.exchange(b.register({ authorization }))).status, status, authorization);
});

test("TS 24.229 §5.4.1.2.3: an HSS that does not answer the MAR makes 500 and a time to come again, one that refuses makes 403", async () => {
  const b = benchWithUsers();
  b.cx.next.MAR.push({ kind: "unavailable", cause: "timeout" });
  const silent = await b.exchange(b.register());
  assert.equal(silent.status, 500);
  assert.match(silent.header("Retry-After") ?? "", /^(?:[2-9]|10)$/);
  b.cx.next.MAR.push({ kind: "rejected", reason: "authSchemeNotSupported" });
  assert.equal((await b.exchange(b.register())).status, 403);
});

test("TS 24.229 §5.4.1.2.3: an initial registration whose challenge is never answered is reported as timed out", async () => {
  const b = benchWithUsers();
  await b.exchange(b.register());
  b.cx.taken();
  await b.advance(42_000);
  assert.deepEqual(b.cx.taken(), ["SAR AUTHENTICATION_TIMEOUT"]);
  await b.registered();
  await b.exchange(b.register());
  b.cx.taken();
  await b.advance(42_000);
  assert.deepEqual(b.cx.taken(), [], "a registered user's unanswered challenge is nobody's business");
});

const vector: AkaVector = {
  kind: "aka",
  version: 1,
  rand: new Uint8Array(16).fill(1),
  autn: new Uint8Array(16).fill(2),
  xres: new Uint8Array(8).fill(3),
  ck: new Uint8Array(16).fill(4),
  ik: new Uint8Array(16).fill(5),
};

function akaBench(version: 1 | 2): Bench {
  const b = benchWithUsers();
  b.cx.subscribers.unshift({
    impi: "alice@example.com",
    impus: ["sip:alice@example.com"],
    vector: { ...vector, version },
  });
  return b;
}

for (const version of [1, 2] as const)
  test(`TS 24.229 §5.4.1.2.1A: AKAv${version}-MD5 challenges with RAND and AUTN, keys go to the P-CSCF, RES registers`, async () => {
    const b = akaBench(version);
    const challenged = await b.exchange(b.register());
    const line = challenged.header("WWW-Authenticate") ?? "";
    assert.equal(parseChallenge(line)?.nonce, akaNonce(vector.rand, vector.autn));
    assert.match(line, new RegExp(`algorithm=AKAv${version}-MD5,`));
    assert.match(line, /,ik="05{31}|,ik="(05){16}",ck="(04){16}"$/);
    const ha1 = akaHa1(version, "alice@example.com", "example.com", {
      res: vector.xres,
      ik: vector.ik,
      ck: vector.ck,
    });
    const authorization = b.answerTo(challenged, { ha1 });
    assert.equal((await b.exchange(b.register({ authorization }))).status, 200);
  });

test("TS 24.229 §5.4.1.2.3A: a synchronisation failure goes to the HSS with RAND and AUTS, and is challenged anew", async () => {
  const b = akaBench(1);
  const challenged = await b.exchange(b.register());
  b.cx.calls.length = 0;
  b.cx.next.MAR.push({ kind: "vector", vector: { ...vector, rand: new Uint8Array(16).fill(9) } });
  const auts = Buffer.alloc(14, 7);
  const authorization = `${b.answerTo(challenged, { ha1: "x" })},auts="${auts.toString("base64")}"`;
  const again = await b.exchange(b.register({ authorization }));
  assert.equal(again.status, 401);
  assert.equal(stale(again), false);
  const mar = b.cx.calls.find((call) => call.command === "MAR");
  assert.deepEqual(mar?.command === "MAR" && [...(mar.query.resynchronisation ?? [])], [
    ...vector.rand,
    ...auts,
  ]);
  const bad = `${b.answerTo(again, { ha1: "x" })},auts="AAAA"`;
  assert.equal((await b.exchange(b.register({ authorization: bad }))).status, 400);
});
