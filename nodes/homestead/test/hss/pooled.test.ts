import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import type { CassandraSession, ExecuteResult } from "@ims/store";
import { HomesteadError } from "../../src/errors.ts";
import { CassandraRepository } from "../../src/hss/cassandra/cassandra-repository.ts";
import { Cql } from "../../src/hss/cassandra/cql.ts";
import { provePoolKey } from "../../src/hss/cassandra/pool-key.ts";
import { StoreGate } from "../../src/hss/cassandra/store-gate.ts";
import { Turns } from "../../src/hss/cassandra/turns.ts";
import { sealingWith } from "../../src/hss/sealing.ts";
import { recordOf } from "./subscriber-repository-compliance.ts";

const sealing = sealingWith(createSecretKey(Buffer.alloc(32, 1)));
const settled = () => new Promise((resolve) => setImmediate(resolve));

function sessionAnswering(
  answer: (cql: string, params: readonly unknown[]) => ExecuteResult,
): CassandraSession {
  return {
    keyspace: "test",
    isAvailable: true,
    counters: { requests: 0, unavailable: 0, hedged: 0 },
    execute: async ({ cql }, params) => answer(cql, params),
    batch: async () => ({ kind: "unavailable", cause: new Error("not used") }),
    shutdown: async () => undefined,
  };
}

test("without Cassandra everything is unavailable, at once and without an exception", async () => {
  const causes: Error[] = [];
  const away = sessionAnswering(() => ({ kind: "unavailable", cause: new Error("away") }));
  const cql = new Cql(away, { failed: (cause) => causes.push(cause) });
  const repository = new CassandraRepository(cql, { cacheSize: 10 }, { sealing, clock: fakeClock() });
  assert.equal(await repository.byPrivateIdentity("a@b"), "unavailable");
  assert.equal(await repository.byPublicIdentity("sip:a@b"), "unavailable");
  assert.deepEqual(await repository.insert(recordOf("a")), { kind: "unavailable" });
  assert.equal(await repository.page({ after: "", limit: 10, search: undefined }), "unavailable");
  for (const partial of [true, false]) {
    assert.deepEqual(await repository.import([recordOf("a"), recordOf("b")], { dryRun: false, partial }), {
      applied: 0,
      faults: [0, 1].map((index) => ({ index, fault: "unavailable" })),
    });
  }
  assert.ok(causes.length > 0);
});

test("nothing is asked of the store before its gate is open", async () => {
  let asked = 0;
  const session = sessionAnswering(() => {
    asked++;
    return { kind: "rows", rows: [], tries: 1 };
  });
  let open = false;
  const cql = new Cql(session, { isOpen: () => open });
  const repository = new CassandraRepository(cql, { cacheSize: 10 }, { sealing, clock: fakeClock() });
  assert.equal(await repository.byPrivateIdentity("a@b"), "unavailable");
  assert.equal(asked, 0);
  open = true;
  // Its row, then whether it is one more private identity of another row.
  assert.equal(await repository.byPrivateIdentity("a@b"), undefined);
  assert.equal(asked, 2);
});

test("the gate tries on while the store is away, and stays closed for what will not do", async () => {
  const clock = fakeClock();
  const log = memoryLogger("silent");
  const outcomes: ("unavailable" | "proven")[] = ["unavailable", "unavailable", "proven"];
  const gate = new StoreGate([async () => outcomes.shift() ?? "unavailable"], { clock, log });
  await gate.start();
  assert.equal(gate.isOpen, false);
  for (let i = 0; i < 2; i++) {
    clock.advance(600);
    await settled();
  }
  assert.equal(gate.isOpen, true);
  assert.equal(gate.reason, undefined);

  const refusal = async (): Promise<never> => {
    throw new Error("another key");
  };
  await assert.rejects(new StoreGate([refusal], { clock, log }).start(), /another key/);
  let away = true;
  const late = new StoreGate([async () => (away ? "unavailable" : refusal())], { clock, log });
  await late.start();
  away = false;
  clock.advance(600);
  await settled();
  assert.equal(late.isOpen, false);
  assert.match(late.reason ?? "", /another key/);
});

test("the first homestead leaves a proof of the key; one with another key is refused", async () => {
  let proof: unknown;
  const cql = new Cql(
    sessionAnswering((text, params) => {
      if (text.startsWith("SELECT"))
        return { kind: "rows", rows: proof === undefined ? [] : [{ proof }], tries: 1 };
      proof ??= params[0];
      return { kind: "rows", rows: [{ "[applied]": true }], tries: 1 };
    }),
  );
  assert.equal(await provePoolKey(cql, sealing, "pool.key"), "proven");
  assert.equal(await provePoolKey(cql, sealing, "pool.key"), "proven");
  const other = sealingWith(createSecretKey(Buffer.alloc(32, 2)));
  await assert.rejects(
    provePoolKey(cql, other, "other.key"),
    (error) => error instanceof HomesteadError && error.detail.code === "POOL_KEY",
  );
});

test("procedures for one user take turns; a flood of them and those that waited too long are refused", async () => {
  const clock = fakeClock();
  const turns = new Turns(clock);
  const order: number[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take("alice", async () => {
    await gate.promise;
    order.push(1);
  });
  const second = turns.take("alice", () => {
    order.push(2);
  });
  const other = turns.take("bob", () => order.push(0));
  await other;
  const flood = Array.from({ length: 40 }, () => turns.take("alice", () => "done"));
  assert.equal(await flood[39], "unavailable");
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, [0, 1, 2]);
  assert.equal(await flood[0], "done");
  const failing = turns.take("carol", () => Promise.reject(new Error("bug")));
  const slow = Promise.withResolvers<void>();
  void turns.take("carol", () => slow.promise);
  const late = turns.take("carol", () => "too late");
  await assert.rejects(failing, /bug/);
  clock.advance(1500);
  slow.resolve();
  assert.equal(await late, "unavailable");
});
