import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { checkConfig, diffSettings, readSettings, writeSettings } from "../src/index.ts";

const nodes = [
  {
    pool: "bono",
    schema: z.object({
      homeDomain: z.string().min(1),
      sipPort: z.int().max(65535).default(5060),
      flowTokenKey: z
        .string()
        .regex(/^[0-9a-f]*$/, "hex")
        .default("")
        .meta({ secret: true }),
      certFile: z.string().min(1),
    }),
  },
  {
    pool: "sprout",
    schema: z.object({ homeDomain: z.string().min(3, "too short"), peers: z.array(z.string()) }),
  },
];

test("what some node would refuse is found with its line, what each machine says itself is not missed", () => {
  const good = checkConfig("home_domain=example.com\n# ports\nsip_port=5070\npeers=a, b\n", nodes);
  assert.ok(good.kind === "valid");
  assert.deepEqual(
    [good.settings.get("sip_port"), good.readers.get("home_domain"), good.readers.get("peers")],
    ["5070", ["bono", "sprout"], ["sprout"]],
  );
  const bad = checkConfig("home_domain=x\n\nsip_port=70000\n__proto__=1\nflow_token_key=geheim\n", nodes);
  assert.ok(bad.kind === "invalid");
  assert.deepEqual(
    bad.problems.map(({ line, key }) => `${line} ${key}`),
    ["1 home_domain", "3 sip_port", "4 __proto__", "5 flow_token_key"],
  );
  assert.doesNotMatch(JSON.stringify(bad), /geheim/);
});

test("a text that is none is refused with its line", () => {
  for (const [text, line] of [
    ["home_domain=a.b\nno equals sign", 2],
    ["a=1\na=2", 2],
    ["ü=1", 1],
    ["x".repeat(300_000), 1],
  ] as const) {
    const check = checkConfig(text, nodes);
    assert.ok(check.kind === "invalid");
    assert.equal(check.problems[0]?.line, line);
  }
});

test("a difference shows what came, went and changed, but no secret", () => {
  const before = new Map([...Object.entries({ a: "1", b: "2", key: "old" })]);
  const after = new Map([...Object.entries({ b: "3", c: "4", key: "new" })]);
  assert.deepEqual(diffSettings(before, after, new Set(["key"])), [
    { key: "a", before: "1" },
    { key: "b", before: "2", after: "3" },
    { key: "c", after: "4" },
    { key: "key", before: "(secret)", after: "(secret)" },
  ]);
});

test("whatever is written is read as the same settings", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/);
  const value = fc.oneof(
    fc.stringMatching(/^[ "'#=a-z]{0,12}$/),
    fc.string().map((text) => text.replace(/[\r\n]/g, "")),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), (entries) => {
      const settings = new Map(entries);
      const read = readSettings(writeSettings(settings));
      assert.ok(read.kind === "settings");
      assert.deepEqual([...read.settings].sort(), [...settings].sort());
    }),
  );
});
