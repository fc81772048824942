import assert from "node:assert/strict";
import { test } from "node:test";
import { readModel } from "../../src/model/model.ts";
import { planVnf, type VnfRequest } from "../../src/plan/vnf-plan.ts";

const read = readModel();
assert.ok(read.kind === "model");
const { model } = read;

function vdu(name: string): VnfRequest["pools"][number]["vdu"] {
  return model.vdus.find((candidate) => candidate.name === name) ?? assert.fail(name);
}

function refusals(request: VnfRequest): string[] {
  const planning = planVnf(model, request);
  return planning.kind === "refused"
    ? planning.refusals.map(({ what, reason, remedy }) => `${what}: ${reason}; ${remedy}`)
    : [];
}

test("a pool of 7 to 15 at a quarter: three cells, seven hosts, steps 7, 11, 15", () => {
  const planning = planVnf(model, { pools: [{ vdu: vdu("sprout"), size: 7, max: 15 }] });
  assert.ok(planning.kind === "plan");
  const [pool] = planning.plan.pools;
  assert.deepEqual(pool?.cells, [7, 4, 4]);
  assert.deepEqual(pool?.steps, { toSize: [7], toMax: [11, 15] });
  assert.deepEqual(planning.plan.zones, [
    { zone: "core", availabilityZone: "core", hostsNeeded: 7, hostsToHeal: 8 },
  ]);
});

test("pools share the hosts of their zone, the DMZ has its own", () => {
  const planning = planVnf(model, {
    pools: [
      { vdu: vdu("bono"), size: 9, share: { numerator: 1, denominator: 2 } },
      { vdu: vdu("sprout"), size: 7 },
      { vdu: vdu("vellum"), size: 5 },
    ],
  });
  assert.ok(planning.kind === "plan");
  assert.deepEqual(
    planning.plan.zones.map(({ zone, hostsNeeded }) => [zone, hostsNeeded]),
    [
      ["dmz", 3],
      ["core", 7],
    ],
  );
});

test("the stores are on a host each, and all on one where the whole pool may go", () => {
  const planned = (share?: { numerator: number; denominator: number }): readonly number[] => {
    const planning = planVnf(model, {
      pools: [{ vdu: vdu("vellum"), size: 5, ...(share === undefined ? {} : { share }) }],
    });
    assert.ok(planning.kind === "plan");
    return planning.plan.zones.map(({ hostsNeeded }) => hostsNeeded);
  };
  assert.deepEqual(planned(), [5]);
  assert.deepEqual(planned({ numerator: 1, denominator: 1 }), [1]);
});

test("two availability zones halve the hosts that each needs", () => {
  const zones = new Map([
    [
      "core",
      [
        { name: "az1", hosts: 4 },
        { name: "az2", hosts: 4 },
      ],
    ],
  ]);
  const planning = planVnf(model, { pools: [{ vdu: vdu("sprout"), size: 7, max: 23 }], zones });
  assert.ok(planning.kind === "plan");
  assert.deepEqual(
    planning.plan.zones.map(({ availabilityZone, hostsNeeded }) => [availabilityZone, hostsNeeded]),
    [
      ["az1", 4],
      ["az2", 3],
    ],
  );
  const members = planning.plan.pools[0]?.zoneMap ?? [];
  for (let size = 1; size <= members.length; size++) {
    const first = members.slice(0, size).filter((zone) => zone === 0).length;
    assert.ok(Math.abs(size - 2 * first) <= 1, `${first} of ${size} in az1`);
  }
});

test("one host too few is refused, with what would help", () => {
  assert.deepEqual(
    refusals({
      pools: [{ vdu: vdu("sprout"), size: 7 }],
      zones: new Map([["core", [{ name: "az", hosts: 6 }]]]),
    }),
    [
      "sprout: zone az has 6 hosts; 7 sprouts need 7 there so that no host ever has more than 1/4 of them; add 1 host to az, or tolerate 1/3",
    ],
  );
  assert.deepEqual(
    refusals({
      pools: [{ vdu: vdu("vellum"), size: 3 }],
      zones: new Map([["core", [{ name: "az", hosts: 1 }]]]),
    }),
    [
      "vellum: zone az has 1 host; 3 vellums need 3 there so that no host ever has more than 1/3 of them or more than 1; add 2 hosts to az, or tolerate the loss of the whole pool (1)",
    ],
  );
});

test("what is offered instead is accepted", () => {
  const zones = new Map([["core", [{ name: "az", hosts: 6 }]]]);
  const sprout = vdu("sprout");
  assert.deepEqual(
    refusals({ pools: [{ vdu: sprout, size: 7, share: { numerator: 1, denominator: 3 } }], zones }),
    [],
  );
});

test("pools too small for the share, out of range or the wrong way round are refused", () => {
  assert.match(
    refusals({ pools: [{ vdu: vdu("sprout"), size: 3 }] }).join(),
    /share of 1\/3, more than the 1\/4.*plan 4 at least, or tolerate 1\/3/,
  );
  assert.match(
    refusals({ pools: [{ vdu: vdu("sprout"), size: 65 }] }).join(),
    /65 sprouts: the model allows 1 to 64/,
  );
  assert.match(
    refusals({ pools: [{ vdu: vdu("sprout"), size: 0 }] }).join(),
    /0 sprouts: the model allows 1 to 64/,
  );
  assert.match(refusals({ pools: [{ vdu: vdu("sprout"), size: 7, max: 5 }] }).join(), /below its size of 7/);
});

test("the DMZ and the core may not share an availability zone", () => {
  const zones = new Map([
    ["dmz", [{ name: "one" }]],
    ["core", [{ name: "one" }]],
  ]);
  assert.match(
    refusals({ pools: [{ vdu: vdu("bono"), size: 7 }], zones }).join(),
    /zones dmz and core would share the hosts of one/,
  );
});

test("quotas are those of the greatest sizes", () => {
  const planning = planVnf(model, {
    pools: [
      { vdu: vdu("sprout"), size: 7, max: 15 },
      { vdu: vdu("vellum"), size: 3 },
    ],
  });
  assert.ok(planning.kind === "plan");
  const needed = Object.fromEntries(planning.plan.quotas.map(({ name, needed: value }) => [name, value]));
  assert.deepEqual(
    { ...needed, security_group_rule: 0 },
    {
      instances: 18,
      cores: 42,
      ram: 86_016,
      server_groups: 4,
      server_group_members: 7,
      port: 51,
      security_group: 5,
      security_group_rule: 0,
      volumes: 3,
      gigabytes: 150,
    },
  );
});
