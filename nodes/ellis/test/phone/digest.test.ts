import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { pageModule } from "./modules.ts";

interface Challenge {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

const { md5, sha256 } = await pageModule<Record<"md5" | "sha256", (text: string) => string>>("sip/hashes.js");
const { challengesOf, usableOf, Credentials } = await pageModule<{
  challengesOf(lines: readonly string[]): Challenge[];
  usableOf(challenges: readonly Challenge[]): Challenge | undefined;
  readonly Credentials: new (
    challenge: Challenge | undefined,
    user: { impi: string; password: string },
  ) => { answer(method: string, uri: string): string };
}>("sip/digest.js");

test("RFC 1321, FIPS 180-4: the hashes of the phone are those of Node, at every length of a block and beyond ASCII", () => {
  for (let length = 0; length < 200; length++) {
    const text = "aß😀x".repeat(50).slice(0, length).toWellFormed();
    assert.equal(md5(text), hash("md5", text), `${length} characters`);
    assert.equal(sha256(text), hash("sha256", text), `${length} characters`);
  }
});

test("RFC 8760 §2.4: of several challenges, on lines of their own or in one, the first with a known algorithm is answered", () => {
  const [unknown, known] = [
    'Digest realm="a, b", nonce="1", algorithm=SHA-512-256, qop="auth,auth-int"',
    'Digest realm="a, b", nonce="2", algorithm=SHA-256, qop="auth"',
  ];
  for (const lines of [[unknown, known], [`${unknown}, ${known}`], ['Bearer realm="x"', unknown, known]]) {
    const used = usableOf(challengesOf(lines));
    assert.equal(used?.params.get("nonce"), "2");
    assert.equal(used?.params.get("realm"), "a, b");
  }
  assert.equal(usableOf(challengesOf([unknown])), undefined);
  assert.equal(usableOf(challengesOf(['Digest realm="a"', "nonsense", ""])), undefined);
});

for (const [algorithm, name] of [
  ["MD5", "md5"],
  ["SHA-256", "sha256"],
] as const)
  test(`RFC 7616 §3.4: an answer with ${algorithm} is the one that a registrar computes, its nonce counted`, () => {
    const challenge = usableOf(
      challengesOf([
        `Digest realm="example.com", nonce="n\\"1", algorithm=${algorithm}, qop="auth", opaque="o"`,
      ]),
    );
    const credentials = new Credentials(challenge, { impi: "alice@example.com", password: "secret" });
    for (const nc of ["00000001", "00000002"]) {
      const said = credentials.answer("REGISTER", "sip:example.com");
      const field = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(said)?.[1] ?? "";
      const digest = (...parts: string[]) => hash(name, parts.join(":"));
      const a1 = digest("alice@example.com", "example.com", "secret");
      const a2 = digest("REGISTER", "sip:example.com");
      assert.equal(field("nc"), nc);
      assert.equal(field("response"), digest(a1, 'n"1', nc, field("cnonce"), "auth", a2));
      assert.match(said, /nonce="n\\"1".*algorithm=.*opaque="o"/);
      assert.ok(!said.includes("secret"));
    }
  });
