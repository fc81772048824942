import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileExtendedRegularExpression } from "../../src/index.ts";

test("IEEE 1003.1 §9.4: expressions mean what they mean elsewhere", () => {
  const cases: [string, string, boolean][] = [
    ["abc", "abc", true],
    ["a.c", "axc", true],
    ["a*", "", true],
    ["(ab)+", "ababab", true],
    ["(ab)+", "aba", false],
    ["[[:digit:]]{2,3}", "12", true],
    ["[[:digit:]]{2,3}", "1234", false],
    ["[^a-c]", "d", true],
    ["[^a-c]", "b", false],
    ["[]x]+", "]x", true],
    ["(a|b|)c", "c", true],
    ["\\.com", ".com", true],
    ["\\d+", "42", true],
    ["^a$", "a", true],
    ["a{0}", "", true],
    ["(a*)*", "aaa", true],
    ["(a|b)?{2}", "ab", true],
  ];
  for (const [source, text, expected] of cases) {
    assert.equal(compileExtendedRegularExpression(source)?.matches(text), expected, `${source} on ${text}`);
  }
  assert.equal(compileExtendedRegularExpression("b+")?.isFoundIn("aabbcc"), true);
  assert.equal(compileExtendedRegularExpression("^b")?.isFoundIn("ab"), false);
  assert.equal(compileExtendedRegularExpression("c$")?.isFoundIn("abc"), true);
});

test("IEEE 1003.1 §9.4: malformed or exploding expressions are refused", () => {
  const exploding = `${"(".repeat(8)}a${"{255})".repeat(8)}`;
  const empty = `${"(".repeat(20)}${"){255}".repeat(20)}`;
  for (const bad of [
    "(",
    "a)",
    "[a",
    "*a",
    "a{2,1}",
    "a{999}",
    "a{",
    "\\",
    "[b-a]",
    "[[:nope:]]",
    exploding,
    empty,
  ]) {
    assert.equal(compileExtendedRegularExpression(bad), undefined, bad);
  }
  assert.equal(compileExtendedRegularExpression("a".repeat(513)), undefined);
});

test("no expression stalls: the classic backtracking traps take linear time", () => {
  const expression = compileExtendedRegularExpression("(a+)+(a|aa)*b");
  assert.ok(expression);
  const before = process.threadCpuUsage();
  assert.equal(expression.matches("a".repeat(5000)), false);
  assert.ok(process.threadCpuUsage(before).user < 500_000);
});

test("expressions agree with the engine of the language on generated cases", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "(a|b)", "(ab)");
  const piece = fc
    .tuple(atom, fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}"))
    .map((parts) => parts.join(""));
  const source = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(source, text, (pattern, input) => {
      const ours = compileExtendedRegularExpression(pattern);
      assert.equal(ours?.matches(input), new RegExp(`^(?:${pattern})$`).test(input));
      assert.equal(ours?.isFoundIn(input), new RegExp(pattern).test(input));
    }),
    { numRuns: 500 },
  );
});
