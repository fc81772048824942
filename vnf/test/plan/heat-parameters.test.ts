import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";
import { readModel } from "../../src/model/model.ts";
import { heatParameters } from "../../src/plan/heat-parameters.ts";
import { planVnf } from "../../src/plan/vnf-plan.ts";

const read = readModel();
assert.ok(read.kind === "model");
const { model } = read;

test("the defaults of ims.yaml are the plan of the model's usual sizes, cell by cell", () => {
  const top = load(readFileSync(join(import.meta.dirname, "../../../heat-templates/ims.yaml"), "utf8")) as {
    parameters: Record<string, { default?: unknown }>;
  };
  const planning = planVnf(model, {
    pools: model.vdus.map((vdu) => ({ vdu, size: vdu.pool.default, max: vdu.pool.max })),
  });
  assert.ok(planning.kind === "plan");
  const heat = heatParameters(planning.plan);
  assert.ok(heat.kind === "parameters");
  assert.equal(heat.parameters.size, 2 + 5 * model.vdus.length);
  for (const [name, value] of heat.parameters) {
    const given = String(top.parameters[name]?.default);
    // Maps differ in length only: a map is a prefix of any longer one.
    const length = name.endsWith("_map") ? Math.min(given.length, String(value).length) : undefined;
    assert.ok(given.length > 0, name);
    assert.equal(given.slice(0, length), String(value).slice(0, length), name);
  }
});

test("shares that the templates cannot express are refused", () => {
  const [vdu = assert.fail()] = model.vdus;
  const planning = planVnf(model, { pools: [{ vdu, size: 7, share: { numerator: 2, denominator: 5 } }] });
  assert.ok(planning.kind === "plan");
  assert.deepEqual(heatParameters(planning.plan), {
    kind: "bad",
    problem: "bono: the templates take shares of the form 1/n, not 2/5",
  });
});
