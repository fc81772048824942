import assert from "node:assert/strict";
import { test } from "node:test";
import { lintHot } from "../../vnf/src/index.ts";
import { heatFiles } from "./heat-files.ts";

interface Seed {
  readonly what: string;
  readonly file: string;
  /** Text that is there once at least; the first is replaced. */
  readonly from: string | RegExp;
  readonly to: string;
  /** What the fault says. */
  readonly says: RegExp;
  /** Where it is found, when not on the changed line: text of that line. */
  readonly on?: string;
  readonly in?: string;
}

const SEEDS: readonly Seed[] = [
  {
    what: "a parameter that is not there",
    file: "ims.yaml",
    from: "name: sprout\n            services",
    to: "name: { get_param: pool }\n            services",
    says: /no parameter "pool"/,
  },
  {
    what: "a resource that is not there",
    file: "nested/bono.yaml",
    from: "- port: { get_resource: mw_port }",
    to: "- port: { get_resource: mv_port }",
    says: /no resource "mv_port"/,
  },
  {
    what: "an attribute of a resource that is not there",
    file: "ims.yaml",
    from: "cells: { get_attr: [bono_cells, refs] }",
    to: "cells: { get_attr: [bono_cell, refs] }",
    says: /no resource "bono_cell"/,
  },
  {
    what: "an attribute that a type does not have",
    file: "nested/network.yaml",
    from: "get_attr: [subnet, network_id]",
    to: "get_attr: [subnet, net_id]",
    says: /no attribute "net_id"/,
  },
  {
    what: "an output that a nested template does not have",
    file: "ims.yaml",
    from: "{ get_attr: [bono, access_address] }\n",
    to: "{ get_attr: [bono, acces_address] }\n",
    says: /no attribute "acces_address"/,
  },
  {
    what: "a file that is not there",
    file: "nested/sprout.yaml",
    from: "../user-data/sprout.cfg",
    to: "../user-data/sprut.cfg",
    says: /no file/,
  },
  {
    what: "a condition that is not there",
    file: "ims.yaml",
    from: "condition: make_mw",
    to: "condition: makes_mw",
    says: /no condition "makes_mw"/,
  },
  {
    what: "a condition that is not there, in if",
    file: "nested/bono.yaml",
    from: 'if: [with_dns, "",',
    to: 'if: [with_dsn, "",',
    says: /no condition "with_dsn"/,
  },
  {
    what: "depends_on of a resource that is not there",
    file: "ims.yaml",
    from: "depends_on: vellum",
    to: "depends_on: velum",
    says: /no resource "velum"/,
  },
  {
    what: "a resource type that is not there",
    file: "nested/homestead.yaml",
    from: "type: OS::Neutron::Port",
    to: "type: OS::Neutron::Prot",
    says: /type "OS::Neutron::Prot" is unknown/,
  },
  {
    what: "a property that a type does not have",
    file: "nested/vellum.yaml",
    from: "config_drive: true",
    to: "config_drives: true",
    says: /no property "config_drives"/,
  },
  {
    what: "a needed property that is missing",
    file: "nested/vellum.yaml",
    from: /\n {6}timeout: .*/,
    to: "",
    says: /needs the property "timeout"/,
    on: "  ready:",
  },
  {
    what: "a key that no resource has",
    file: "nested/network.yaml",
    from: "condition: with_router",
    to: "conditions: with_router",
    says: /"conditions" is no part of a resource/,
  },
  {
    what: "a key that no security rule has",
    file: "nested/security-groups.yaml",
    from: "port_range_min: 5061",
    to: "port_min: 5061",
    says: /a rule has no "port_min"/,
  },
  {
    what: "a nested template that is not there",
    file: "ims.yaml",
    from: "type: nested/security-groups.yaml",
    to: "type: nested/security-group.yaml",
    says: /no template/,
  },
  {
    what: "a parameter that a nested template does not have",
    file: "ims.yaml",
    from: "durable_writes: { get_param: durable_writes }",
    to: "durable_write: { get_param: durable_writes }",
    says: /no parameter "durable_write"/,
  },
  {
    what: "a parameter of a nested template that is not given",
    file: "ims.yaml",
    from: /\n {6}size_is_aligned: \{ if: \[\{ or: \[unguarded, bono.*/,
    to: "",
    says: /needs "size_is_aligned"/,
    on: "  bono_pool_is_sound:",
  },
  {
    what: "a literal that breaks a nested constraint",
    file: "ims.yaml",
    from: /(networks_are_four:\n.*\n {4}properties: )\{.*/,
    to: '$1{ holds: "maybe" }',
    says: /"maybe" is none of true/,
    on: 'holds: "maybe"',
  },
  {
    what: "an unknown parameter type",
    file: "nested/sprout.yaml",
    from: "index: { type: number }",
    to: "index: { type: integer }",
    says: /type is none of/,
  },
  {
    what: "a default outside its range",
    file: "ims.yaml",
    from: "default: 900",
    to: "default: 90000",
    says: /not in 1 to 7200/,
  },
  {
    what: "a default that is no number",
    file: "ims.yaml",
    from: "default: 900",
    to: "default: soon",
    says: /is no number/,
  },
  {
    what: "a default that is not allowed",
    file: "ims.yaml",
    from: "default: guaranteed",
    to: "default: promised",
    says: /is none of guaranteed, unguarded/,
  },
  {
    what: "a default that is no network",
    file: "ims.yaml",
    from: "default: 10.20.2.0/24",
    to: "default: 10.20.2.0/33",
    says: /no network in CIDR/,
  },
  {
    what: "an unknown constraint",
    file: "ims.yaml",
    from: "{ range: { min: 1, max: 7200 } }",
    to: "{ between: { min: 1, max: 7200 } }",
    says: /constraint "between" is unknown/,
  },
  {
    what: "a parameter that nothing uses",
    file: "nested/bono.yaml",
    from: "  index: { type: number }",
    to: "  spare: { type: number, default: 1 }\n  index: { type: number }",
    says: /nothing uses it/,
  },
  {
    what: "a condition that nothing uses",
    file: "ims.yaml",
    from: "  make_mw: {",
    to: "  never: { equals: [1, 2] }\n  make_mw: {",
    says: /nothing uses it/,
  },
  {
    what: "user data that nobody fills in",
    file: "user-data/sprout.cfg",
    from: "$durable_writes",
    to: "$durable_write",
    says: /nobody fills in "\$durable_write"|does not occur/,
  },
  {
    what: "a str_replace parameter that its text does not have",
    file: "nested/vellum.yaml",
    from: "            $seeds:",
    to: "            $site: here\n            $seeds:",
    says: /"\$site" does not occur/,
  },
  {
    what: "a parameter group with an unknown parameter",
    file: "ims.yaml",
    from: "[placement, dmz_zones, core_zones]",
    to: "[placement, dmz_zone, core_zones]",
    says: /no parameter "dmz_zone"/,
  },
  {
    what: "an environment with an unknown parameter",
    file: "environments/small.yaml",
    from: "bono_count:",
    to: "bono_size:",
    says: /no such parameter/,
  },
  {
    what: "an environment value out of range",
    file: "environments/large.yaml",
    from: "vellum_count: 5",
    to: "vellum_count: 500",
    says: /not in 1 to 59/,
  },
  {
    what: "a hook on an unknown resource",
    file: "environments/graceful.yaml",
    from: "    sprout:",
    to: "    sproud:",
    says: /no such resource/,
  },
  {
    what: "an unknown hook",
    file: "environments/graceful.yaml",
    from: "hooks: pre-delete",
    to: "hooks: before-delete",
    says: /no hook/,
  },
  {
    what: "resources that wait for each other",
    file: "nested/bono.yaml",
    from: "signal_transport: { get_param: ready_transport }",
    to: "signal_transport: { get_attr: [server, name] }",
    says: /waits for itself/,
    on: "",
  },
  {
    what: "an unknown function",
    file: "nested/sprout.yaml",
    from: "{ get_param: join_token }",
    to: "{ get_parameter: join_token }",
    says: /no function/,
  },
  {
    what: "a function that conditions do not have",
    file: "ims.yaml",
    from: "make_mw: { equals: [{ get_param: mw_network }",
    to: 'make_mw: { equals: [{ list_join: ["", [{ get_param: mw_network }]] }',
    says: /not known in conditions/,
  },
  {
    what: "if with two values missing",
    file: "ims.yaml",
    from: '{ if: [bono_mapped, "true", "false"] }',
    to: '{ if: [bono_mapped, "true"] }',
    says: /takes a condition and two values/,
  },
  {
    what: "a word that YAML 1.1 reads as a boolean",
    file: "ims.yaml",
    from: "default: preferred",
    to: "default: yes",
    says: /YAML 1.1/,
  },
  {
    what: "a key that stands twice",
    file: "nested/assert.yaml",
    from: "    type: string\n",
    to: "    type: string\n    type: string\n",
    says: /duplicate/i,
    on: "",
  },
  {
    what: "broken YAML",
    file: "nested/network.yaml",
    from: "resources:\n",
    to: "resources: {\n",
    says: /./,
    on: "",
  },
  {
    what: "a secret that is not hidden",
    file: "ims.yaml",
    from: /\n {4}hidden: true/,
    to: "",
    says: /hidden: true/,
    on: "  join_token:",
  },
  {
    what: "a secret in user data",
    file: "user-data/homestead.cfg",
    from: "home_domain=$home_domain",
    to: "home_domain=$home_domain\n      db_password=abc",
    says: /no secret/,
    on: "db_password",
  },
  {
    what: "a member without a cell",
    file: "nested/sprout.yaml",
    from: /\n {6}scheduler_hints: .*/,
    to: "",
    says: /has a cell/,
    on: "  server:",
  },
  {
    what: "a port without a security group",
    file: "nested/sprout.yaml",
    from: "security_groups: [{ get_param: mw_group }]",
    to: "security_groups: []",
    says: /needs a security group/,
    on: "  mw_port:",
  },
  {
    what: "a pool that is not updated member by member",
    file: "ims.yaml",
    from: /\n {6}rolling_update: .*/,
    to: "",
    says: /member by member/,
    on: "",
  },
];

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
