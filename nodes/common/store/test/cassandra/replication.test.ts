import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryLogger } from "@ims/runtime/testing";
import { cassandraOptions, replicationOf } from "@ims/store";
import { z } from "zod";
import { checkReplication, replicationText } from "../../src/cassandra/replication.ts";

const given = (cassandraReplication: string[], more: { datacenter?: string; factor?: number } = {}) => ({
  cassandra: ["a:9042", "b:9042"],
  cassandraKeyspace: "tidewater",
  cassandraDatacenter: more.datacenter ?? "east",
  cassandraReplication,
  cassandraReplicationFactor: more.factor ?? 0,
});

test("one data centre: copies as given, else one for each node, three at most", () => {
  assert.deepEqual(replicationOf(given([])), { replicationFactor: 2 });
  assert.deepEqual(replicationOf(given([], { factor: 1 })), { replicationFactor: 1 });
});

test("several data centres: each with its copies, that of the node among them", () => {
  const { replication } = replicationOf(given(["east:3", "west:2"])) as {
    replication: ReadonlyMap<string, number>;
  };
  assert.equal(replicationText(replication), "{'class': 'NetworkTopologyStrategy', 'east': 3, 'west': 2}");
});

test("a replication that cannot be is refused with the option and what is wrong", () => {
  for (const [option, problem] of [
    [["west:3"], /--cassandra-replication west:3: east, the data centre of this node/],
    [["east:3", "west:3", "east:1"], /east twice/],
    [["east:0"], /east:0 is not name:copies/],
  ] as const)
    assert.throws(() => replicationOf(given([...option])), problem);
  const options = z.object(cassandraOptions("nodes"));
  for (const bad of ["east", "east:", "east:10", "ea'st:3", ":3", "east:3;", "east:-1"])
    assert.equal(options.safeParse({ cassandraReplication: [bad] }).success, false, bad);
  assert.ok(options.safeParse({ cassandraReplication: ["east:3", "DC_2.b:1"] }).success);
});

test("a keyspace without copies where this node reads is refused with the remedy; other differences are logged with it", () => {
  const wanted = new Map([
    ["east", 3],
    ["west", 3],
  ]);
  const strategy = { class: "org.apache.cassandra.locator.NetworkTopologyStrategy" };
  const log = memoryLogger();
  assert.equal(checkReplication("k", { ...strategy, east: "3", west: "3" }, wanted, "east", log), undefined);
  assert.equal(log.lines.length, 0);
  assert.equal(checkReplication("k", { ...strategy, east: "3" }, wanted, "east", log), undefined);
  assert.match(JSON.stringify(log.lines), /ALTER KEYSPACE k WITH replication = \{'class'/);
  const refused = checkReplication("k", { ...strategy, east: "3" }, wanted, "west", log);
  assert.match(refused ?? "", /no copies are kept in west.*ALTER KEYSPACE k/);
});
