import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileSubstitution } from "../../src/index.ts";

function apply(source: string, text: string): string | undefined {
  const result = compileSubstitution(source);
  return result.kind === "substitution" ? result.substitution.apply(text) : assert.fail(result.reason);
}

test("RFC 3402 §3.2: a substitution replaces the leftmost, longest match; groups are named by \\1 to \\9", () => {
  const cases: [string, string, string | undefined][] = [
    ["!^.*$!sip:info@example.com!", "+15550001", "sip:info@example.com"],
    ["!^(\\+.*)$!sip:\\1@example.com;user=phone!", "+15550001", "sip:+15550001@example.com;user=phone"],
    ["!^\\+1(555)([0-9]+)$!sip:\\2-\\1@example.com!i", "+15550001", "sip:0001-555@example.com"],
    ["/^\\+(.*)$/tel:+\\1;npdi;rn=+1404/", "+15550001", "tel:+15550001;npdi;rn=+1404"],
    ["!^\\+49!sip:49!", "+4930", "sip:4930"],
    ["!^\\+44!x!", "+4930", undefined],
    ["!a|ab!x!", "cabd", "cxd"],
    ["!(a*)(b*)!<\\1|\\2>!", "aabbc", "<aa|bb>c"],
    ["!(x)?a!<\\1>!", "a", "<>"],
    ["!A(B)!\\1!i", "xab", "xb"],
    ["!a\\!b!c\\!\\\\d!", "a!b", "c!\\d"],
    ["!(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)!\\9\\1!", "abcdefghij", "ia"],
    ["!((a)|(b))+!\\1\\2\\3!", "ab", "bab"],
  ];
  for (const [source, text, expected] of cases) assert.equal(apply(source, text), expected, source);
});

test("RFC 3402 §3.2: a malformed substitution is refused with its reason", () => {
  for (const [source, reason] of [
    ["", /delimiter/],
    ["1a1b1", /delimiter/],
    ["!a!b", /three/],
    ["!a!b!!", /three/],
    ["!a!b!g", /flags/],
    ["!(a!b!", /malformed expression/],
    ["!a!\\1!", /group/],
    ["!((((a{255}){255}){255}){255})!b!", /too large/],
    [`!${"a".repeat(2000)}!b!`, /longer/],
  ] as const) {
    const result = compileSubstitution(source);
    assert.match(result.kind === "malformed" ? result.reason : "accepted", reason, source);
  }
});

test("whatever the expression is, the steps that it takes are bounded by its length and the text's", () => {
  const result = compileSubstitution("!^((a*)*)*((a|aa)+)+(a?){60}b$!\\1!");
  assert.equal(result.kind, "substitution");
  if (result.kind !== "substitution") return;
  const effort = { steps: 10_000_000 };
  assert.equal(result.substitution.apply("a".repeat(500), effort), undefined);
  assert.ok(10_000_000 - effort.steps < 500 * 2_000, `${10_000_000 - effort.steps} steps`);
  const little = { steps: 100 };
  assert.equal(result.substitution.apply(`${"a".repeat(500)}b`, little), undefined);
  assert.ok(little.steps < 0);
});

test("RFC 3402 §3.2: what one group holds is what the engine of the language finds, for simple expressions", () => {
  const atom = fc.constantFrom("a", "b", "[ab]", ".", "a*", "b+", "(a)", "(a|b)", "(b*)", "(ab)?");
  fc.assert(
    fc.property(
      fc.array(atom, { minLength: 1, maxLength: 6 }),
      fc.stringMatching(/^[ab]{0,8}$/),
      (atoms, text) => {
        const expression = `^${atoms.join("")}$`;
        const expected = new RegExp(expression).test(text)
          ? text.replace(new RegExp(expression), "<$&>")
          : undefined;
        assert.equal(apply(`!(${expression})!<\\1>!`, text), expected);
      },
    ),
    { numRuns: 300 },
  );
});
