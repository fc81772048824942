import assert from "node:assert/strict";
import { test } from "node:test";
import type { Check } from "../../src/lcm/check.ts";
import { poolsOf } from "../../src/lcm/heat-instance.ts";
import { checkQuotas } from "../../src/lcm/preflight-quota.ts";
import { readModel } from "../../src/model/model.ts";

const read = readModel();
assert.ok(read.kind === "model");
const { model } = read;

const parameters = (portals: number): Map<string, string> =>
  new Map(
    ["bono", "sprout", "homestead", "vellum", "ellis"].flatMap((pool): [string, string][] => [
      [`${pool}_count`, pool === "ellis" ? String(portals) : "3"],
      [`${pool}_members_per_share`, pool === "ellis" ? "2" : "3"],
      [`${pool}_cell_map`, "0,0,0"],
      [`${pool}_zone_map`, "0,0,0"],
    ]),
  );

test("a pool of none is no pool of the instance", () => {
  const names = (portals: number): string[] => poolsOf(parameters(portals)).map(({ pool }) => pool);
  assert.deepEqual(names(0), ["bono", "sprout", "homestead", "vellum"]);
  assert.deepEqual(names(2), ["bono", "sprout", "homestead", "vellum", "ellis"]);
});

test("quotas count groups, rules and ports of a portal where there is one, and nothing of it elsewhere", () => {
  const needed = (portals: number): Map<string, number> => {
    const checks: Check[] = [];
    const given = parameters(portals);
    const limits = (names: readonly string[]) =>
      new Map(names.map((name) => [name, { most: 100_000, used: 1 }]));
    const compute = limits(["instances", "server_groups"]);
    const network = limits(["port", "security_group", "security_group_rule"]);
    checkQuotas(poolsOf(given), [], given, model, compute, network, new Map(), checks);
    return new Map(
      checks.map(({ what }) => {
        const [, name = "", count] = /^(\w+): (\d+) of/.exec(what) ?? [];
        return [name, Number(count)];
      }),
    );
  };
  const [without, withOne] = [needed(0), needed(2)];
  const more = [...withOne].map(([name, count]) => [name, count - (without.get(name) ?? 0)] as const);
  const by = new Map(more);
  assert.deepEqual(
    ["instances", "server_groups", "port", "security_group"].map((name) => by.get(name)),
    [2, 1, 4, 2],
  );
  assert.equal(without.get("security_group"), 9);
  assert.ok((by.get("security_group_rule") ?? 0) > 8);
});
