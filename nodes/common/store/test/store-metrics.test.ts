import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import {
  type CassandraSession,
  type ExecuteResult,
  type KvStore,
  measuredCassandra,
  measuredMemcached,
  memoryStore,
} from "@ims/store";

const lines = (text: string, name: string): string[] =>
  text.split("\n").filter((one) => one.startsWith(name));

test("operations on memcached are timed and counted by how they end; the store is as it was", async () => {
  const clock = fakeClock();
  const register = metricsRegister();
  const inner = memoryStore({ clock });
  const slow: KvStore = {
    get: async (table, key) => {
      clock.advance(3);
      return inner.get(table, key);
    },
    put: (table, key, value, options) => inner.put(table, key, value, options),
    delete: (table, key, options) => inner.delete(table, key, options),
    isSettled: (_table, key) => key !== "moving",
  };
  const store = measuredMemcached(slow, { register, clock, prefix: "ims_test" });
  const put = { ifVersion: "absent", ttlSeconds: 60 } as const;
  assert.deepEqual(await store.get("t", "k"), { kind: "notFound" });
  assert.deepEqual(await store.put("t", "k", Buffer.from("v"), put), { kind: "stored" });
  assert.deepEqual(await store.put("t", "k", Buffer.from("w"), put), { kind: "contention" });
  assert.equal((await store.get("t", "k")).kind, "found");
  assert.deepEqual(await store.delete("t", "k"), { kind: "stored" });
  assert.equal(store.isSettled?.("t", "moving"), false);
  assert.equal(store.isSettled?.("t", "k"), true);
  await assert.rejects(store.put("t", "k", Buffer.alloc(70_000), put), /STORE_/);
  const text = await register.scrape();
  assert.deepEqual(
    lines(text, "ims_test_memcached_operations_total").filter((line) => !line.endsWith(" 0")),
    [
      'ims_test_memcached_operations_total{outcome="found",operation="get"} 1',
      'ims_test_memcached_operations_total{outcome="notFound",operation="get"} 1',
      'ims_test_memcached_operations_total{outcome="stored",operation="put"} 1',
      'ims_test_memcached_operations_total{outcome="contention",operation="put"} 1',
      'ims_test_memcached_operations_total{outcome="stored",operation="delete"} 1',
    ],
  );
  assert.deepEqual(lines(text, 'ims_test_memcached_seconds_sum{operation="get"'), [
    'ims_test_memcached_seconds_sum{operation="get"} 0.006',
  ]);
});

test("statements at Cassandra are timed by how they end, and its own counters shown", async () => {
  const clock = fakeClock();
  const register = metricsRegister();
  let outcome: ExecuteResult = { kind: "rows", rows: [], tries: 1 };
  let up = true;
  const session: CassandraSession = {
    keyspace: "k",
    get isAvailable() {
      return up;
    },
    counters: { requests: 7, unavailable: 2, hedged: 1 },
    execute: async () => {
      clock.advance(20);
      return outcome;
    },
    batch: async () => outcome,
    shutdown: async () => {
      up = false;
    },
  };
  const measured = measuredCassandra(session, { register, clock, prefix: "ims_test" });
  const statement = { cql: "SELECT 1", idempotent: true };
  assert.equal(await measured.execute(statement, []), outcome);
  assert.equal(await measured.batch([]), outcome);
  outcome = { kind: "unavailable", cause: new Error("away") };
  assert.equal(await measured.execute(statement, []), outcome);
  assert.equal(measured.keyspace, "k");
  await measured.shutdown();
  assert.equal(measured.isAvailable, false);
  const text = await register.scrape();
  assert.deepEqual(lines(text, "ims_test_cassandra_seconds_count"), [
    'ims_test_cassandra_seconds_count{outcome="rows",kind="statement"} 1',
    'ims_test_cassandra_seconds_count{outcome="unavailable",kind="statement"} 1',
    'ims_test_cassandra_seconds_count{outcome="rows",kind="batch"} 1',
  ]);
  assert.deepEqual(lines(text, 'ims_test_cassandra_seconds_sum{outcome="rows",kind="statement"}'), [
    'ims_test_cassandra_seconds_sum{outcome="rows",kind="statement"} 0.02',
  ]);
  for (const [name, value] of Object.entries(session.counters))
    assert.deepEqual(lines(text, `ims_test_cassandra_${name}_total`), [
      `ims_test_cassandra_${name}_total ${value}`,
    ]);
});
