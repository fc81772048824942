import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUri } from "@ims/sip";
import { associatedIdentity, Registration } from "../../src/pcscf/registration.ts";

const NOTHING = { wildcards: [], ccf: undefined, priorities: undefined, emergency: false };

function registration(impi: string, expiresAt: number, ...further: string[]): Registration {
  const first = parseUri("sip:scscf.example.com") ?? assert.fail();
  const facts = { impi, owner: "owner123", serviceRoute: { line: "", first }, expiresAt, grants: NOTHING };
  return new Registration(facts, [
    associatedIdentity("sip:alice@example.com", "sip:alice@EXAMPLE.com"),
    ...further.map((uri) => associatedIdentity(uri, uri)),
  ]);
}

test("TS 24.229 §5.2.6.3.1: a registration is its own default identity, and what is made of its texts is as it was given", () => {
  const alone = registration("alice@example.com", 1000);
  const { impi, identities, assertion } = alone;
  assert.deepEqual([impi, assertion], ["alice@example.com", "<sip:alice@EXAMPLE.com>"]);
  assert.deepEqual(identities, [alone]);
  assert.equal(alone.registration, alone);
  assert.equal(alone.identity("sip:alice@example.com"), alone);
  assert.equal(alone.identity("sip:alice@EXAMPLE.com"), undefined, "the canonical form alone names it");
  for (const other of ["", "alice-1@private.example.com"]) assert.equal(registration(other, 0).impi, other);
});

test("TS 23.228 §4.3.3.4: the other identities of an implicit registration set lead to it", () => {
  const set = registration("alice@example.com", 1000, "tel:+493012345", "sip:+493012345@example.com");
  assert.deepEqual(
    set.identities.map(({ impu, assertion }) => `${impu} ${assertion}`),
    [
      "sip:alice@example.com <sip:alice@EXAMPLE.com>",
      "tel:+493012345 <tel:+493012345>",
      "sip:+493012345@example.com <sip:+493012345@example.com>",
    ],
  );
  for (const one of set.identities) {
    assert.equal(one.registration, set);
    assert.equal(set.identity(one.impu), one);
  }
});

test("it lapses less than a tenth of a second late, never early", () => {
  for (const at of [0, 100, 100.5, 199.9, 3_600_000.001]) {
    const { expiresAt } = registration("", at);
    assert.ok(expiresAt >= at && expiresAt < at + 100, `${at}: ${expiresAt}`);
  }
});
