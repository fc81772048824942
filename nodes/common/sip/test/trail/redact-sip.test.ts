import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderSet } from "../../src/message/header-names.ts";
import { hideProofs } from "../../src/trail/hide-proofs.ts";
import { redactSip } from "../../src/trail/redact-sip.ts";

/** Stands for whatever must not be seen. */
const SECRET = "s3cr3tV4lue";

const FIELDS = new HeaderSet([
  "Authorization",
  "Proxy-Authorization",
  "WWW-Authenticate",
  "Proxy-Authenticate",
  "Authentication-Info",
]);

function message(headers: readonly string[], body = ""): string {
  return [
    "REGISTER sip:example.com SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKx",
    ...headers,
    `Content-Length: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}

function shown(headers: readonly string[], body = ""): string {
  return redactSip(message(headers, body), { nonces: "digested" });
}

const CREDENTIALS: readonly string[] = [
  `Authorization: Digest username="alice", realm="example.com", nonce="n", uri="sip:example.com", response="${SECRET}"`,
  `authorization: digest USERNAME="alice",RESPONSE="${SECRET}"`,
  `AUTHORIZATION :\tDigest username="alice", response = ${SECRET}`,
  `Authorization: Digest username="alice",\r\n response="${SECRET}"`,
  `Authorization:\r\n Digest username="alice",\r\n\tresponse=\r\n "${SECRET}"`,
  `Authorization: Digest username="a\\"lice", response="${SECRET}"`,
  `Authorization: Digest username="al,ice=response", response="x\\"${SECRET}"`,
  `Authorization: Digest username="alice" response="${SECRET}"`,
  `Authorization: Digest username="alice, response="${SECRET}"`,
  `Authorization: Digest username=alice;response="${SECRET}"`,
  `Authorization: Digest response="${SECRET}`,
  `Authorization: Digest username="alice", cnonce="${SECRET}", opaque="${SECRET}", auts="${SECRET}"`,
  `Authorization: Digest username="alice", nonce="${SECRET}"`,
  `Authorization: Basic ${SECRET}`,
  `Authorization: Bearer ${SECRET}`,
  `Authorization: ${SECRET}`,
  `Authorization: Digest ${SECRET}`,
  `Authorization: Digest username="alice", , ${SECRET}`,
  `Authorization: Digest username="alice", response="x", response="${SECRET}"`,
  `Proxy-Authorization: Digest username="alice", response="${SECRET}"`,
  `pRoXy-AuThOrIzAtIoN: DIGEST username="alice", response="${SECRET}"`,
  `WWW-Authenticate: Digest realm="example.com", nonce="${SECRET}", ck="${SECRET}", ik="${SECRET}", algorithm=AKAv1-MD5`,
  `WWW-Authenticate: Digest realm="a", ik="${SECRET}", Digest realm="b", ck="${SECRET}"`,
  `Proxy-Authenticate: Digest realm="example.com", nonce="${SECRET}", opaque=${SECRET}`,
  `Authentication-Info: nextnonce="${SECRET}", rspauth="${SECRET}", cnonce="${SECRET}", nc=1`,
  `Proxy-Authentication-Info: rspauth="${SECRET}"`,
  `X-Authorization: ${SECRET}`,
  `X-Auth-Token: a ${SECRET}`,
  `Password: ${SECRET}`,
  `Cookie: id=${SECRET}`,
  `X-Api-Key: ${SECRET}`,
  `Authoriz\r\n ation: Digest response="${SECRET}"`,
  `Authorization Digest response="${SECRET}"`,
  `Contact: <sip:alice:${SECRET}@example.com>`,
  `Contact: "x" <SIPS:alice:${SECRET}@example.com>, <sip:bob:${SECRET}@example.com>`,
  `From: sip:alice:${SECRET}@example.com`,
  `Refer-To: <sip:bob@example.com?Authorization=Digest%20response%3D${SECRET}>`,
  `Refer-To: <sip:bob@example.com?x=y&PROXY-AUTHORIZATION=${SECRET}&z=1>`,
];

test("no spelling of credentials, challenges and passwords shows what they hold", () => {
  for (const header of CREDENTIALS) {
    const text = shown([header]);
    assert.ok(!text.includes(SECRET), text);
    assert.match(text, /<hidden>|#[0-9a-f]{8}/, header);
    // A bare line end is a line end to some.
    for (const other of [header.replaceAll("\r\n", "\n"), `X: y\n${header}`, `X: y\r${header}`])
      assert.ok(!shown([other]).includes(SECRET), other);
    const quick = hideProofs(message([header]), FIELDS) ?? "";
    assert.ok(!quick.replace(/ nonce="[^"]*"/g, "").includes(SECRET), quick);
    const kept = redactSip(message([header]), { nonces: "kept" });
    assert.ok(!kept.replace(/nonce="[^"]*"/g, "").includes(SECRET), kept);
    assert.equal(redactSip(text, { nonces: "digested" }), text, "once more changes nothing");
    assert.ok(!redactSip(kept, { nonces: "digested" }).includes(SECRET), "kept, then shown");
  }
});

test("a request line with a password, and a message that is none, show nothing either", () => {
  for (const text of [
    `INVITE sip:alice:${SECRET}@example.com SIP/2.0\r\n\r\n`,
    `REGISTER sip:example.com SIP/2.0\r\nAuthorization: Digest response="${SECRET}`,
    `\r\n\r\nREGISTER sip:example.com SIP/2.0\r\nAuthorization: Digest response="${SECRET}"\r\n\r\n`,
    `GET / HTTP/1.1\r\nAuthorization: Basic ${SECRET}\r\n\r\n`,
    `nonsense\r\n${SECRET}\r\n`,
  ])
    assert.ok(!redactSip(text, { nonces: "digested" }).includes(SECRET), text);
});

test("RFC 4568, RFC 8839, RFC 4567: keys and passwords of media are not shown", () => {
  for (const line of [
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRET}|2^20|1:32`,
    `a=crypto:inline:${SECRET}`,
    `a=crypto:1 inline:${SECRET}`,
    `A=CRYPTO:1 AES_CM_128_HMAC_SHA1_80 inline:${SECRET}`,
    `a = crypto : 1 X inline:${SECRET}`,
    `a=ice-pwd:${SECRET}`,
    `a=key-mgmt:mikey ${SECRET}`,
    `k=base64:${SECRET}`,
    `k=${SECRET}`,
  ])
    for (const end of ["\r\n", "\n", "\r"]) {
      const body = ["v=0", "m=audio 4000 RTP/SAVP 0", line, "a=sendrecv", ""].join(end);
      const text = shown(["Content-Type: application/sdp"], body);
      assert.ok(!text.includes(SECRET), text);
      assert.ok(text.includes(`m=audio 4000 RTP/SAVP 0${end}`) && text.includes(`a=sendrecv${end}`), text);
      assert.equal(redactSip(text, { nonces: "digested" }), text);
    }
});

test("what users write, and messages in messages, are told by their length", () => {
  for (const type of [
    "Content-Type: text/plain",
    "c: text/plain;charset=utf-8",
    "Content-Type: message/sip",
    "Content-Type: message/sipfrag",
    'Content-Type: multipart/mixed;boundary="x"',
    "Content-Type: application/sdp\r\nContent-Encoding: gzip",
    "X-Nothing: 1",
  ]) {
    const text = shown([type], `Hello ${SECRET}`);
    assert.ok(!text.includes(SECRET), text);
    assert.match(text, /\[17 octets of [a-z/ ]+\]$/);
    assert.equal(redactSip(text, { nonces: "digested" }), text);
  }
});

test("what nearly everybody sends is done quickly, and comes out as the thorough way has it", () => {
  for (const header of [
    `Authorization: Digest username="alice", realm="example.com", nonce="n", uri="sip:example.com", response="${SECRET}", algorithm=MD5, qop=auth, nc=00000001, cnonce="${SECRET}"`,
    `WWW-Authenticate: Digest realm="example.com",nonce="n",algorithm=MD5,qop="auth",opaque="${SECRET}"`,
    `Authentication-Info: qop=auth, rspauth="${SECRET}", nc=00000001`,
  ]) {
    const lines = ["From: <sip:alice@example.com>", header, "Allow: INVITE"];
    const quick = hideProofs(message(lines), FIELDS);
    assert.equal(quick, redactSip(message(lines), { nonces: "kept" }));
  }
  assert.equal(hideProofs(message(["Authorization : Digest response=1"]), FIELDS), undefined);
});

test("what is no secret stays: who, where, which challenge", () => {
  const text = shown([
    'Authorization: Digest username="alice@example.com", realm="example.com", nonce="abc", uri="sip:example.com", response="0", algorithm=AKAv1-MD5, integrity-protected="yes"',
    'From: "Alice" <sip:alice@example.com:5060;transport=tcp>;tag=1',
    "Contact: <sip:127.0.0.1:6000;x=a@b>",
  ]);
  assert.match(
    text,
    /Authorization: Digest username="alice@example.com", realm="example.com", nonce="#ba7816bf", uri="sip:example.com", response="<hidden>", algorithm=AKAv1-MD5, integrity-protected="yes"\r\n/,
  );
  assert.match(text, /From: "Alice" <sip:alice@example.com:5060;transport=tcp>;tag=1\r\n/);
  const plain = message(["To: <sip:bob@example.com>"], "");
  assert.equal(redactSip(plain, { nonces: "digested" }), plain);
});

test("the work is linear, whatever is sent", () => {
  for (const piece of ["sip:a:", "@", "sip:", "?body=", "a=crypto:", '\\"', "=,", ' "', "\r\n ", "\n\r"]) {
    const long = piece.repeat(60_000 / piece.length);
    // Quadratic work on these would take minutes, and the runner ends it.
    redactSip(message([`Authorization: Digest ${long}`, `Contact: ${long}`]), { nonces: "digested" });
    redactSip(message(["Content-Type: application/sdp"], long), { nonces: "digested" });
    redactSip(long, { nonces: "digested" });
  }
});

test("TS 24.229 §5.1.1.5.3: that a response is empty is shown, whatever else is hidden", () => {
  const header = 'Authorization: Digest username="alice", realm="a", nonce="n", response="", cnonce="x"';
  for (const text of [shown([header]), hideProofs(message([header]), FIELDS) ?? ""]) {
    assert.match(text, /response=""/);
    assert.match(text, /cnonce="<hidden>"/);
  }
  assert.match(
    hideProofs(message(['Authorization: Digest username="a", response=ab']), FIELDS) ?? "",
    /response="<hidden>"/,
  );
  assert.match(shown(['Authorization: Digest username="a", nonce="", response=""']), /nonce="", response=""/);
});
