import assert from "node:assert/strict";
import { test } from "node:test";
import {
  poolCountsOf,
  scaleCountsOf,
  sharingProblem,
  storeCountsOf,
  withDefaults,
} from "../../../src/up/pools/request.ts";

test("sizes of pools and stores are read, what is not given has its usual size", () => {
  const pools = poolCountsOf("bono=2, sprout=3");
  assert.ok(pools.kind === "counts");
  assert.deepEqual(withDefaults(pools.counts), { homestead: 1, sprout: 3, bono: 2 });
  const stores = storeCountsOf("memcached,cassandra=3");
  assert.deepEqual(stores.kind === "counts" && [...stores.counts], [
    ["memcached", 2],
    ["cassandra", 3],
  ]);
});

test("memcached is scaled beside the pools, Cassandra is not", () => {
  const read = scaleCountsOf("sprout=4,memcached=3");
  assert.deepEqual(read.kind === "counts" && [...read.counts], [
    ["sprout", 4],
    ["memcached", 3],
  ]);
  assert.equal(scaleCountsOf("memcached").kind, "wrong");
  assert.equal(scaleCountsOf("cassandra=3").kind, "wrong");
});

test("what is no size is said", () => {
  for (const wrong of [
    "",
    "sprout",
    "sprout=",
    "sprout=0",
    "sprout=251",
    "sprout=1e2",
    "__proto__=1",
    "sprout=1;bono=2",
  ]) {
    const read = poolCountsOf(wrong);
    assert.match(read.kind === "wrong" ? read.problem : "", /is none of homestead=1\.\.250/, wrong);
  }
  const twice = poolCountsOf("bono=1,bono=2");
  assert.deepEqual(twice, { kind: "wrong", problem: "bono stands there twice." });
  assert.equal(storeCountsOf("etcd").kind, "wrong");
});

test("pools that would not share what they must are refused", () => {
  const pools = { homestead: 1, sprout: 1, bono: 5 };
  assert.equal(sharingProblem(pools, { memcached: 0, cassandra: 0 }), undefined);
  assert.match(
    sharingProblem({ ...pools, sprout: 2 }, { memcached: 0, cassandra: 0 }) ?? "",
    /needs --stores memcached/,
  );
  assert.match(
    sharingProblem({ ...pools, homestead: 2 }, { memcached: 2, cassandra: 0 }) ?? "",
    /needs --stores cassandra/,
  );
  assert.equal(sharingProblem({ ...pools, sprout: 2 }, { memcached: 1, cassandra: 0 }), undefined);
  assert.equal(
    sharingProblem({ homestead: 2, sprout: 2, bono: 1 }, { memcached: 2, cassandra: 1 }),
    undefined,
  );
});
