import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  buildUserProfile,
  canonicalImpu,
  parsePChargingVector,
  parseUserProfile,
  parseWildcardedImpu,
  type RegistrationType,
  type SessionCase,
} from "../../src/index.ts";

/** Text that XML can carry and that white space at its ends does not change; U+FFFD stands for what was no UTF-8, and is refused. */
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .map((each) => each.replace(/[\x00-\x1f\ufffd-\uffff]/g, "").trim())
  .filter((each) => each !== "" && each === each.normalize() && !/[\ud800-\udfff]/.test(each));
const number = fc.integer({ min: 0, max: 9_999_999 });
const condition = fc.oneof(
  text.map((pattern) => ({ kind: "requestUri" as const, pattern })),
  fc
    .tuple(text, fc.option(text, { nil: undefined }))
    .map(([header, content]) => ({ kind: "sipHeader" as const, header, content })),
  fc
    .tuple(text, fc.option(text, { nil: undefined }))
    .map(([line, content]) => ({ kind: "sessionDescription" as const, line, content })),
  fc
    .constantFrom<SessionCase[]>(0, 1, 2, 3, 4)
    .map((sessionCase) => ({ kind: "sessionCase" as const, sessionCase })),
  fc
    .tuple(text, fc.subarray<RegistrationType>([0, 1, 2]))
    .map(([method, registrationTypes]) => ({ kind: "method" as const, method, registrationTypes })),
);
const criteria = fc.record({
  priority: number,
  trigger: fc.option(
    fc.record({
      form: fc.constantFrom("cnf" as const, "dnf" as const),
      groups: fc.array(
        fc.array(fc.record({ negated: fc.boolean(), condition }), { minLength: 1, maxLength: 3 }),
        { maxLength: 3 },
      ),
    }),
    { nil: undefined },
  ),
  applicationServer: fc.record({
    serverName: text,
    defaultHandling: fc.constantFrom("continue" as const, "terminate" as const),
    serviceInfo: fc.option(text, { nil: undefined }),
    includeRegisterRequest: fc.boolean(),
    includeRegisterResponse: fc.boolean(),
  }),
  profilePart: fc.constantFrom(undefined, "registered" as const, "unregistered" as const),
});

test("TS 29.228 annex E: whatever is built is read back as it was", () => {
  fc.assert(
    fc.property(
      text,
      text,
      fc.uniqueArray(criteria, { maxLength: 3, selector: ({ priority }) => priority }),
      (privateId, identity, ifcs) => {
        const profile = {
          privateId,
          serviceProfiles: [
            {
              publicIdentities: [{ identity, barred: true, displayName: identity }],
              initialFilterCriteria: ifcs.sort((one, other) => one.priority - other.priority),
              sharedIfcSetIds: [7],
              serviceIds: [identity],
            },
          ],
        };
        const parsed = parseUserProfile(buildUserProfile(profile));
        assert.equal(parsed.kind, "parsed", JSON.stringify(parsed));
        // JSON leaves out what is undefined; an identity type of 0 is the schema's default.
        const plain = (value: unknown): unknown =>
          JSON.parse(JSON.stringify(value), (name, each) => (name === "identityType" ? undefined : each));
        assert.deepEqual(plain(parsed.kind === "parsed" && parsed.profile), plain(profile));
      },
    ),
    { numRuns: 200 },
  );
});

test("no text makes a parser throw, and canonical identities are fixed points", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (junk) => {
      parseUserProfile(junk);
      parseUserProfile(`<IMSSubscription>${junk}</IMSSubscription>`);
      parsePChargingVector(junk);
      parseWildcardedImpu(`sip:!${junk}!@example.com`);
      for (const text of [junk, `sip:${junk}@example.com`, `tel:+${junk}`]) {
        const canonical = canonicalImpu(text);
        if (canonical !== undefined) assert.equal(canonicalImpu(canonical), canonical);
      }
    }),
    { numRuns: 2000 },
  );
});
