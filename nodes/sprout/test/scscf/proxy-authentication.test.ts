import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authorizationToString,
  type DigestAlgorithm,
  digestHa1,
  digestResponse,
  parseChallenge,
  type SipMessage,
} from "@ims/sip";
import { type Bench, benchWithUsers, ICSCF } from "../support/bench.ts";

const EMPTY = 'Digest username="",realm="example.com",nonce="",uri="sip:example.com",response=""';

/** Bob is registered; the PBX is a subscriber that never registers. */
async function bench(): Promise<Bench> {
  const b = benchWithUsers();
  b.cx.subscribers.push({
    ...{ impi: "pbx@example.com", impus: ["sip:pbx@example.com"], unregisteredServices: true },
  });
  await b.registered(
    { impu: "sip:bob@example.com", contact: "<sip:bob@192.0.2.2:5060>" },
    {
      username: "bob@example.com",
    },
  );
  b.cx.taken();
  return b;
}

/** A call of the PBX as the IBCF sends it: served user, what the PBX shows, the empty credentials behind it. */
function call(b: Bench, shown: readonly string[] = [], callId?: string): string {
  return b.request("INVITE", {
    ...{ uri: "sip:bob@example.com", from: "sip:123@pbx.example" },
    ...(callId === undefined ? {} : { callId }),
    headers: [
      `Route: <${ICSCF};lr;orig>`,
      "P-Served-User: <sip:pbx@example.com>;sescase=orig;regstate=unreg",
      "P-Asserted-Identity: <sip:pbx@example.com>",
      "Contact: <sip:123@198.51.100.20>",
      ...[...shown, EMPTY].map((value) => `Proxy-Authorization: ${value}`),
    ],
  });
}

function credentials(
  challenged: SipMessage,
  { password = "secret", nc = "00000001", username = "pbx@example.com" } = {},
): string {
  const challenge = parseChallenge(challenged.lines("Proxy-Authenticate")[0] ?? "");
  assert.ok(challenge, String(challenged));
  const algorithm: DigestAlgorithm = challenge.algorithm ?? "MD5";
  const input = {
    ...{ algorithm, ha1: digestHa1(algorithm, username, challenge.realm, password) },
    ...{ nonce: challenge.nonce, method: "INVITE", uri: "sip:bob@198.51.100.1", qop: "auth" as const },
    ...{ nc, cnonce: "c" },
  };
  return authorizationToString({
    ...input,
    username,
    realm: challenge.realm,
    response: digestResponse(input),
  });
}

function stale(challenged: SipMessage): boolean | undefined {
  return parseChallenge(challenged.header("Proxy-Authenticate") ?? "")?.stale;
}

test("TS 24.229 §5.4.3.6: a call of a PBX that does not register is challenged 407, and goes on when it is proven", async () => {
  const b = await bench();
  const challenged = await b.exchange(call(b));
  assert.deepEqual([challenged.status, stale(challenged)], [407, false]);
  assert.equal(challenged.has("WWW-Authenticate"), false);
  const invite = await b.exchange(call(b, [credentials(challenged)]));
  assert.equal(invite.requestUri, "sip:bob@192.0.2.2:5060");
  assert.equal(invite.has("Proxy-Authorization"), false);
  assert.deepEqual(invite.values("P-Asserted-Identity"), ["<sip:pbx@example.com>"]);
});

test("TS 24.229 §5.4.3.6: wrong credentials are 403, and their nonce is good for nothing any more", async () => {
  const b = await bench();
  const challenged = await b.exchange(call(b));
  const wrong = await b.exchange(call(b, [credentials(challenged, { password: "guess" })]));
  assert.equal(wrong.status, 403);
  const late = await b.exchange(call(b, [credentials(challenged)]));
  assert.deepEqual([late.status, stale(late)], [407, true]);
});

test("RFC 7616 §3.4: a nonce serves several calls by its count, each count once, and 40 s at most", async () => {
  const b = await bench();
  const challenged = await b.exchange(call(b));
  const first = credentials(challenged);
  assert.equal((await b.exchange(call(b, [first]))).isRequest, true);
  const replayed = await b.exchange(call(b, [first]));
  assert.deepEqual([replayed.status, stale(replayed)], [407, true]);
  const second = await b.exchange(call(b, [credentials(challenged, { nc: "00000002" })]));
  assert.equal(second.isRequest, true);
  await b.advance(40_001);
  await b.settled();
  const late = await b.exchange(call(b, [credentials(challenged, { nc: "00000003" })]));
  assert.deepEqual([late.status, stale(late)], [407, true]);
});

test("a nonce of somebody else's, or credentials of other realms and schemes, prove nothing", async () => {
  const b = await bench();
  const register = await b.exchange(b.register());
  const nonce = parseChallenge(register.lines("WWW-Authenticate")[0] ?? "")?.nonce ?? "";
  for (const shown of [
    'Basic username="pbx@example.com",realm="example.com"',
    'Digest username="pbx@example.com",realm="other.example",nonce="n",uri="x",response="r"',
    'Digest username="pbx@example.com",realm="example.com",nonce="n",uri="x",response="00112233445566778899aabbccddeeff"',
    `Digest username="alice@example.com",realm="example.com",nonce="${nonce}",uri="x",response="00112233445566778899aabbccddeeff"`,
    "Digest",
    'Digest realm="example.com',
  ]) {
    const answered = await b.exchange(call(b, [shown]));
    assert.equal(answered.status, 407, shown);
  }
  for (const username of ["", "__proto__", "x".repeat(5_000)]) {
    const shown = `Digest username="${username}",realm="example.com",nonce="n",uri="x",response="r"`;
    const { status } = await b.exchange(call(b, [shown]));
    assert.ok(status === 407 || status === 403, `${username.slice(0, 20)} ${status}`);
  }
});
