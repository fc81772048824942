import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildUserProfile, ProfileTemplates, parseUserProfile, type UserProfile } from "../../src/index.ts";

const IFC = `<InitialFilterCriteria><Priority>0</Priority><ApplicationServer><ServerName>sip:as.example.com</ServerName></ApplicationServer></InitialFilterCriteria>`;

function documentOf(user: string, { inside = "", before = "", after = "" } = {}): string {
  return `<IMSSubscription>${before}<PrivateID>${user}@example.com</PrivateID><ServiceProfile><PublicIdentity><Identity>sip:${user}@example.com</Identity>${inside}</PublicIdentity><PublicIdentity><BarringIndication>1</BarringIndication><Identity>tel:+1555${user.length}</Identity></PublicIdentity>${IFC}</ServiceProfile>${after}</IMSSubscription>`;
}

function read(templates: ProfileTemplates, xml: string): UserProfile {
  const result = templates.read(xml);
  assert.deepEqual(result, parseUserProfile(xml), xml);
  assert.equal(result.kind, "parsed");
  return result.kind === "parsed" ? result.profile : assert.fail();
}

test("users of one kind share what is the same: their filter criteria are one object", () => {
  const templates = new ProfileTemplates();
  const [alice, bob] = ["alice", "bob"].map((user) => read(templates, documentOf(user)));
  assert.equal(templates.size, 1);
  assert.notEqual(alice?.serviceProfiles[0]?.publicIdentities, bob?.serviceProfiles[0]?.publicIdentities);
  assert.equal(
    alice?.serviceProfiles[0]?.initialFilterCriteria,
    bob?.serviceProfiles[0]?.initialFilterCriteria,
  );
});

test("what only looks alike is parsed: references, comments, other elements of these names, several of them", () => {
  const templates = new ProfileTemplates();
  for (const user of ["a", "b"])
    for (const xml of [
      documentOf(user),
      documentOf(user, { inside: "<Identity>sip:x@example.com</Identity>" }),
      documentOf(user, { inside: `<Identity>sip:${user}@example.com</Identity>` }),
      documentOf(user, { inside: `<Extension><Identity>sip:${user}@example.com</Identity></Extension>` }),
      documentOf(user, { before: `<!-- <PrivateID>${user}@example.com</PrivateID> -->` }),
      documentOf(user, { before: `<Other><PrivateID>a@example.com</PrivateID></Other>` }),
      documentOf(user, { after: "<PrivateID>last@example.com</PrivateID>" }),
      documentOf(user, { after: "<Identity>last@example.com</Identity>" }),
      // What a reader of XML takes for the element stands elsewhere than what looks like it.
      documentOf(user, {
        before: `<Other><PrivateID>${user}</PrivateID></Other><x:PrivateID>a@example.com</x:PrivateID>`,
      }),
      documentOf(user).replace("<PrivateID>", `<Other><PrivateID>${user}</PrivateID></Other><PrivateID >`),
      documentOf(user).replace("<Identity>", `<Junk><Identity>${user}</Identity></Junk><Identity >`),
      documentOf(user, { before: `<?other <PrivateID>${user}</PrivateID>?>` }),
      documentOf(`${user}&amp;c`),
      documentOf(`${user}<![CDATA[&]]>`),
      documentOf(` ${user}`),
      documentOf(`${user}é`),
    ])
      read(templates, xml);
  for (const xml of ["", "<PrivateID>", "<IMSSubscription/>", documentOf("a").slice(0, -20), documentOf("")])
    assert.deepEqual(templates.read(xml), parseUserProfile(xml));
});

test("read in any order, what is read is what parsing gives", () => {
  const piece = fc.constantFrom("a", "alice", "b.c", "!x!", "a&amp;b", " ", "", "é");
  const kind = fc.record({
    inside: fc.constantFrom("", "<Identity>sip:x@example.com</Identity>", "<Extension/>"),
    before: fc.constantFrom("", "<!---->", "<Other><PrivateID>a@example.com</PrivateID></Other>"),
    after: fc.constantFrom("", "<Identity>x</Identity>", "<PrivateID>a@example.com</PrivateID>"),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, kind), { maxLength: 20 }), (all) => {
      const templates = new ProfileTemplates();
      for (const [user, parts] of all) {
        const xml = documentOf(user, parts);
        assert.deepEqual(templates.read(xml), parseUserProfile(xml), xml);
      }
    }),
    { numRuns: 300 },
  );
});

test("kinds are bounded: where every user has one of his own, those go that have not served", () => {
  const templates = new ProfileTemplates();
  const ofKind = (one: number, user: string) =>
    documentOf(user, { inside: `<Extension><Number>${one}</Number></Extension>` });
  read(templates, documentOf("a"));
  for (let one = 1; one <= 100; one++) {
    read(templates, ofKind(one, "a"));
    assert.equal(templates.size, Math.min(one + 1, 16));
    assert.ok(templates.readKnown(ofKind(one, "b")), "the newest");
    assert.ok(templates.readKnown(documentOf("b")), "what serves all the time");
  }
  assert.equal(templates.readKnown(ofKind(1, "b")), undefined);
});

test("a profile that is built is one of its kind", () => {
  const templates = new ProfileTemplates();
  for (const user of ["alice", "bob"])
    read(
      templates,
      buildUserProfile({
        privateId: `${user}@example.com`,
        serviceProfiles: [
          {
            publicIdentities: [
              {
                identity: `sip:${user}@example.com`,
                barred: false,
                displayName: "One name",
                aliasGroup: "1",
              },
            ],
            ...{ initialFilterCriteria: [], sharedIfcSetIds: [7], serviceIds: [] },
          },
        ],
      }),
    );
  assert.equal(templates.size, 1);
});
