import assert from "node:assert/strict";
import { test } from "node:test";
import {
  asVersion,
  type CassandraSession,
  cassandraStore,
  type ExecuteResult,
  type Row,
  type Statement,
} from "@ims/store";

/** A session that answers with what `answer` makes of a statement, and writes down what it was asked. */
function fakeSession(answer: (statement: Statement, params: readonly unknown[]) => ExecuteResult): {
  session: CassandraSession;
  asked: string[];
} {
  const asked: string[] = [];
  const session: CassandraSession = {
    keyspace: "k",
    isAvailable: true,
    counters: { requests: 0, unavailable: 0, hedged: 0 },
    execute: async (statement, params) => {
      asked.push(statement.consistency ?? (/ IF /.test(statement.cql) ? "condition" : "read"));
      return answer(statement, params);
    },
    batch: () => Promise.reject(new Error("no batch here")),
    shutdown: async () => undefined,
  };
  return { session, asked };
}

const rows = (rows: readonly Row[], tries = 1): ExecuteResult => ({ kind: "rows", rows, tries });
const refused = (tries: number): ExecuteResult => rows([{ "[applied]": false }], tries);
const VALUE = Buffer.from("x");
const OVER = asVersion(77);
const PUT = { ifVersion: OVER, ttlSeconds: 60 } as const;

/** Puts over version 77, refused on the second try; then the row looks like `row` makes it of our version. */
async function refusedTwice(row: (ours: bigint) => Row | undefined): Promise<string> {
  let ours = 0n;
  const { session, asked } = fakeSession((statement, params) => {
    if (statement.consistency === "local-serial") {
      const found = row(ours);
      return rows(found === undefined ? [] : [found]);
    }
    ours = params[3] as bigint;
    return refused(2);
  });
  const result = await cassandraStore(session).put("t", "k", VALUE, PUT);
  assert.deepEqual(asked, ["condition", "local-serial"]);
  if (result.kind === "unavailable") assert.match(result.cause.message, /^CASSANDRA_OUTCOME_UNKNOWN/);
  return result.kind;
}

test("a refusal of the only try is contention", async () => {
  const { session, asked } = fakeSession(() => refused(1));
  assert.deepEqual(await cassandraStore(session).put("t", "k", VALUE, PUT), { kind: "contention" });
  assert.deepEqual(asked, ["condition"]);
});

test("a refusal of a second try is stored when our version is there, or was there before", async () => {
  assert.equal(await refusedTwice((ours) => ({ live: true, version: ours, lineage: [77n] })), "stored");
  assert.equal(
    await refusedTwice((ours) => ({ live: true, version: 5n, lineage: [4n, ours, 77n] })),
    "stored",
  );
  assert.equal(await refusedTwice((ours) => ({ live: null, version: 5n, lineage: [ours, 77n] })), "stored");
});

test("a refusal of a second try is contention when another version followed the one we replaced", async () => {
  assert.equal(await refusedTwice(() => ({ live: true, version: 5n, lineage: [77n, 76n] })), "contention");
  assert.equal(await refusedTwice(() => ({ live: true, version: 6n, lineage: [5n, 77n] })), "contention");
});

test("what cannot be found out is unavailable: the entry is gone, or too many wrote meanwhile", async () => {
  assert.equal(await refusedTwice(() => undefined), "unavailable");
  assert.equal(await refusedTwice(() => ({ live: true, version: 5n, lineage: [4n, 3n, 2n] })), "unavailable");
  assert.equal(await refusedTwice(() => ({ live: true, version: 5n, lineage: null })), "unavailable");
});

test("a put of an absent key that was refused twice is contention when somebody else made the entry", async () => {
  const { session } = fakeSession((statement) =>
    statement.consistency === "local-serial"
      ? rows([{ live: true, version: 5n, lineage: [0n] }])
      : refused(2),
  );
  const result = await cassandraStore(session).put("t", "k", VALUE, { ifVersion: "absent", ttlSeconds: 60 });
  assert.deepEqual(result, { kind: "contention" });
});

test("writers of one process take turns on a key, and a version that one of them replaced is not tried again", async () => {
  let running = 0;
  const { session, asked } = fakeSession(() => rows([{ "[applied]": true }]));
  const alone: CassandraSession = {
    ...session,
    execute: async (statement, params) => {
      assert.equal(++running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return session.execute(statement, params);
    },
  };
  const store = cassandraStore(alone);
  const results = await Promise.all([1, 2, 3, 4].map(() => store.put("t", "k", VALUE, PUT)));
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ["stored", "contention", "contention", "contention"],
  );
  assert.deepEqual(asked, ["condition"]);
  // Nothing is kept once nobody waits: the node is asked again.
  assert.deepEqual(await store.put("t", "k", VALUE, PUT), { kind: "stored" });
});

test("an entry names its predecessors, twelve at most, and its lifetime is never cut short", async () => {
  const written: (readonly unknown[])[] = [];
  const lineage = Array.from({ length: 12 }, (_, i) => BigInt(76 - i));
  const { session } = fakeSession((statement, params) => {
    if (/^SELECT/.test(statement.cql)) return rows([{ live: true, value: VALUE, version: 77n, lineage }]);
    written.push(params);
    return rows([{ "[applied]": true }]);
  });
  const store = cassandraStore(session);
  await store.get("t", "k");
  await store.put("t", "k", VALUE, { ifVersion: OVER, ttlSeconds: 10 });
  const [ttl, live, , , predecessors] = written[0] ?? [];
  assert.deepEqual(
    { ttl, live, predecessors },
    { ttl: 11, live: true, predecessors: [77n, ...lineage.slice(0, 11)] },
  );
});

test("a lifetime of more than ten years is cut: Cassandra refuses those of more than twenty", async () => {
  const written: (readonly unknown[])[] = [];
  const { session } = fakeSession((_statement, params) => {
    written.push(params);
    return rows([{ "[applied]": true }]);
  });
  await cassandraStore(session).put("t", "k", VALUE, { ifVersion: "absent", ttlSeconds: 1e12 });
  assert.equal(written[0]?.[0], 315_360_000);
});

test("a delete without a version asks for the final version, leaves a marker under it, and tries again when overtaken", async () => {
  let round = 0;
  const conditions: unknown[] = [];
  const { session, asked } = fakeSession((statement, params) => {
    if (statement.consistency === "local-serial") {
      round++;
      return round > 2 ? rows([]) : rows([{ live: true, version: BigInt(round), lineage: [0n] }]);
    }
    conditions.push({ ttl: params[0], live: params[1], value: params[2], over: params[7] });
    return refused(1);
  });
  assert.deepEqual(await cassandraStore(session).delete("t", "k"), { kind: "stored" });
  assert.deepEqual(conditions, [
    { ttl: 3600, live: null, value: null, over: 1n },
    { ttl: 3600, live: null, value: null, over: 2n },
  ]);
  assert.deepEqual(asked, ["local-serial", "condition", "local-serial", "condition", "local-serial"]);
});
