import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import {
  type CassandraSession,
  type Migration,
  openCassandra,
  type Schema,
  type Statement,
} from "@ims/store";
import type { CassandraUnderTest } from "../../support/cassandra.ts";

const clock = systemClock();
const FIRST: Migration = {
  name: "first",
  statements: [
    "CREATE TABLE IF NOT EXISTS keyspace.one (id int PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS keyspace.two (id int PRIMARY KEY)",
  ],
};
const SECOND: Migration = {
  name: "second",
  statements: ["ALTER TABLE keyspace.one ADD IF NOT EXISTS note text"],
};
const schema = (...migrations: Migration[]): Schema => ({ component: "shop", migrations });

let keyspaces = 0;
const newKeyspace = (): string => `migration_${++keyspaces}`;

/** Migrations against the node that `cassandra` gives. */
export function migrationCases(cassandra: () => CassandraUnderTest): void {
  async function open(t: TestContext, keyspace: string, ...schemas: Schema[]): Promise<CassandraSession> {
    const { contactPoints } = cassandra();
    const patient = { deadlineMs: 20_000, connectWithinMs: 60_000 };
    const session = await openCassandra({ contactPoints, keyspace, schemas, clock, ...patient });
    t.after(() => session.shutdown());
    return session;
  }

  async function rows(session: CassandraSession, cql: string): Promise<Record<string, unknown>[]> {
    const statement: Statement = { cql, idempotent: true };
    const result = await session.execute(statement, []);
    assert.equal(result.kind, "rows");
    return result.kind === "rows" ? result.rows.map((row) => ({ ...row })) : [];
  }

  const versions = (session: CassandraSession): Promise<Record<string, unknown>[]> =>
    rows(session, "SELECT component, version, name FROM keyspace.schema_version");

  describe("migrations", () => {
    test("a keyspace and its tables are created, later migrations added, nothing is repeated", async (t) => {
      const keyspace = newKeyspace();
      const first = await open(t, keyspace, schema(FIRST));
      assert.equal(first.isAvailable, true);
      assert.deepEqual(await versions(first), [{ component: "shop", version: 1, name: "first" }]);
      const before = await rows(first, "SELECT applied_at FROM keyspace.schema_version");
      const second = await open(t, keyspace, schema(FIRST, SECOND), {
        component: "other",
        migrations: [
          { name: "more", statements: ["CREATE TABLE IF NOT EXISTS keyspace.more (id int PRIMARY KEY)"] },
        ],
      });
      assert.deepEqual(await versions(second), [
        { component: "other", version: 1, name: "more" },
        { component: "shop", version: 1, name: "first" },
        { component: "shop", version: 2, name: "second" },
      ]);
      const after = await rows(
        second,
        "SELECT applied_at FROM keyspace.schema_version WHERE component = 'shop' AND version = 1",
      );
      assert.deepEqual(after, before);
      assert.deepEqual(await rows(second, "SELECT id, note FROM keyspace.one"), []);
    });

    test("the replication of a new keyspace is what was asked for, or what the nodes can hold", async (t) => {
      const session = await open(t, newKeyspace(), schema(FIRST));
      const [row] = await rows(
        session,
        `SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '${session.keyspace}'`,
      );
      assert.deepEqual(row?.["replication"], {
        class: "org.apache.cassandra.locator.NetworkTopologyStrategy",
        datacenter1: "1",
      });
    });

    test("six programs that start at once apply each migration once", async (t) => {
      const keyspace = newKeyspace();
      const sessions = await Promise.all(
        Array.from({ length: 6 }, () => open(t, keyspace, schema(FIRST, SECOND))),
      );
      for (const session of sessions) {
        assert.equal(session.isAvailable, true);
        assert.equal((await versions(session)).length, 2);
        assert.deepEqual(await rows(session, "SELECT id, note FROM keyspace.one"), []);
      }
      assert.deepEqual(
        await rows(sessions[0] as CassandraSession, "SELECT * FROM keyspace.schema_lease"),
        [],
      );
    });

    test("a migration that was edited after it was applied is refused, and the program does not start", async (t) => {
      const keyspace = newKeyspace();
      await open(t, keyspace, schema(FIRST));
      const edited = { name: "first", statements: FIRST.statements.slice(1) };
      await assert.rejects(open(t, keyspace, schema(edited, SECOND)), {
        detail: {
          code: "CASSANDRA_SCHEMA",
          keyspace,
          problem: "shop 1 (first) differs from what was applied as first",
        },
      });
    });

    test("a schema newer than the program is refused", async (t) => {
      const keyspace = newKeyspace();
      const session = await open(t, keyspace, schema(FIRST, SECOND));
      await assert.rejects(open(t, keyspace, schema(FIRST)), {
        detail: {
          code: "CASSANDRA_SCHEMA",
          keyspace,
          problem: "shop has version 2, newer than this program's 1",
        },
      });
      assert.equal((await versions(session)).length, 2);
    });

    test("a statement that cannot be repeated is refused before anything is done", async (t) => {
      const keyspace = newKeyspace();
      const bad = { name: "bad", statements: ["CREATE TABLE keyspace.bad (id int PRIMARY KEY)"] };
      await assert.rejects(
        open(t, keyspace, schema(bad)),
        /^CassandraError: CASSANDRA_SCHEMA .*shop bad: a statement without IF .NOT. EXISTS cannot be repeated/,
      );
    });

    test("a migration that Cassandra refuses in the middle is repeated as a whole when it has been repaired", async (t) => {
      const keyspace = newKeyspace();
      const broken = {
        name: "first",
        statements: [...FIRST.statements, "CREATE TABLE IF NOT EXISTS nonsense"],
      };
      await assert.rejects(
        open(t, keyspace, schema(broken)),
        /^CassandraError: CASSANDRA_SCHEMA .*mismatched input/,
      );
      const session = await open(t, keyspace, schema(FIRST));
      assert.deepEqual(await versions(session), [{ component: "shop", version: 1, name: "first" }]);
    });

    test("a name that is no keyspace is refused: it is part of every statement", async (t) => {
      for (const keyspace of ["", "a b", "a;DROP", "A", "9x", "x".repeat(49)])
        await assert.rejects(open(t, keyspace), {
          detail: { code: "CASSANDRA_SCHEMA", keyspace, problem: "not a name for a keyspace" },
        });
    });
  });
}
