import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUri } from "@ims/sip";
import { type Dialled, dialPlanFile, makeDialPlan } from "../../src/routing/dial-plan.ts";
import { numberPortability } from "../../src/routing/number-portability.ts";
import { readTelephoneNumber, type TelephoneNumber } from "../../src/routing/telephone-number.ts";

const OPTIONS = { homeDomain: "example.com", aliasDomains: ["example.net"], enforceUserPhone: true };

function read(text: string, options = OPTIONS): TelephoneNumber | undefined {
  const uri = parseUri(text);
  return uri === undefined ? assert.fail(`no URI: ${text}`) : readTelephoneNumber(uri, options);
}

test("RFC 3966, RFC 3261 §19.1.6: which URIs are telephone numbers, and which number they are", () => {
  const cases: [string, string | undefined][] = [
    ["tel:+1-(555).0001", "global +15550001 "],
    ["tel:5550001;phone-context=+1-408", "local 5550001 +1408"],
    ["tel:*21#;phone-context=Example.COM", "local *21# example.com"],
    ["tel:5550001", "local 5550001 example.com"],
    ["sip:+15550001@example.com;user=phone", "global +15550001 "],
    ["sips:%2B15550001;npdi@EXAMPLE.net;user=PHONE", "global +15550001 "],
    ["sip:0300;phone-context=a.example.com@example.com;user=phone", "local 0300 a.example.com"],
    ["sip:*86%23;phone-context=example.com@example.com;user=dialstring", "local *86# example.com"],
    ["sip:123p456;phone-context=example.com@example.com;user=dialstring", "local 123P456 example.com"],
    ["sip:+15550001@example.com", undefined],
    ["sip:+15550001@elsewhere.example;user=phone", undefined],
    ["sip:alice@example.com;user=phone", undefined],
    ["sip:alice@example.com;user=ip", undefined],
    ["sip:example.com;user=phone", undefined],
    ["urn:service:sos", undefined],
    [`tel:+${"1".repeat(33)}`, undefined],
    [`sip:${"()".repeat(50)}1@example.com;user=phone`, undefined],
    ["sip:+1;__proto__=x@example.com;user=phone", "global +1 "],
    ["sip:+1%0D%0A5@example.com;user=phone", undefined],
  ];
  for (const [text, expected] of cases) {
    const number = read(text);
    assert.equal(number && `${number.kind} ${number.digits} ${number.context}`, expected, text);
  }
  const lenient = { ...OPTIONS, enforceUserPhone: false };
  assert.equal(read("sip:+15550001@example.com", lenient)?.digits, "+15550001");
  assert.equal(read("sip:5550001@example.com", lenient), undefined);
});

test("RFC 4694: routing number, dip indicator and carrier", () => {
  const of = (text: string): ReturnType<typeof numberPortability> =>
    numberPortability(read(text)?.parameters ?? assert.fail(text));
  assert.deepEqual(of("tel:+15550001"), { dipped: false, routingNumber: undefined, carrier: undefined });
  assert.deepEqual(of("tel:+15550001;npdi;rn=+1-404-555-9000;cic=+1-6789"), {
    dipped: true,
    routingNumber: { digits: "+14045559000", context: "" },
    carrier: "+16789",
  });
  assert.deepEqual(of("sip:+15550001;npdi;rn=d123;rn-context=+4-9@example.com;user=phone").routingNumber, {
    digits: "D123",
    context: "+49",
  });
  assert.equal(of("tel:+15550001;cic=0288;cic-context=+1").carrier, "+10288");
  // §4.1: a local one has to say where it is valid; what is none is not there.
  for (const bad of ["rn=123", "rn=", "rn", "rn=+", "rn=xyz", "cic=6789", "cic=6789;cic-context=example.com"])
    assert.deepEqual(
      of(`tel:+15550001;${bad}`),
      { dipped: false, routingNumber: undefined, carrier: undefined },
      bad,
    );
});

const PLAN = {
  contexts: [
    {
      context: "example.com",
      rules: [
        { prefix: "00", replacement: "+" },
        { prefix: "0", replacement: "+49" },
        { prefix: "", replacement: "+49-30", minimum: 5, maximum: 9 },
        { number: "*86", uri: "sip:voicemail@example.com" },
        { number: "110", uri: "tel:110;phone-context=+49" },
      ],
    },
    { context: "+1408", rules: [{ prefix: "", replacement: "+1408", minimum: 7, maximum: 7 }] },
  ],
};

test("RFC 3966 §5.1.5, RFC 4967: a local number is what the operator's table makes of it", () => {
  const made = makeDialPlan(dialPlanFile.parse(PLAN));
  assert.equal(made.kind, "table");
  if (made.kind !== "table") return;
  const cases: [string, string][] = [
    ["tel:0044-20-1234;phone-context=example.com", "tel:+44201234"],
    ["tel:0221123;phone-context=example.com;ext=5", "tel:+49221123;ext=5"],
    ["tel:12345;phone-context=example.com", "tel:+493012345"],
    // What is escaped in a user part does not become a header field.
    ["sip:12345;x=%0D%0AEvil%3a%20y%3e@example.com;user=phone", "tel:+493012345;x=%0D%0AEvil%3a%20y%3e"],
    ["tel:1234;phone-context=example.com", "incomplete"],
    ["tel:1234567890;phone-context=example.com", "unknown"],
    ["sip:12345P99;phone-context=example.com@example.com;user=dialstring", "tel:+493012345"],
    ["sip:*86;phone-context=example.com@example.com;user=dialstring", "sip:voicemail@example.com"],
    ["sip:*8612345;phone-context=example.com@example.com;user=dialstring", "unknown"],
    ["sip:p;phone-context=example.com@example.com;user=dialstring", "none"],
    ["tel:110", "tel:110;phone-context=+49"],
    ["tel:5550001;phone-context=+1-408", "tel:+14085550001"],
    ["tel:5550001;phone-context=__proto__", "unknown"],
  ];
  for (const [text, expected] of cases) {
    const number = read(text);
    const result: Dialled | undefined = number === undefined ? undefined : made.table.interpret(number);
    assert.equal(
      result === undefined ? "none" : result.kind === "uri" ? result.uri : result.kind,
      expected,
      text,
    );
  }
});

test("a dial plan that contradicts itself, or is none, is refused with the place", () => {
  const problem = (contexts: unknown): string => {
    const parsed = dialPlanFile.safeParse({ contexts });
    if (!parsed.success) return `${parsed.error.issues[0]?.path.join(".")}`;
    const made = makeDialPlan(parsed.data);
    return made.kind === "bad" ? made.problem : "accepted";
  };
  const rule = { prefix: "0", replacement: "+49" };
  assert.equal(problem([{ context: "a b", rules: [rule] }]), "contexts.0.context");
  assert.equal(problem([{ context: "a", rules: [] }]), "contexts.0.rules");
  assert.match(
    problem([{ context: "a", rules: [{ prefix: "0", replacement: "49" }] }]),
    /^contexts\.0\.rules\.0/,
  );
  assert.match(
    problem([{ context: "a", rules: [{ number: "1", uri: "mailto:x" }] }]),
    /^contexts\.0\.rules\.0/,
  );
  assert.equal(problem([{ context: "a", rules: [rule, rule] }]), 'contexts.0.rules.1: "0" is there already');
  assert.equal(
    problem([
      { context: "a", rules: [rule] },
      { context: "A", rules: [rule] },
    ]),
    "contexts.1: context A is there already",
  );
  assert.equal(
    problem([{ context: "a", rules: [{ ...rule, minimum: 9, maximum: 3 }] }]),
    "contexts.0.rules.0: minimum is more than maximum",
  );
});
