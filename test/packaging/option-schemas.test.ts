import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TURN_PORT, TURN_RELAY_PORTS } from "@ims/api";
import { bonoOptions } from "@ims/bono";
import { ellisOptions } from "@ims/ellis";
import { edgeAgentOptions, etcdClusterOptions } from "@ims/etcd-cluster";
import { homerOptions } from "@ims/homer";
import { homesteadOptions } from "@ims/homestead";
import { ralfOptions } from "@ims/ralf";
import { sproutOptions } from "@ims/sprout";
import { load } from "js-yaml";
import { z } from "zod";
import { PROFILES, readModel, TOP_FILE } from "../../vnf/src/index.ts";
import { heatFiles } from "./heat-files.ts";
import { toscaFiles } from "./tosca-files.ts";

interface Property {
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

/** What the processes themselves say of their options, by process: as JSON Schema. */
const SCHEMAS: ReadonlyMap<string, ReadonlyMap<string, Property>> = new Map(
  Object.entries({
    bono: bonoOptions,
    sprout: sproutOptions,
    homestead: homesteadOptions,
    ralf: ralfOptions,
    homer: homerOptions,
    ellis: ellisOptions,
    "etcd-cluster": etcdClusterOptions,
    "edge-agent": edgeAgentOptions,
  }).map(([process, schema]) => {
    const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    return [process, new Map(Object.entries(properties as Record<string, Property>))];
  }),
);
/** Programs of others: their ports are where everybody has them. */
const OTHERS: ReadonlyMap<string, readonly number[]> = new Map([
  ["memcached", [11211]],
  ["cassandra", [9042, 7000]],
  ["etcd", [2379, 2380, 2378]],
  ["sshd", [22]],
  ["turn", [TURN_PORT, TURN_RELAY_PORTS.first]],
]);

function portsOf(process: string): number[] {
  const others = OTHERS.get(process);
  if (others !== undefined) return [...others];
  const schema = SCHEMAS.get(process);
  assert.ok(schema !== undefined, `no option schema of ${process}`);
  return [...schema].flatMap(([name, { default: usual }]) =>
    /port$/i.test(name) && typeof usual === "number" ? [usual] : [],
  );
}

const read = readModel();
assert.ok(read.kind === "model");
const { model } = read;

test("the table of ports has every port that an option of a process opens, and no other", () => {
  for (const process of SCHEMAS.keys()) {
    // etcd-cluster lets machines in where there is an etcd, not wherever it runs.
    const enrols = (row: (typeof model.ports)[number]): boolean =>
      process === "etcd-cluster" && row.process === "etcd" && row.name === "enrol";
    const table = model.ports.filter((row) => row.process === process || enrols(row));
    const opened = new Set(portsOf(process));
    for (const port of opened)
      assert.ok(
        table.some((row) => row.port === port),
        `${process} opens ${port}, vnf/model/ports.yaml does not have it`,
      );
    for (const { port, name, reserved } of table)
      if (!reserved) assert.ok(opened.has(port), `${process}/${name}: no option of ${process} is ${port}`);
  }
});

interface Policy {
  readonly type: string;
  readonly properties: {
    readonly direction: string;
    readonly port_range_min: number;
    readonly port_range_max: number;
  };
  readonly targets: readonly string[];
}

for (const profile of PROFILES)
  test(`${profile}: the descriptor lets in what the options of the processes on a VDU open, and nothing else`, () => {
    const files = toscaFiles(profile, ["ha-portal"]);
    let rules = 0;
    const opened = new Map<string, Set<number>>();
    for (const [path, bytes] of files) {
      if (!/^Definitions\/.*\.yaml$/.test(path) || path === TOP_FILE) continue;
      const { topology_template: topology } = load(Buffer.from(bytes).toString("utf8")) as {
        topology_template?: { policies?: readonly Record<string, Policy>[] };
      };
      for (const [, { type, properties, targets }] of (topology?.policies ?? []).flatMap((one) =>
        Object.entries(one),
      )) {
        if (!type.endsWith(".SecurityGroupRule") || properties.direction !== "ingress") continue;
        rules++;
        const { port_range_min: first, port_range_max: last } = properties;
        assert.equal(last, first === TURN_RELAY_PORTS.first ? TURN_RELAY_PORTS.last : first);
        for (const target of targets) {
          const vdu = model.vdus.find(({ name }) => target.startsWith(`${name}_`));
          assert.ok(vdu !== undefined, target);
          assert.ok(
            vdu.processes.some((process) => portsOf(process).includes(properties.port_range_min)),
            `${target}: no process of ${vdu.name} has the port ${properties.port_range_min}`,
          );
          const set = opened.get(vdu.name) ?? new Set();
          opened.set(vdu.name, set.add(properties.port_range_min));
        }
      }
    }
    assert.ok(rules > 15, `${rules} rules`);
    for (const { process, port, reserved } of model.ports)
      for (const { name } of model.vdus.filter(({ processes }) => processes.includes(process)))
        if (!reserved) assert.ok(opened.get(name)?.has(port), `${name} has no rule for ${process} ${port}`);
  });

test("parameters of the templates that end in an option have its default and its values", () => {
  const { parameters } = load(heatFiles().get("ims.yaml") ?? "") as {
    parameters: Record<
      string,
      { default?: unknown; constraints?: { allowed_values?: readonly string[]; range?: { min: number } }[] }
    >;
  };
  for (const [parameter, process, option] of [
    ["home_domain", "bono", "homeDomain"],
    ["home_domain", "sprout", "homeDomain"],
    ["home_domain", "homestead", "homeDomain"],
    ["home_domain", "ralf", "homeDomain"],
    ["home_domain", "ellis", "homeDomain"],
    ["durable_writes", "sprout", "durableWrites"],
  ] as const) {
    const schema = SCHEMAS.get(process)?.get(option);
    assert.ok(schema !== undefined, `${process} has no option ${option}`);
    assert.equal(parameters[parameter]?.default, schema.default, `${parameter} and ${process}/${option}`);
    const allowed = parameters[parameter]?.constraints?.find((one) => one.allowed_values)?.allowed_values;
    assert.deepEqual(allowed, schema.enum, `${parameter} and ${process}/${option}`);
  }
});

test("the time for a graceful termination is that in which the units of the image let a node end", () => {
  const vnfd = load(readFileSync(join(import.meta.dirname, "../../vnf/model/vnfd.yaml"), "utf8")) as {
    graceful_termination: number;
  };
  for (const vdu of model.vdus.filter(({ name }) => name !== "vellum")) {
    const unit = readFileSync(
      join(import.meta.dirname, `../../images/files/etc/systemd/system/tidewater-${vdu.name}.service`),
      "utf8",
    );
    const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
    assert.ok(vnfd.graceful_termination <= stop, `${vdu.name}: systemd kills it after ${stop} s`);
  }
});
