import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseResourcePriorities, ResourcePriorities, readResourcePriorities } from "../../src/index.ts";

const standard = new ResourcePriorities();

test("RFC 4412 §10: the namespaces of the registry, their order, and what overload does not touch", () => {
  for (const value of [
    "ets.0",
    "ETS.4",
    "wps.2",
    "dsn.flash",
    "drsn.flash-override-override",
    "q735.0",
    "esnet.1",
  ])
    assert.equal(standard.isExempt(value), true, value);
  for (const value of ["dsn.routine", "q735.4", "mcpttp.15", "ets.5", "ets", "nobody.0", "", "__proto__.0"])
    assert.equal(standard.isExempt(value), false, value);
  assert.equal(standard.isExempt("nobody.0 , wps.3"), true, "one that is known is enough (§4.6.2)");
});

test("TS 24.229 §3.1: a priority is authorised up to the one that was granted, in its namespace", () => {
  const granted = ["ets.2", "dsn.immediate", "own.gold"];
  assert.deepEqual(standard.permitted(["ets.2", "ets.3", "ets.1"], granted), ["ets.2", "ets.3"]);
  assert.deepEqual(standard.permitted(["DSN.Priority", "dsn.flash"], granted), ["DSN.Priority"]);
  assert.deepEqual(standard.permitted(["wps.4", "drsn.routine", "own.silver"], granted), []);
  assert.deepEqual(
    standard.permitted(["own.gold"], granted),
    ["own.gold"],
    "unknown here: what was granted itself",
  );
  assert.deepEqual(standard.permitted(["ets.4"], []), []);
});

test("a table of the operator's takes the place of the registry", () => {
  const read = parseResourcePriorities(
    JSON.stringify({
      namespaces: [
        { name: "Gold", priorities: ["low", "mid", "high"], exemptFrom: "mid" },
        { name: "__proto__", priorities: ["0", "1"] },
      ],
    }),
  );
  assert.equal(read.kind, "priorities");
  if (read.kind !== "priorities") return;
  const { priorities } = read;
  assert.deepEqual(
    ["gold.low", "gold.mid", "gold.HIGH", "ets.0", "__proto__.1"].map((value) => priorities.isExempt(value)),
    [false, true, true, false, false],
  );
  assert.deepEqual(priorities.permitted(["gold.low", "gold.high"], ["GOLD.mid"]), ["gold.low"]);
});

test("a table that is wrong is told with place and remedy", () => {
  for (const [content, problem] of [
    ["{", /is not JSON/],
    ["null", /namespaces: a list/],
    ['{"namespaces":{}}', /namespaces: a list/],
    ['{"namespaces":[null]}', /namespaces\.0\.name: a token without a dot/],
    ['{"namespaces":[{"name":"a.b","priorities":["1"]}]}', /namespaces\.0\.name/],
    [
      '{"namespaces":[{"name":"a","priorities":[]},{"name":"A","priorities":[]}]}',
      /namespaces\.1\.name: it is there twice/,
    ],
    ['{"namespaces":[{"name":"a","priorities":"1"}]}', /namespaces\.0\.priorities: tokens/],
    ['{"namespaces":[{"name":"a","priorities":["1",2]}]}', /namespaces\.0\.priorities: tokens/],
    ['{"namespaces":[{"name":"a","priorities":["x","X"]}]}', /a value is there twice/],
    [
      '{"namespaces":[{"name":"a","priorities":["1"],"exemptFrom":"2"}]}',
      /exemptFrom: one of the priorities/,
    ],
  ] as const) {
    const read = parseResourcePriorities(content);
    assert.equal(read.kind, "bad", content);
    assert.match(read.kind === "bad" ? read.problem : "", problem);
  }
});

test("the file of an operator: none is the standard table; what is wrong with it is said as its reader wants it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sip-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "priorities.json");
  const read = (name: string): ResourcePriorities =>
    readResourcePriorities(name, (problem, cause) => new Error(problem, { cause }));
  assert.equal(read("").isExempt("ets.0"), true);
  assert.throws(() => read(file), { message: "cannot be read" });
  writeFileSync(file, "[");
  assert.throws(() => read(file), { message: "is not JSON" });
  writeFileSync(
    file,
    '{"namespaces": [{"name": "ours", "priorities": ["low", "high"], "exemptFrom": "high"}]}',
  );
  assert.deepEqual(
    ["ours.high", "ours.low", "ets.0"].map((value) => read(file).isExempt(value)),
    [true, false, false],
  );
});
