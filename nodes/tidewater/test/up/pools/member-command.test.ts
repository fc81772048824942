import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePoolsFile } from "@ims/runtime";
import { memberCommand, type PoolSettings, storeAddresses } from "../../../src/up/pools/member-command.ts";
import { poolsContent } from "../../../src/up/pools/pools-content.ts";

const settings: PoolSettings = {
  network: "127.9",
  domain: "example.com",
  stateDir: "/state",
  poolsFile: "/state/pools.json",
  seedExamples: true,
  logLevel: "warn",
  set: [
    { node: "sprout", option: "max-bindings", value: "3" },
    { node: "sprout-2", option: "log-level", value: "debug" },
  ],
  keys: { flowTokenKey: "f".repeat(64), gruuKey: "a".repeat(32) },
  memcachedFile: "/state/memcached.json",
  cassandra: storeAddresses("127.9", "cassandra", 1),
};

function valuesOf(args: readonly string[]): Map<string, string> {
  return new Map(args.flatMap((arg, index) => (arg.startsWith("--") ? [[arg, args[index + 1] ?? ""]] : [])));
}

test("every member has an address, a name and its stores", () => {
  const sprout = valuesOf(memberCommand("sprout", 2, settings).args);
  assert.equal(sprout.get("--host"), "127.9.2.2");
  assert.equal(sprout.get("--management-address"), "127.9.2.2");
  assert.equal(sprout.get("--advertised-host"), "sprout-2.sprout.example.com");
  assert.equal(sprout.get("--hss-pool"), "homestead.example.com");
  assert.equal(sprout.get("--memcached-file"), "/state/memcached.json");
  assert.equal(sprout.get("--cassandra"), "127.9.5.1:9042");
  assert.equal(sprout.get("--max-bindings"), "3");
  assert.equal(sprout.get("--log-level"), "debug");
  const homestead = valuesOf(memberCommand("homestead", 2, settings).args);
  assert.equal(homestead.get("--diameter-host"), "homestead-2.homestead.example.com");
  assert.equal(homestead.has("--seed-examples"), false);
  assert.equal(valuesOf(memberCommand("homestead", 1, settings).args).has("--seed-examples"), true);
  const bono = valuesOf(memberCommand("bono", 1, { ...settings, memcachedFile: "", cassandra: [] }).args);
  assert.equal(bono.get("--icscf-uri"), "sip:icscf.sprout.example.com;transport=tcp");
  assert.equal(bono.has("--memcached-file"), false);
});

test("workers share the access side: each has names and an address of its own, and asks the sprout of its process first", () => {
  const workers = { host: "192.0.2.7", udpSockets: [21, 22] };
  const bono = valuesOf(memberCommand("bono", 2, { ...settings, workers }).args);
  assert.equal(bono.get("--host"), "192.0.2.7");
  assert.equal(bono.get("--shared-access"), "true");
  assert.equal(bono.get("--access-udp-socket"), "4");
  assert.equal(bono.get("--core-host"), "127.9.1.2");
  assert.equal(bono.get("--core-advertised-host"), "bono-2.bono.example.com");
  assert.equal(bono.get("--management-address"), "127.9.1.2");
  assert.equal(bono.get("--near-members"), "sprout-2.sprout.example.com");
  const sprout = valuesOf(memberCommand("sprout", 2, { ...settings, workers }).args);
  assert.deepEqual([sprout.get("--host"), sprout.get("--worker")], ["127.9.2.2", "2"]);
  assert.equal(sprout.has("--shared-access"), false);
  // The API is where a single homestead has it, inside this machine.
  assert.equal(
    valuesOf(memberCommand("homestead", 1, { ...settings, workers }).args).get("--host"),
    "127.0.0.1",
  );
  const near = { ...settings, workers: { host: "127.0.0.9", udpSockets: [] } };
  assert.equal(valuesOf(memberCommand("homestead", 1, near).args).get("--host"), "127.0.0.9");
  assert.equal(valuesOf(memberCommand("bono", 1, near).args).has("--access-udp-socket"), false);
  assert.equal(valuesOf(memberCommand("bono", 1, settings).args).has("--shared-access"), false);
});

test("a worker is a member of two pools", () => {
  const listed = [1, 2].map((index) => ({ pool: "worker", index, draining: index === 2 }) as const);
  const { pools } = poolsContent("127.9", "example.com", listed);
  assert.deepEqual(
    pools.map(({ name, members }) => [
      name,
      members.map((one) => [one.name, one.addresses[0], one.draining]),
    ]),
    [
      ["homestead", []],
      [
        "sprout",
        [
          ["sprout-1", "127.9.2.1", false],
          ["sprout-2", "127.9.2.2", true],
        ],
      ],
      [
        "bono",
        [
          ["bono-1", "127.9.1.1", false],
          ["bono-2", "127.9.1.2", true],
        ],
      ],
    ],
  );
});

test("keys are in the environment, never in the command line", () => {
  for (const pool of ["bono", "sprout", "homestead"] as const)
    assert.doesNotMatch(memberCommand(pool, 1, settings).args.join(" "), /f{16}|a{16}/);
  assert.equal(memberCommand("bono", 1, settings).env?.["TIDEWATER_BONO_FLOW_TOKEN_KEY"], "f".repeat(64));
  assert.equal(memberCommand("sprout", 3, settings).env?.["TIDEWATER_SPROUT_GRUU_KEY"], "a".repeat(32));
});

test("the pools file that is written is one that nodes read", () => {
  const members = [
    { pool: "bono", index: 1, draining: false },
    { pool: "sprout", index: 2, draining: true },
  ] as const;
  const parsed = parsePoolsFile(JSON.stringify(poolsContent("127.9", "example.com", members)));
  assert.equal(parsed.kind, "pools");
  assert.deepEqual(
    parsed.kind === "pools" && parsed.pools.pools.map(({ name, members }) => [name, members.length]),
    [
      ["homestead", 0],
      ["sprout", 1],
      ["bono", 1],
    ],
  );
});
