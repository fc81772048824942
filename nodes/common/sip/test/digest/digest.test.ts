import assert from "node:assert/strict";
import { test } from "node:test";
import { akaHa1, akaNonce, akaResynchronisationHa1, parseAkaNonce } from "../../src/digest/aka.ts";
import { authorizationToString, parseAuthorization } from "../../src/digest/authorization.ts";
import { challengeToString, parseChallenge, withoutKeys } from "../../src/digest/challenge.ts";
import {
  digestAlgorithm,
  digestHa1,
  digestHash,
  digestResponse,
  digestsEqual,
} from "../../src/digest/digest.ts";

const rfc7616 = {
  username: "Mufasa",
  realm: "http-auth@example.org",
  password: "Circle of Life",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
} as const;

function example(algorithm: "MD5" | "SHA-256"): string {
  return digestResponse({
    algorithm,
    ha1: digestHa1(algorithm, rfc7616.username, rfc7616.realm, rfc7616.password),
    nonce: rfc7616.nonce,
    cnonce: rfc7616.cnonce,
    nc: "00000001",
    qop: "auth",
    method: "GET",
    uri: "/dir/index.html",
  });
}

test("RFC 7616 §3.9.1: the example response with MD5", () => {
  assert.equal(example("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
});

test("RFC 7616 §3.9.1: the example response with SHA-256", () => {
  assert.equal(example("SHA-256"), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
});

test("RFC 2617 §3.5: the example response, and without qop", () => {
  const ha1 = digestHa1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life");
  const input = {
    algorithm: "MD5",
    ha1,
    nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    method: "GET",
    uri: "/dir/index.html",
  } as const;
  assert.equal(
    digestResponse({ ...input, qop: "auth", nc: "00000001", cnonce: "0a4f113b" }),
    "6629fae49393a05397450978507c4ef1",
  );
  assert.equal(digestResponse(input), "670fd8c2df070c60b045671b8b24ff02");
});

test("RFC 7616 §3.4.3: auth-int covers the body, -sess covers the nonces", () => {
  const ha1 = digestHa1("SHA-256", "a", "b", "c");
  const base = { ha1, nonce: "n", method: "REGISTER", uri: "sip:b", nc: "00000001", cnonce: "x" } as const;
  const one = digestResponse({ ...base, algorithm: "SHA-256", qop: "auth-int", body: "one" });
  assert.notEqual(one, digestResponse({ ...base, algorithm: "SHA-256", qop: "auth-int", body: "two" }));
  assert.equal(
    digestResponse({ ...base, algorithm: "SHA-256-sess", qop: "auth" }),
    digestResponse({
      ...base,
      ha1: digestHash("SHA-256", `${ha1}:n:x`),
      algorithm: "SHA-256",
      qop: "auth",
    }),
  );
});

test("message text is latin1: an octet above 127 is hashed as one octet", () => {
  assert.equal(digestHash("MD5", "\u00e9"), digestHash("MD5", Buffer.from([0xe9]).toString("latin1")));
  assert.notEqual(digestHash("MD5", "\u00e9"), digestHash("MD5", "\u00c3\u00a9"));
});

test("RFC 7616 §3.3: algorithm names know no case, absent is MD5, strangers are undefined", () => {
  assert.equal(digestAlgorithm(undefined), "MD5");
  assert.equal(digestAlgorithm("akaV1-md5"), "AKAv1-MD5");
  assert.equal(digestAlgorithm("__proto__"), undefined);
});

test("digests are compared whole and without regard to case", () => {
  assert.equal(digestsEqual("ABCD", "abcd"), true);
  assert.equal(digestsEqual("abcd", "abce"), false);
  assert.equal(digestsEqual("abcd", "abc"), false);
  assert.equal(digestsEqual("", "abc"), false);
});

test("RFC 7616 §3.4: credentials are read in any order, quoting and spacing", () => {
  const credentials = parseAuthorization(
    'digest  nonce="n,\\"1", username = "alice@example.com",cnonce="c", nc=00000001 ,qop=AUTH,' +
      'realm="example.com",uri="sip:example.com",response="0123",algorithm=SHA-256,integrity-protected=ip-assoc-yes',
  );
  assert.deepEqual(credentials, {
    username: "alice@example.com",
    realm: "example.com",
    nonce: 'n,"1',
    uri: "sip:example.com",
    response: "0123",
    algorithm: "SHA-256",
    qop: "auth",
    nc: "00000001",
    cnonce: "c",
    opaque: undefined,
    auts: undefined,
    integrityProtected: "ip-assoc-yes",
  });
});

test("TS 24.229 §5.1.1.2.2: credentials of an initial REGISTER have an empty nonce and response", () => {
  const credentials = parseAuthorization(
    'Digest username="alice@example.com",realm="example.com",nonce="",uri="sip:example.com",response=""',
  );
  assert.equal(credentials?.nonce, "");
  assert.equal(credentials?.response, "");
});

test("RFC 7616 §3.4: malformed, doubled and foreign credentials are refused", () => {
  for (const value of [
    "",
    "Digest",
    "Digest ",
    "Basic YTpi",
    'Digest realm="x"',
    'Digest username="a",username="b"',
    'Digest username="a',
    "Digest username",
    'Digest ="a"',
    `Digest username="a",${Array.from({ length: 40 }, (_, n) => `x${n}=1`).join(",")}`,
  ])
    assert.equal(parseAuthorization(value), undefined, value);
  assert.equal(parseAuthorization('Digest username="a",__proto__="b"')?.username, "a");
});

test("RFC 7616 §3.3: a challenge is written and read back", () => {
  const challenge = {
    realm: "example.com",
    nonce: "abc",
    algorithm: "MD5",
    qop: ["auth"],
    stale: true,
  } as const;
  const text = challengeToString(challenge);
  assert.equal(text, 'Digest realm="example.com",nonce="abc",algorithm=MD5,qop="auth",stale=TRUE');
  assert.deepEqual(parseChallenge(text), { ...challenge, opaque: undefined, ck: undefined, ik: undefined });
  assert.equal(parseChallenge('Digest realm="x"'), undefined);
});

test("TS 24.229 §7.2A.1: ck and ik travel in the challenge and can be taken out", () => {
  const text = challengeToString({ realm: "r", nonce: "n", algorithm: "AKAv1-MD5", ck: "00", ik: "11" });
  assert.match(text, /,ik="11",ck="00"$/);
  const parsed = parseChallenge(text);
  assert.ok(parsed);
  assert.doesNotMatch(challengeToString(withoutKeys(parsed)), /ck=|ik=/);
});

test("credentials are written so that they can be read", () => {
  const text = authorizationToString({
    username: 'a"b',
    realm: "r",
    nonce: "n",
    uri: "sip:r",
    response: "00",
    algorithm: "MD5",
    qop: "auth",
    nc: "00000001",
    cnonce: "c",
  });
  assert.equal(parseAuthorization(text)?.username, 'a"b');
  assert.equal(parseAuthorization(text)?.nc, "00000001");
});

test("RFC 3310 §3.2: the nonce is base64 of RAND and AUTN", () => {
  const rand = new Uint8Array(16).fill(1);
  const autn = new Uint8Array(16).fill(2);
  const parsed = parseAkaNonce(akaNonce(rand, autn));
  assert.deepEqual([...(parsed?.rand ?? [])], [...rand]);
  assert.deepEqual([...(parsed?.autn ?? [])], [...autn]);
  assert.equal(parseAkaNonce("AAAA"), undefined);
});

test("RFC 3310 §3.3, RFC 4169 §3: version 1 takes RES as the password, version 2 a keyed hash of it", () => {
  const keys = {
    res: Buffer.from("a54211d5e3ba50bf", "hex"),
    ik: Buffer.alloc(16, 1),
    ck: Buffer.alloc(16, 2),
  };
  assert.equal(akaHa1(1, "u", "r", keys), digestHash("MD5", `u:r:${keys.res.toString("latin1")}`));
  assert.notEqual(akaHa1(2, "u", "r", keys), akaHa1(1, "u", "r", keys));
  assert.equal(akaResynchronisationHa1("u", "r"), digestHash("MD5", "u:r:"));
});
