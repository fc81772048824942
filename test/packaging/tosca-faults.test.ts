import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPackageFault, PROFILES, TOP_FILE, validateDescriptor } from "../../vnf/src/index.ts";
import { toscaFiles } from "./tosca-files.ts";
import { TOSCA_SEEDS } from "./tosca-seeds.ts";

const WHOLE = new Map(PROFILES.map((profile) => [profile, toscaFiles(profile, ["ha", "lab"])]));

for (const profile of PROFILES)
  test(`the descriptor for ${profile} has no fault, neither in itself nor against the templates`, () => {
    const { faults, bundle } = validateDescriptor(toscaFiles(profile), TOP_FILE);
    assert.deepEqual(faults.map(formatPackageFault), []);
    assert.deepEqual(bundle.flavours.map(({ flavourId }) => flavourId).sort(), [
      "ha",
      "ha-portal",
      "lab",
      "large",
    ]);
  });

for (const { what, profile = "sol001-4", file, from, to, says, on, inFile = file } of TOSCA_SEEDS)
  test(`the validator finds ${what}, with file, line and remedy`, () => {
    const files = new Map(WHOLE.get(profile));
    const text = Buffer.from(files.get(file) ?? "").toString("utf8");
    const broken = text.replace(from, to);
    assert.notEqual(broken, text, "the seed did not take");
    files.set(file, Buffer.from(broken));
    const { faults } = validateDescriptor(files, TOP_FILE);
    const told = faults.slice(0, 20).map(formatPackageFault).join("\n");
    const wanted = faults.filter((fault) => fault.file === inFile && says.test(fault.problem));
    assert.ok(wanted.length > 0, `not found:\n${told}`);
    const lines = Buffer.from(files.get(inFile) ?? "")
      .toString("utf8")
      .split("\n");
    const was = text.split("\n");
    const changed = broken.split("\n").findIndex((line, at) => line !== was[at]) + 1;
    const placed = wanted.some(({ line }) =>
      on === undefined ? line === changed : line > 0 && (lines[line - 1] ?? "").includes(on),
    );
    assert.ok(placed, `not where it is (line ${changed}):\n${wanted.map(formatPackageFault).join("\n")}`);
    for (const fault of wanted) assert.ok(fault.remedy.length > 5);
  });

test("rubbish of any kind is a fault, never an exception", () => {
  for (const text of [
    "",
    "~",
    "[]",
    "a",
    "topology_template: []",
    "topology_template: {substitution_mappings: {}, node_templates: [], policies: {}}",
    "topology_template: {substitution_mappings: {properties: []}, node_templates: {a: 1, b: {type: []}}, policies: [1, {a: {type: {}}}]}",
    "node_types: {__proto__: {derived_from: __proto__}, constructor: {derived_from: constructor}}",
    "imports: [{}, [], ../../../etc/passwd, constructor]",
    "\u0000",
    "&a [*a]",
  ])
    for (const file of [TOP_FILE, "Definitions/tidewater_df_ha.yaml", "Definitions/tidewater_types.yaml"]) {
      const files = new Map(WHOLE.get("sol001-4"));
      files.set(file, Buffer.from(text));
      assert.ok(validateDescriptor(files, TOP_FILE).faults.length > 0, `${file}: ${text}`);
    }
});
