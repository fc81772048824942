import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "@ims/runtime";
import { type CassandraSession, openCassandra, type Schema, type Statement } from "@ims/store";
import type { CassandraUnderTest } from "../../support/cassandra.ts";

const clock = systemClock();
const SCHEMA: Schema = {
  component: "session",
  migrations: [
    {
      name: "thing",
      statements: [
        `CREATE TABLE IF NOT EXISTS keyspace.thing (owner text, id int, big bigint, bytes blob, at timestamp, name text,
         PRIMARY KEY (owner, id))`,
      ],
    },
  ],
};
const INSERT: Statement = {
  cql: "INSERT INTO keyspace.thing (owner, id, big, bytes, at, name) VALUES (?, ?, ?, ?, ?, ?)",
  idempotent: true,
};
const SELECT: Statement = { cql: "SELECT * FROM keyspace.thing WHERE owner = ?", idempotent: true };

/** SIGSTOP reaches the threads of a process one after the other. */
async function frozen(pid: number | undefined): Promise<void> {
  const isStopped = (thread: string): boolean =>
    / [Tt] /.test(
      readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1").replace(/^.*\)/s, "").slice(0, 3),
    );
  while (!readdirSync(`/proc/${pid}/task`).every(isStopped)) await pause(5);
}

/** The session against the node that `cassandra` gives. */
export function sessionCases(cassandra: () => CassandraUnderTest): void {
  async function open(t: TestContext): Promise<CassandraSession> {
    const session = await openCassandra({
      contactPoints: cassandra().contactPoints,
      keyspace: "session",
      schemas: [SCHEMA],
      clock,
      connectWithinMs: 60_000,
    });
    t.after(() => session.shutdown());
    return session;
  }

  describe("session", () => {
    test("values come back as they went in; __proto__ and quotes are just text", async (t) => {
      const session = await open(t);
      const bytes = randomBytes(32);
      const at = new Date("2026-01-01T00:00:00.123Z");
      const big = 2n ** 62n + 1n;
      const owner = `'"; __proto__ \r\n ${randomBytes(4).toString("hex")}`;
      assert.equal((await session.execute(INSERT, [owner, 1, big, bytes, at, "__proto__"])).kind, "rows");
      const result = await session.execute(SELECT, [owner]);
      assert.equal(result.kind, "rows");
      if (result.kind !== "rows") return;
      const [row] = result.rows;
      assert.deepEqual({ ...row }, { owner, id: 1, at, big, bytes, name: "__proto__" });
    });

    test("a batch writes all its rows; pages give them back one after the other", async (t) => {
      const session = await open(t);
      const owner = randomBytes(8).toString("hex");
      const entries = Array.from({ length: 25 }, (_, id) => ({
        statement: INSERT,
        params: [owner, id, BigInt(id), null, null, null],
      }));
      assert.equal((await session.batch(entries)).kind, "rows");
      const ids: unknown[] = [];
      let page: string | undefined;
      let pages = 0;
      do {
        const result = await session.execute(SELECT, [owner], {
          pageRows: 10,
          ...(page === undefined ? {} : { page }),
        });
        assert.equal(result.kind, "rows");
        if (result.kind !== "rows") return;
        ids.push(...result.rows.map((row) => row["id"]));
        page = result.nextPage;
        pages++;
      } while (page !== undefined);
      assert.deepEqual(ids, [...entries.keys()]);
      assert.equal(pages, 3);
      assert.deepEqual(await session.batch([]), { kind: "rows", rows: [], tries: 0 });
    });

    test("a statement that Cassandra refuses is an outcome that says why, and the session goes on", async (t) => {
      const session = await open(t);
      const result = await session.execute({ cql: "SELECT x FROM keyspace.nowhere", idempotent: true }, []);
      assert.equal(result.kind, "unavailable");
      if (result.kind === "unavailable") assert.match(result.cause.message, /^CASSANDRA_STATEMENT .*nowhere/);
      assert.equal((await session.execute(SELECT, ["x"])).kind, "rows");
    });

    test("a parameter that does not fit its column is the caller's mistake", async (t) => {
      const session = await open(t);
      await assert.rejects(session.execute(INSERT, ["x", 1, "no number", null, null, null]), SyntaxError);
      await assert.rejects(session.execute(INSERT, ["x", 1, 1, null, null, null]), TypeError);
    });

    test("a deadline ends the wait", async (t) => {
      const session = await open(t);
      await session.execute(SELECT, ["x"]);
      cassandra().cluster.nodes[0]?.freeze();
      t.after(() => cassandra().cluster.nodes[0]?.thaw());
      await frozen(cassandra().cluster.nodes[0]?.pid);
      const result = await session.execute(SELECT, ["x"], { deadlineMs: 200 });
      cassandra().cluster.nodes[0]?.thaw();
      assert.equal(result.kind, "unavailable");
      if (result.kind === "unavailable")
        assert.equal(result.cause.message, "CASSANDRA_DEADLINE deadlineMs=200");
      const afterwards = await session.execute(SELECT, ["x"], { deadlineMs: 10_000 });
      assert.equal(afterwards.kind, "rows", JSON.stringify(afterwards));
    });

    test("after a shutdown everything is unavailable", async (t) => {
      const session = await open(t);
      await session.shutdown();
      const result = await session.execute(SELECT, ["x"]);
      assert.equal(result.kind, "unavailable");
      assert.equal(session.isAvailable, false);
      await session.shutdown();
    });

    test("a data centre that does not exist is refused at once, with the names of those that do", async () => {
      await assert.rejects(
        openCassandra({
          contactPoints: cassandra().contactPoints,
          keyspace: "session",
          localDataCenter: "nowhere",
          clock,
        }),
        /nowhere.*datacenter1/,
      );
    });
  });
}
