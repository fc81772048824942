import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildSimservs, type Condition, readSimservs, type Simservs } from "../../src/index.ts";

const HEAD = `<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap" xmlns:cp="urn:ietf:params:xml:ns:common-policy" xmlns:ocp="urn:oma:xml:xdm:common-policy">`;

function read(content: string): Simservs {
  const result = readSimservs(`${HEAD}${content}</simservs>`);
  if (result.kind === "wrong") assert.fail(result.problem);
  return result.simservs;
}

function problem(content: string): string {
  const result = readSimservs(`${HEAD}${content}</simservs>`);
  return result.kind === "wrong" ? result.problem : "none";
}

function rule(conditions: string, actions: string, id = "r1"): string {
  return `<cp:ruleset><cp:rule id="${id}"><cp:conditions>${conditions}</cp:conditions><cp:actions>${actions}</cp:actions></cp:rule></cp:ruleset>`;
}

const TO_BOB = "<forward-to><target>sip:bob@example.com</target></forward-to>";

test("TS 24.623: a document of a phone is read whole", () => {
  const simservs = read(`
    <originating-identity-presentation active="1"/>
    <originating-identity-presentation-restriction active="true"><default-behaviour>presentation-not-restricted</default-behaviour></originating-identity-presentation-restriction>
    <terminating-identity-presentation active="false"/>
    <communication-diversion active="true"><NoReplyTimer>30</NoReplyTimer>${rule(
      `<busy/><media>audio</media><cp:validity><cp:from>2026-01-01T00:00:00Z</cp:from><cp:until>2026-02-01T00:00:00+01:00</cp:until></cp:validity>`,
      `<forward-to><target>tel:+4930123</target><notify-caller>false</notify-caller></forward-to>`,
    )}</communication-diversion>
    <incoming-communication-barring>${rule(
      `<cp:identity><cp:one id="sip:Eve@EXAMPLE.com;x=y"/><cp:many domain="Example.org"><cp:except id="tel:+49-1"/><cp:except domain="a.example.org"/></cp:many></cp:identity><ocp:other-identity/>`,
      `<allow>false</allow>`,
    )}</incoming-communication-barring>
    <outgoing-communication-barring active="false"/>
    <other xmlns="urn:other"/>`);
  assert.deepEqual(simservs, {
    originatingIdentityPresentation: true,
    originatingIdentityRestriction: { active: true, restricted: false },
    terminatingIdentityPresentation: false,
    communicationDiversion: {
      active: true,
      noReplySeconds: 30,
      rules: [
        {
          id: "r1",
          conditions: [
            { kind: "busy" },
            { kind: "media", media: "audio" },
            { kind: "validity", periods: [{ from: Date.UTC(2026, 0, 1), until: Date.UTC(2026, 0, 31, 23) }] },
          ],
          action: {
            target: "tel:+4930123",
            notifyCaller: false,
            revealIdentityToCaller: true,
            revealServedUserIdentityToCaller: true,
            revealIdentityToTarget: true,
            noReplySeconds: undefined,
          },
        },
      ],
    },
    incomingBarring: {
      active: true,
      rules: [
        {
          id: "r1",
          conditions: [
            {
              kind: "identity",
              one: ["sip:Eve@example.com"],
              many: [{ domain: "example.org", exceptIds: ["tel:+491"], exceptDomains: ["a.example.org"] }],
            },
            { kind: "other-identity" },
          ],
          action: { allow: false },
        },
      ],
    },
    outgoingBarring: { active: false, rules: [] },
  });
});

test("RFC 4745 §10.2: a condition that is not known is kept as one that never holds", () => {
  const { incomingBarring } = read(
    `<incoming-communication-barring>${rule("<presence-status>busy</presence-status><cp:sphere/>", "<allow>true</allow>")}</incoming-communication-barring>`,
  );
  assert.deepEqual(incomingBarring?.rules[0]?.conditions, [
    { kind: "unknown", name: "presence-status" },
    { kind: "unknown", name: "sphere" },
  ]);
});

test("what a document may not say is refused with its place", () => {
  const diversion = (content: string): string =>
    problem(`<communication-diversion>${content}</communication-diversion>`);
  assert.match(problem("<no-such-service/>"), /simservs\/no-such-service: no such service/);
  assert.match(problem(`<communication-waiting active="perhaps"/>`), /"perhaps" is neither true nor false/);
  assert.match(problem("<communication-waiting/><communication-waiting/>"), /twice/);
  assert.match(diversion("<NoReplyTimer>4</NoReplyTimer>"), /NoReplyTimer: write 5 to 180 seconds/);
  assert.match(
    diversion(rule("", "<allow>true</allow>")),
    /rule\[@id="r1"\]\/actions: forward-to is missing/,
  );
  assert.match(diversion(rule("", TO_BOB, "a b")), /a rule needs an id/);
  assert.match(diversion(rule("", TO_BOB) + rule("", TO_BOB)), /second ruleset/);
  assert.match(
    diversion(rule("", "<forward-to><target>urn:service:sos</target></forward-to>")),
    /is no SIP or tel URI/,
  );
  assert.match(
    diversion(rule("", "<forward-to><target>sip:a b</target></forward-to>")),
    /is no SIP or tel URI/,
  );
  assert.match(diversion(rule("<cp:nothing/>", TO_BOB)), /common policy has no such condition/);
  assert.match(diversion(rule(`<cp:identity><cp:one id="nobody"/></cp:identity>`, TO_BOB)), /no SIP URI/);
  assert.match(
    diversion(rule("<cp:validity><cp:until>2026-01-01T00:00:00Z</cp:until></cp:validity>", TO_BOB)),
    /in turn/,
  );
  assert.match(
    diversion(rule("<cp:validity><cp:from>soon</cp:from></cp:validity>", TO_BOB)),
    /"soon" is no date/,
  );
  assert.match(
    problem(
      `<incoming-communication-barring>${rule("", "<allow>true</allow>").replace("</cp:ruleset>", `<cp:rule id="r1"><cp:actions><allow>true</allow></cp:actions></cp:rule></cp:ruleset>`)}</incoming-communication-barring>`,
    ),
    /a second rule with this id/,
  );
  const other = readSimservs("<simservs/>");
  assert.ok(other.kind === "wrong" && /the root has to be simservs/.test(other.problem));
});

test("names such as __proto__ are names", () => {
  assert.match(problem("<__proto__/>"), /no such service/);
  const simservs = read(
    `<communication-diversion>${rule("<constructor/>", TO_BOB, "__proto__")}</communication-diversion>`,
  );
  assert.equal(simservs.communicationDiversion?.rules[0]?.id, "__proto__");
});

const simple = fc.constantFrom<Condition>(
  { kind: "busy" },
  { kind: "no-answer" },
  { kind: "anonymous" },
  { kind: "international-exHC" },
  { kind: "rule-deactivated" },
);
const condition = fc.oneof(
  simple,
  fc.record({
    kind: fc.constant("identity" as const),
    one: fc.array(fc.constantFrom("sip:a&b@example.com", "tel:+491"), { maxLength: 2 }),
    many: fc.array(
      fc.record({
        domain: fc.constantFrom(undefined, "example.org"),
        exceptIds: fc.constant(["sip:c@example.com"]),
        exceptDomains: fc.constant(["d.example.org"]),
      }),
      { maxLength: 2 },
    ),
  }),
  fc.record({ kind: fc.constant("media" as const), media: fc.constantFrom("audio", "video") }),
);
const rules = <A>(action: fc.Arbitrary<A>) =>
  fc
    .array(fc.record({ conditions: fc.array(condition, { maxLength: 3 }), action }), { maxLength: 3 })
    .map((all) => all.map((one, index) => ({ id: `r${index}`, ...one })));
const barring = fc.record({ active: fc.boolean(), rules: rules(fc.record({ allow: fc.boolean() })) });
const simservsOf = fc.record(
  {
    originatingIdentityPresentation: fc.boolean(),
    originatingIdentityRestriction: fc.record({ active: fc.boolean(), restricted: fc.boolean() }),
    communicationWaiting: fc.boolean(),
    incomingBarring: barring,
    outgoingBarring: barring,
    communicationDiversion: fc.record({
      active: fc.boolean(),
      noReplySeconds: fc.constantFrom(undefined, 5, 180),
      rules: rules(
        fc.record({
          target: fc.constantFrom("sip:b@example.com;x=%22", "tel:+492"),
          notifyCaller: fc.boolean(),
          revealIdentityToCaller: fc.boolean(),
          revealServedUserIdentityToCaller: fc.boolean(),
          revealIdentityToTarget: fc.boolean(),
          noReplySeconds: fc.constantFrom(undefined, 20),
        }),
      ),
    }),
  },
  { requiredKeys: [] },
);

test("what is written is what is read", () => {
  fc.assert(
    fc.property(simservsOf, (simservs) => {
      const plain = structuredClone(simservs) as Simservs;
      const result = readSimservs(buildSimservs(plain));
      assert.deepEqual(result, { kind: "simservs", simservs: plain });
    }),
    { numRuns: 100 },
  );
});

test("any text is read or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (junk) => {
      readSimservs(junk);
      readSimservs(`${HEAD}<communication-diversion>${junk}</communication-diversion></simservs>`);
    }),
    { numRuns: 200 },
  );
});
