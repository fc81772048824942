import assert from "node:assert/strict";
import { test } from "node:test";
import { MODEL_FOLDER, readModel } from "../../src/model/model.ts";
import { type Dimensioning, type DimensioningRequest, dimension } from "../../src/plan/dimensioning.ts";
import { measuredCosts } from "../../src/plan/measured-costs.ts";
import { planVnf } from "../../src/plan/vnf-plan.ts";

const reading = readModel(MODEL_FOLDER);
if (reading.kind === "bad") throw new Error("the model is faulty");
const { model } = reading;

function dimensioned(request: Partial<DimensioningRequest> & { readonly subscribers: number }): Dimensioning {
  const load = { callsPerHour: 0.65, registrationsPerHour: 2, utilisation: 0.5 };
  const result = dimension({ model, ...load, ...request });
  if (result.kind === "refused") throw new Error(JSON.stringify(result.refusals));
  return result.dimensioning;
}

test("rates follow from subscribers; processors from rates and what an operation costs", () => {
  const { load, pools } = dimensioned({ subscribers: 3_600_000, callsPerHour: 0.5, registrationsPerHour: 1 });
  assert.deepEqual([load.callsPerSecond, load.registrationsPerSecond], [500, 1_000]);
  const sprout = pools.find(({ pool }) => pool === "sprout");
  const { registration, call } = measuredCosts.sprout;
  assert.equal(sprout?.processors?.value, (1_000 * registration.value + 500 * call.value) / 1e6);
  assert.equal(sprout?.needed, Math.ceil((sprout?.processors?.value ?? 0) / 0.5));
  assert.equal(sprout?.by, "processor");
});

test("a pool is never smaller than usual, is a size that scaling stops at, and is enough without what a host may take", () => {
  for (const subscribers of [1, 100_000, 1_000_000, 3_000_000]) {
    const { pools } = dimensioned({ subscribers });
    const request = pools.map(({ pool, size }) => ({
      vdu: model.vdus.find((one) => one.name === pool),
      size,
    }));
    const planning = planVnf(model, {
      pools: request.map(({ vdu, size }) => {
        if (vdu === undefined) throw new Error("no such pool");
        return { vdu, size };
      }),
    });
    if (planning.kind === "refused") throw new Error(planning.refusals.map(({ reason }) => reason).join());
    for (const { pool, size, needed } of pools) {
      const plan = planning.plan.pools.find((one) => one.pool === pool);
      const usual = model.vdus.find(({ name }) => name === pool)?.pool.default ?? 0;
      assert.ok(size >= usual && size - (plan?.hostCap ?? 0) >= needed, `${pool} ${size} for ${subscribers}`);
      assert.ok(size === 3 || pool !== "vellum" || needed > 2, "no more vellums than are needed");
      if (pool !== "vellum") assert.equal((size + 1) % 4, 0, `${pool} ${size} is a stop`);
    }
  }
});

test("more of everything never makes a pool smaller; bounds stand round the figure", () => {
  let before = new Map<string, number>();
  for (let subscribers = 1_000; subscribers < 6e6; subscribers *= 1.7) {
    const { pools } = dimensioned({ subscribers: Math.round(subscribers) });
    for (const { pool, size, processors, stateMiB } of pools) {
      assert.ok(size >= (before.get(pool) ?? 0), `${pool} at ${subscribers}`);
      for (const figure of [processors, stateMiB])
        if (figure !== undefined) assert.ok(figure.from <= figure.value && figure.value <= figure.to);
    }
    before = new Map(pools.map(({ pool, size }) => [pool, size]));
  }
});

test("what no pool of the model can carry is refused with what is short, and larger machines help", () => {
  const load = { callsPerHour: 0.65, registrationsPerHour: 2, utilisation: 0.5 };
  const result = dimension({ model, ...load, subscribers: 40_000_000 });
  assert.equal(result.kind, "refused");
  if (result.kind !== "refused") return;
  assert.deepEqual(
    result.refusals.map(({ what }) => what),
    ["bono", "sprout", "vellum"],
  );
  assert.match(result.refusals[0]?.reason ?? "", /needed by memory/);
  const vdus = model.vdus.map((vdu) => ({ ...vdu, size: { ...vdu.size, memory: 8_192 } }));
  const { pools, machines, vcpus } = dimensioned({ subscribers: 20_000_000, model: { ...model, vdus } });
  assert.equal(
    machines,
    pools.reduce((sum, { size }) => sum + size, 0),
  );
  assert.ok(vcpus > machines);
});
