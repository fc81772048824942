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
