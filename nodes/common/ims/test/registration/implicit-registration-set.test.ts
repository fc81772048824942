import assert from "node:assert/strict";
import { test } from "node:test";
import { aliasesOf, implicitRegistrationSet, memberOf, type PublicIdentity } from "../../src/index.ts";

function setOf(publicIdentities: readonly PublicIdentity[]) {
  const service = { publicIdentities, initialFilterCriteria: [], sharedIfcSetIds: [], serviceIds: [] };
  return implicitRegistrationSet({ privateId: "a@b", serviceProfiles: [service] });
}

test("TS 24.229 §5.4.1.2.2F: the default identity is the first that is not barred", () => {
  const set = setOf([
    { identity: "sip:barred@example.com", barred: true },
    { identity: "sip:Alice@EXAMPLE.com", barred: false, aliasGroup: "1" },
    { identity: "tel:+1-650-555", barred: false, aliasGroup: "1" },
    { identity: "sip:list-x@example.com", barred: false, wildcardedImpu: "sip:list-!.*!@example.com" },
    { identity: "not a uri", barred: false },
  ]);
  assert.equal(set.defaultIdentity?.canonical, "sip:Alice@example.com");
  assert.deepEqual(set.associatedUris, ["sip:Alice@EXAMPLE.com", "tel:+1-650-555"]);
  assert.equal(memberOf(set, "tel:+1650555")?.identity.barred, false);
  assert.equal(memberOf(set, "sip:list-9@example.com")?.canonical, "sip:list-!.*!@example.com");
  assert.equal(memberOf(set, "sip:nobody@example.com"), undefined);
  assert.ok(set.defaultIdentity);
  assert.deepEqual(
    aliasesOf(set, set.defaultIdentity).map(({ canonical }) => canonical),
    ["sip:Alice@example.com", "tel:+1650555"],
  );
});

test("TS 23.228 §5.2.1a: a set whose identities are all barred has no default", () => {
  assert.equal(setOf([{ identity: "sip:a@b.c", barred: true }]).defaultIdentity, undefined);
});
