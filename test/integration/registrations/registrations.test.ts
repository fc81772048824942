import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import {
  type CassandraSession,
  cassandraCalendar,
  cassandraStore,
  type MemcachedStore,
  memcachedStore,
  openCassandra,
  parseServers,
  STORE_SCHEMA,
} from "@ims/store";
import { calendarCompliance } from "@ims/store/testing";
import { ShardLeases } from "../../../nodes/sprout/src/scscf/shard-leases.ts";
import {
  CassandraRegistrations,
  REGISTRATION_SCHEMA,
} from "../../../nodes/sprout/src/store/cassandra-registrations.ts";
import { RegistrationStore } from "../../../nodes/sprout/src/store/registration-store.ts";
import { durableCompliance } from "../../../nodes/sprout/test/support/durable-compliance.ts";
import { ALICE, at, readProfile, registration } from "../../../nodes/sprout/test/support/pool.ts";
import { type CassandraUnderTest, launchCassandra, whyNoCassandra } from "../../support/cassandra.ts";
import { type MemcachedProcess, memcachedMissing, startMemcached } from "../../support/memcached.ts";

const clock = systemClock();
const why = whyNoCassandra() ?? memcachedMissing() ?? undefined;
if (why !== undefined && process.env["CI"] === "true") throw new Error(why);

describe("registrations on real memcached and Cassandra", { skip: why ?? false }, () => {
  let cassandra: CassandraUnderTest;
  let session: CassandraSession;
  let caches: MemcachedProcess[] = [];
  let keyspaces = 0;

  const open = (keyspace: string): Promise<CassandraSession> =>
    openCassandra({
      contactPoints: cassandra.contactPoints,
      keyspace,
      replicationFactor: 1,
      schemas: [STORE_SCHEMA, REGISTRATION_SCHEMA],
      clock,
      connectWithinMs: 30_000,
    });

  before(async () => {
    [cassandra, ...caches] = await Promise.all([launchCassandra(1), startMemcached(), startMemcached()]);
    session = await open("registrations");
  });
  after(async () => {
    await session?.shutdown();
    await Promise.all(caches.map((cache) => cache.kill()));
    await cassandra?.stop();
  });

  /** A session on tables of its own. */
  async function fresh(t: TestContext): Promise<CassandraSession> {
    const own = await open(`own_${++keyspaces}`);
    t.after(() => own.shutdown());
    return own;
  }

  const truncate = { cql: "TRUNCATE keyspace.registration", idempotent: true, schema: true } as const;
  durableCompliance("Cassandra", async () => {
    await session.execute(truncate, []);
    return { rows: new CassandraRegistrations({ session }) };
  });

  calendarCompliance("Cassandra", async () => {
    await session.execute({ cql: "TRUNCATE keyspace.calendar", idempotent: true, schema: true }, []);
    return { calendar: cassandraCalendar({ session, clock }), now: clock.now() };
  });

  test("Cassandra says what time it is", async () => {
    const now = await new CassandraRegistrations({ session }).now();
    assert.ok(now !== undefined && Math.abs(now - Date.now()) < 1_000, `${now}`);
  });

  /** A member of the pool: stores, connections and all its own. */
  async function member(t: TestContext, own: CassandraSession): Promise<RegistrationStore> {
    const store: MemcachedStore = memcachedStore({
      servers: parseServers(caches.map(({ id }) => id).join(",")),
      clock,
    });
    await store.start();
    const made = new RegistrationStore({
      store,
      clock,
      readProfile,
      durable: {
        rows: new CassandraRegistrations({ session: own }),
        calendar: cassandraCalendar({ session: own, clock }),
        writes: "preferred",
      },
    });
    t.after(async () => {
      made.stop();
      await store.stop();
    });
    return made;
  }

  const hour = (): number => Date.now() + 3_600_000;
  const bind = async (store: RegistrationStore, key: string): Promise<string> => {
    const result = await store.update(ALICE, (current) =>
      registration({
        aliasesUntil: current?.aliasesUntil ?? 0,
        bindings: [...(current?.bindings ?? []), at(key, { expiresAt: hour(), refreshedAt: Date.now() })],
      }),
    );
    return result.kind;
  };
  const keys = async (store: RegistrationStore): Promise<readonly string[] | string> => {
    const found = await store.find("sip:al@example.com");
    if (found.kind !== "found") return found.kind;
    return found.registration.bindings.map(({ key }) => key).sort();
  };
  /** The copies of a member are compared and alike again. */
  const settled = async (...members: readonly RegistrationStore[]): Promise<void> => {
    for (let i = 0; i < 150 && members.some(({ waiting }) => waiting > 0); i++) await pause(100);
    assert.deepEqual(
      members.map(({ waiting }) => waiting),
      members.map(() => 0),
    );
  };
  const emptied = async (): Promise<void> => {
    for (const cache of caches) await cache.restart();
    await pause(500);
  };

  test("two members add bindings to one user at the same time, and none is lost, also with every memcached killed", async (t) => {
    const own = await fresh(t);
    const [a, b] = [await member(t, own), await member(t, own)];
    const names = Array.from({ length: 6 }, (_, i) => `ue-${i}`);
    const outcomes = await Promise.all(names.map((name, i) => bind(i % 2 === 0 ? a : b, name)));
    assert.deepEqual(new Set(outcomes), new Set(["stored"]));
    assert.deepEqual(await keys(b), names);
    await emptied();
    const began = performance.now();
    assert.deepEqual(await keys(a), names);
    t.diagnostic(`found again ${Math.round(performance.now() - began)} ms after the restart of memcached`);
    // From memcached, where it was put.
    assert.deepEqual(await keys(b), names);
  });

  test("a user who deregistered is not found again in an emptied memcached", async (t) => {
    const own = await fresh(t);
    const [a, b] = [await member(t, own), await member(t, own)];
    await emptied();
    await bind(a, "one");
    assert.equal((await b.update(ALICE, () => "remove")).kind, "removed");
    await emptied();
    assert.equal(await keys(a), "notFound");
    assert.equal(await bind(b, "two"), "stored");
    await emptied();
    assert.deepEqual(await keys(a), ["two"]);
  });

  test("no memcached answers: members read and write Cassandra, and memcached is right when it is back", async (t) => {
    const own = await fresh(t);
    const [a, b] = [await member(t, own), await member(t, own)];
    await emptied();
    await bind(a, "one");
    for (const cache of caches) cache.freeze();
    t.after(() => {
      for (const cache of caches) cache.thaw();
    });
    assert.deepEqual(await Promise.all([bind(a, "two"), bind(b, "three")]), ["stored", "stored"]);
    assert.deepEqual(await keys(b), ["one", "three", "two"]);
    for (const cache of caches) cache.thaw();
    await pause(1_500);
    for (const store of [a, b]) assert.deepEqual(await keys(store), ["one", "three", "two"]);
    await settled(a, b);
    assert.deepEqual(await keys(a), ["one", "three", "two"]);
  });

  test("Cassandra does not answer: registrations go on, and are there when it is back", async (t) => {
    const own = await fresh(t);
    const a = await member(t, own);
    await emptied();
    await bind(a, "one");
    await settled(a);
    const node = cassandra.cluster.nodes[0]?.pid;
    assert.ok(node);
    process.kill(node, "SIGSTOP");
    const began = performance.now();
    const outcome = await bind(a, "two").finally(() => process.kill(node, "SIGCONT"));
    t.diagnostic(`the first one waited ${Math.round(performance.now() - began)} ms`);
    assert.equal(outcome, "stored");
    assert.equal(a.waiting, 1);
    await settled(a);
    await emptied();
    assert.deepEqual(await keys(a), ["one", "two"]);
  });

  test("leases on Cassandra: the shards are shared, and none has two holders", async (t) => {
    const own = await fresh(t);
    const members = ["a", "b"].map(
      (name) => new ShardLeases({ store: cassandraStore(own), clock, member: name }),
    );
    for (const one of members) {
      one.start();
      t.after(() => one.stop());
    }
    for (let i = 0; i < 250; i++) {
      const held = members.flatMap((one) => one.held());
      assert.equal(new Set(held).size, held.length);
      if (held.length === 64 && members.every((one) => one.held().length > 10)) return;
      await pause(100);
    }
    assert.fail(`${members.map((one) => one.held().length)}`);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
