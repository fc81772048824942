import assert from "node:assert/strict";
import { test } from "node:test";
import { lintHot } from "../../vnf/src/index.ts";
import { heatFiles } from "./heat-files.ts";
import { SEEDS } from "./hot-seeds.ts";

test("the templates as they are have no fault", () => {
  assert.deepEqual(lintHot(heatFiles()), []);
});

for (const seed of SEEDS)
  test(`the linter finds ${seed.what}, with file and line`, () => {
    const files = heatFiles();
    const text = files.get(seed.file) ?? "";
    const broken = text.replace(seed.from, seed.to);
    assert.notEqual(broken, text, "the seed did not take");
    files.set(seed.file, broken);
    const faults = lintHot(files);
    const lines = broken.split("\n");
    const was = text.split("\n");
    const changed = lines.findIndex((line, at) => line !== was[at]) + 1;
    const wanted = faults.filter((fault) => fault.file === seed.file && seed.says.test(fault.problem));
    const told = JSON.stringify(faults);
    assert.ok(wanted.length > 0, `not found: ${told}`);
    const on = seed.on;
    const placed = wanted.some(({ line }) =>
      on === undefined ? line === changed : line > 0 && (lines[line - 1] ?? "").includes(on),
    );
    assert.ok(placed, `not where it is (line ${changed}): ${told}`);
  });

test("rubbish of any kind is a fault, never an exception", () => {
  for (const text of [
    "",
    "~",
    "[]",
    "a",
    "- 1",
    "heat_template_version: 1",
    "resources: []",
    "resources: {a: 1}",
    "resources: {a: {type: {}}}",
    "parameters: {p: [], constructor: {}, __proto__: {}}\nresources: {__proto__: {type: x.yaml}}",
    "\u0000",
    "&a [*a]",
  ]) {
    const files = heatFiles();
    files.set("ims.yaml", text);
    assert.ok(lintHot(files).length > 0, text);
  }
});
