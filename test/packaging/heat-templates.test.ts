import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bonoOptions } from "@ims/bono";
import { ellisOptions } from "@ims/ellis";
import { homesteadOptions } from "@ims/homestead";
import { ralfOptions } from "@ims/ralf";
import { loadOptions, withServiceOptions } from "@ims/runtime";
import { sproutOptions } from "@ims/sprout";
import { load } from "js-yaml";
import type { z } from "zod";
import { cellMap } from "../../vnf/src/index.ts";
import { heatFiles } from "./heat-files.ts";

type Json = { readonly [key: string]: Json } & readonly Json[] & string & number;

const FILES = heatFiles();
const yaml = (file: string): Json => load(FILES.get(file) ?? "") as Json;
const TOP = yaml("ims.yaml");
const GROUPS = yaml("nested/security-groups.yaml")["resources"] as Json;
const POOLS = ["bono", "sprout", "homestead", "vellum"];
const ENVIRONMENTS = [...FILES.keys()].filter((file) => file.startsWith("environments/"));

function rulesOf(group: string): readonly Json[] {
  type Part =
    | Json
    | readonly Part[]
    | { readonly list_concat: Part }
    | { readonly repeat: { readonly template: Part } }
    | { readonly if: readonly [string, Part, Part] };
  const flat = (part: Part): readonly Json[] => {
    if (Array.isArray(part)) return (part as readonly Part[]).flatMap(flat);
    if ("list_concat" in (part as object)) return flat((part as { list_concat: Part }).list_concat);
    if ("repeat" in (part as object)) return flat((part as { repeat: { template: Part } }).repeat.template);
    if ("if" in (part as object))
      return flat((part as { if: readonly [string, Part, Part] }).if.slice(1) as Part[]);
    return [part as Json];
  };
  return flat(GROUPS[group]?.["properties"]?.["rules"] ?? []);
}

const OPTIONS: ReadonlyMap<string, z.ZodObject> = new Map<string, z.ZodObject>([
  ["bono", bonoOptions],
  ["sprout", withServiceOptions(sproutOptions)],
  ["homestead", withServiceOptions(homesteadOptions)],
  ["ralf", ralfOptions],
  ["ellis", ellisOptions],
]);
/** Who is on whose machine, and reads a file of its own. */
const CONFIGURATION: ReadonlyMap<string, readonly [role: string, file: string]> = new Map([
  ["ralf", ["homestead", "/etc/tidewater/ralf_config"]],
]);

/** Files of the operator's, with what YAML could trip over. */
const BGCF = {
  routes: [{ name: "it's: # not ours", domain: "*", route: ["<sip:ibcf@bono.example.com;transport=tcp>"] }],
};
const EMERGENCY = { default: ["sip:psap@psap.example.com"] };
const PEERS = {
  peers: [{ name: "carrier-a", domains: ["carrier-a.example"], addresses: ["203.0.113.0/28"] }],
};
/** What Heat would put in the place of each $name. */
const FILLED: readonly (readonly [string, string])[] = [
  ["$home_domain", "example.com"],
  ["$index", "1"],
  ["$cell", "0"],
  ["$address", "10.20.2.12"],
  ["$access_address", "10.20.1.12"],
  ["$management_address", "10.20.4.12"],
  ["$core_name", "bono-1.bono.example.com"],
  ["$sprout_addresses", "10.20.2.100,10.20.2.101"],
  ["$core_peers", "10.20.2.11,10.20.2.12,10.20.2.201"],
  ["$bgcf_file", "/etc/tidewater/bgcf.json"],
  ["$bgcf_json", JSON.stringify(BGCF)],
  ["$emergency_file", "/etc/tidewater/emergency.json"],
  ["$emergency_json", JSON.stringify(EMERGENCY)],
  ["$ecscf_uri", "sip:ecscf.sprout.example.com;transport=tcp"],
  ["$ibcf_peers_file", "/etc/tidewater/ibcf-peers.json"],
  ["$ibcf_peers_json", JSON.stringify(PEERS)],
  ["$core_cidr", "10.20.3.0/24"],
  ["$dns_servers", "192.0.2.53,192.0.2.54"],
  ["$pools_file", "/etc/tidewater/pools.json"],
  ["$pools_json", '{"pools":[]}'],
  ["$cassandra", "10.20.3.11:9042,10.20.3.12:9042,10.20.3.13:9042"],
  ["$durable_writes", "preferred"],
  ["$seeds", '["10.20.3.11","10.20.3.12","10.20.3.13"]'],
  ["$charging", "on"],
  ["$telephony", "on"],
  ["$portal_homestead", "http://10.20.4.21:8889"],
  ["$portal_homer", "http://10.20.3.21:7888"],
  ["$application_server", "sip:mmtel.example.com"],
  ["$portal_numbers", "6505550000-6505550999,6505560000-6505560999"],
  ["$portal_pstn_numbers", "+16505550000-+16505550999"],
  ["$portal_phone_servers", "wss://bono.example.com:5063"],
  ["$portal_proxies", "10.20.4.9"],
  ["$ut_proxies", '["10.20.4.9"]'],
  ["$homer", "http://10.20.3.20:7888,http://10.20.3.21:7888"],
  ["$cdf", "10.20.3.90:3868,10.20.3.91:3868"],
  ["$ralf", "http://10.20.3.20:10888,http://10.20.3.21:10888"],
  ["$own_cassandra", "on"],
  ["$data_volume", "5f3a9c62-0d0e-4b7e-9a43-6d0a6a2f4c41"],
  ["$edges", '["10.20.2.11","10.20.2.12"]'],
  ["$ready_signal", '{"alarm_url":"http://192.0.2.1:8000/v1/signal/x"}'],
  ["$join_token", "one-time"],
  ["$etcd_tls", "on"],
  ["$turn", "on"],
  ["$denied_peers", '["10.20.2.0/24","10.20.3.0/24","10.20.4.0/24"]'],
];

function cloudConfig(role: string): Map<string, { readonly content: string; readonly permissions: string }> {
  let text = FILES.get(`user-data/${role}.cfg`) ?? "";
  for (const [name, value] of [...FILLED].sort((a, b) => b[0].length - a[0].length))
    text = text.replaceAll(name, value);
  assert.match(text, /^#cloud-config\n/);
  const config = load(text) as { write_files: { path: string; content: string; permissions: string }[] };
  assert.deepEqual(Object.keys(config), ["write_files"], "user data writes files and does nothing else");
  return new Map(config.write_files.map((file) => [file.path, file]));
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "heat-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

for (const [role, schema] of OPTIONS)
  test(`what user data writes for ${role} is what ${role} reads, in both address families`, (t) => {
    const [machine, own] = CONFIGURATION.get(role) ?? [role, "/etc/tidewater/local_config"];
    const files = cloudConfig(machine);
    const at = folder(t);
    const shared = join(at, "shared_config");
    const local = join(at, "local_config");
    writeFileSync(shared, files.get("/etc/tidewater/shared_config")?.content ?? "");
    writeFileSync(local, files.get(own)?.content ?? "");
    const argv = ["--shared-config", shared, "--config", local];
    const result = loadOptions({ name: role, schema, argv, env: {} });
    assert.equal(result.kind, "loaded", JSON.stringify(result));
    writeFileSync(
      local,
      (files.get(own)?.content ?? "")
        .replaceAll(/10\.20\.([34])\.(\d+):(?=\d)/g, "[fd00:20:$1::$2]:")
        .replaceAll(/10\.20\.(\d)\.(\d+)/g, "fd00:20:$1::$2"),
    );
    const six = loadOptions({ name: role, schema, argv, env: {} });
    assert.equal(six.kind, "loaded", JSON.stringify(six));
  });

for (const role of [...POOLS, "ellis"])
  test(`user data of ${role} tells the member who it is, and holds no secret beyond a token for one use`, () => {
    const files = cloudConfig(role);
    const member = JSON.parse(files.get("/etc/tidewater/member.json")?.content ?? "") as Record<
      string,
      unknown
    >;
    assert.equal(member["pool"], role);
    assert.equal(member["name"], `${role}-1`);
    assert.equal(member["index"], 1);
    assert.equal(Array.isArray(member["seeds"]), role !== "bono", "bono knows no etcd");
    for (const [path, { permissions }] of files)
      assert.equal(permissions, /token|signal/.test(path) ? "0600" : "0644", path);
    assert.ok(files.has("/etc/tidewater/join-token"));
    assert.ok((FILES.get(`user-data/${role}.cfg`) ?? "").split("\n").length <= 40);
  });

test("files of the operator's come to the machines as they are", () => {
  const file = (role: string, name: string): unknown =>
    JSON.parse(cloudConfig(role).get(`/etc/tidewater/${name}`)?.content ?? "");
  assert.deepEqual(file("sprout", "bgcf.json"), BGCF);
  assert.deepEqual(file("sprout", "emergency.json"), EMERGENCY);
  assert.deepEqual(file("bono", "ibcf-peers.json"), PEERS);
});

test("bono has a leg in the DMZ and one towards sprout, no other pool is in the DMZ, and no pool but sprout is on the Mw network", () => {
  const networks = new Map(
    POOLS.map((pool) => [
      pool,
      Object.entries(yaml(`nested/${pool}.yaml`)["resources"] as Json)
        .filter(([, resource]) => (resource as Json)["type"] === "OS::Neutron::Port")
        .map(([name]) => name.replace("_port", ""))
        .sort(),
    ]),
  );
  assert.deepEqual(networks.get("bono"), ["access", "mw"]);
  assert.deepEqual(networks.get("sprout"), ["core", "management", "mw"]);
  assert.deepEqual(networks.get("homestead"), ["core", "management"]);
  assert.deepEqual(networks.get("vellum"), ["core", "management"]);
  const out = rulesOf("bono_mw")
    .filter((rule) => rule["direction"] === "egress")
    .map((rule) => rule["port_range_min"]);
  assert.deepEqual(out, [5052, 5054, 5057], "all that bono may open connections to");
  for (const name of ["mw", "core"]) {
    const network = TOP["resources"]?.[name]?.["properties"] as Json;
    assert.equal(network["gateway"], undefined, `${name} has no way out`);
    assert.equal(network["external_network"], undefined);
  }
});

/** The security group of an interface: one for each VDU and network. */
function interfaceOf(process: string, network: string): string {
  const stores = ["memcached", "cassandra", "etcd"].includes(process);
  const beside = new Map([
    ["ralf", "homestead"],
    ["homer", "homestead"],
    ["edge-agent", "bono"],
    // A group of its own, on the same port of the machine, only where there is TURN.
    ["turn", "relay"],
  ]);
  const vdu = stores ? "vellum" : (beside.get(process) ?? process);
  return `${vdu}_${network}`.replace("relay_access", "bono_relay");
}

test("security groups open exactly the ports of the table of ports, and SSH on management interfaces", () => {
  const table = load(readFileSync(join(import.meta.dirname, "../../vnf/model/ports.yaml"), "utf8")) as {
    ports: {
      process: string;
      protocols: string[];
      port: number;
      last?: number;
      network: string;
      reserved?: boolean;
    }[];
  };
  const wanted = new Set<string>();
  for (const { process, protocols, port, last = port, network, reserved } of table.ports)
    if (reserved !== true && !["dns", "ntp", "cdf", "sshd", "ue"].includes(process))
      for (const protocol of protocols)
        wanted.add(`${interfaceOf(process, network)} ${protocol} ${port}-${last}`);
  for (const name of Object.keys(GROUPS)) if (name.endsWith("_management")) wanted.add(`${name} tcp 22-22`);
  const open = new Set<string>();
  for (const name of Object.keys(GROUPS))
    for (const rule of rulesOf(name)) {
      const range = `${rule["port_range_min"]}-${rule["port_range_max"]}`;
      if (rule["direction"] === "ingress") open.add(`${name} ${rule["protocol"]} ${range}`);
    }
  assert.deepEqual([...open].sort(), [...wanted].sort());
});

for (const environment of [undefined, ...ENVIRONMENTS])
  test(`${environment ?? "the defaults"}: no host holds more than the share, at any size of the pools up to theirs in aligned steps`, () => {
    const own = environment === undefined ? {} : ((yaml(environment)["parameters"] ?? {}) as Json);
    const value = (name: string): string =>
      String((own as Record<string, unknown>)[name] ?? (TOP["parameters"]?.[name]?.["default"] as unknown));
    for (const pool of POOLS) {
      const map = value(`${pool}_cell_map`).split(",").map(Number);
      const zones = value(`${pool}_zone_map`).split(",").map(Number);
      const count = Number(value(`${pool}_count`));
      const share = Number(value(`${pool}_members_per_share`));
      assert.ok(map.length >= count && zones.length >= count, `${pool}: maps are too short`);
      const known = value(pool === "bono" ? "dmz_zones" : "core_zones").split(",").length;
      assert.ok(Math.max(...zones) < known, `${pool}: a zone that is not there`);
      if (value("placement") === "unguarded") continue;
      for (let size = count; size <= map.length; size++) {
        const cells = new Set(map.slice(0, size)).size;
        const strict = cells === 1;
        if (strict || (size + 1) % share === 0)
          assert.ok(cells * share <= size, `${pool}: ${cells} cells of ${size} members`);
        if (size === count) {
          assert.ok(strict || (size + 1) % share === 0, `${pool}: ${size} is not aligned`);
          assert.ok(
            cells <= Number(value(`${pool}_spare`)),
            `${pool}: a host holds more than the spare members`,
          );
        }
      }
    }
  });

test("the portal is on core and management and takes HTTPS and no HTTP; without it nothing is made for it", () => {
  const made = (file: string) =>
    Object.entries(yaml(file)["resources"] as Json).filter(([name]) => /^ellis(?:_|$)/.test(name));
  assert.deepEqual(
    [...made("ims.yaml"), ...made("nested/security-groups.yaml")].map(([name]) => name).sort(),
    ["ellis", "ellis_cells", "ellis_core", "ellis_management", "ellis_pool_is_sound"],
  );
  for (const [name, resource] of [...made("ims.yaml"), ...made("nested/security-groups.yaml")])
    assert.equal((resource as Json)["condition"], "with_portal", name);
  assert.equal(TOP["parameters"]?.["ellis_count"]?.["default"] as unknown, 0);
  const ports = Object.entries(yaml("nested/ellis.yaml")["resources"] as Json)
    .filter(([, resource]) => (resource as Json)["type"] === "OS::Neutron::Port")
    .map(([name]) => name);
  assert.deepEqual(ports, ["core_port", "management_port"]);
  assert.deepEqual(
    rulesOf("ellis_management").map((rule) => rule["port_range_min"] as number),
    [8443, 9105, 22],
  );
  const forPortal = ["sprout_management", "homestead_management"].flatMap((group) =>
    rulesOf(group)
      .filter((rule) => rule["remote_mode"] === "remote_group_id")
      .map((rule) => `${group} ${rule["port_range_min"]}`),
  );
  assert.deepEqual(forPortal, [
    "sprout_management 9102",
    "homestead_management 8889",
    "homestead_management 9103",
  ]);
});

test("two or three portals have a host each; the map of cells is the planner's", () => {
  const value = (name: string): string => String(TOP["parameters"]?.[name]?.["default"] as unknown);
  const size = Number(yaml("environments/portal.yaml")["parameters"]?.["ellis_count"]);
  const map = cellMap({ share: { numerator: 1, denominator: 2 } }, 3).join(",");
  assert.equal(value("ellis_cell_map"), map);
  assert.deepEqual([size, Number(value("ellis_members_per_share"))], [2, 2]);
});

test("the cell maps of the template are those of the planner", () => {
  for (const pool of ["bono", "sprout", "homestead"]) {
    const map = String(TOP["parameters"]?.[`${pool}_cell_map`]?.["default"] as unknown);
    assert.equal(map, cellMap({ share: { numerator: 1, denominator: 4 } }, map.split(",").length).join(","));
  }
});
