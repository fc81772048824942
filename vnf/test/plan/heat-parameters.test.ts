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
  const usual = model.vdus.filter(({ pool }) => pool.default > 0);
  const planning = planVnf(model, {
    pools: usual.map((vdu) => ({ vdu, size: vdu.pool.default, max: vdu.pool.max })),
  });
  assert.ok(planning.kind === "plan");
  const heat = heatParameters(planning.plan);
  assert.ok(heat.kind === "parameters");
  assert.equal(heat.parameters.size, 2 + 5 * usual.length);
  for (const [name, value] of heat.parameters) {
    const given = String(top.parameters[name]?.default);
    // Maps differ in length only: a map is a prefix of any longer one.
    const length = name.endsWith("_map") ? Math.min(given.length, String(value).length) : undefined;
    assert.ok(given.length > 0, name);
    assert.equal(given.slice(0, length), String(value).slice(0, length), name);
  }
});

test("a portal is planned when it is asked for, as the template's own maps have it", () => {
  const vdu = model.vdus.find(({ name }) => name === "ellis") ?? assert.fail();
  const planning = planVnf(model, { pools: [{ vdu, size: 2, max: 3 }] });
  assert.ok(planning.kind === "plan");
  assert.deepEqual(planning.plan.pools[0]?.cellMap, [0, 0, 0]);
  assert.deepEqual(planning.plan.pools[0]?.hosts, [3]);
  const alone = planVnf(model, { pools: [{ vdu, size: 1 }] });
  assert.ok(alone.kind === "refused");
  assert.match(alone.refusals[0]?.remedy ?? "", /plan 2 at least/);
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
