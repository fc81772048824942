import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { CALL_FRAGMENTS_PATH, type CallFragment } from "@ims/api";
import { createHomer, homerOptions } from "@ims/homer";
import { createHealth, loopPacer, metricsRegister, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { openCassandra, type Row } from "@ims/store";
import type { CassandraUnderTest } from "../../support/cassandra.ts";

const clock = systemClock();
const KEYSPACE = "call_lists";
const TTL_SECONDS = 3_600;
const LENGTH = 10;

const party = (name: string) => ({ uri: `sip:${name}@example.com`, name });
const callOf = (name: string, startedAt: number, call: number) => ({
  ...{ impu: `sip:${name}@example.com`, call: call.toString(16).padStart(12, "0"), startedAt },
});
const missed = (name: string, startedAt: number, call: number): CallFragment => ({
  ...{
    kind: "rejected",
    ...callOf(name, startedAt, call),
    outgoing: false,
    to: party(name),
    from: party("x"),
  },
});

/** Call lists of a pool of homers in the Cassandra that `cassandra` gives. */
export function callListCases(cassandra: () => CassandraUnderTest): void {
  async function startHomer(t: TestContext): Promise<string> {
    const stateDir = mkdtempSync(join(tmpdir(), "homer-"));
    const options = homerOptions.parse({
      ...{
        utPort: 0,
        corePort: 0,
        stateDir,
        callLists: "true",
        callListTtl: TTL_SECONDS,
        callListLength: LENGTH,
      },
      ...{ cassandra: [...cassandra().contactPoints], cassandraKeyspace: KEYSPACE },
    });
    const homer = await createHomer(options, {
      ...{ clock, log: memoryLogger("silent"), register: metricsRegister(), health: createHealth() },
      pacer: loopPacer({ aboveRate: 0, pauseMs: 0 }),
    });
    await homer.start();
    t.after(async () => {
      await homer.stop();
      rmSync(stateDir, { recursive: true });
    });
    return `http://127.0.0.1:${homer.ports?.()["core"]}`;
  }

  /** A homer that has just begun may still be making its tables. */
  async function post(core: string, fragments: readonly CallFragment[]): Promise<unknown> {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`${core}${CALL_FRAGMENTS_PATH}`, {
        method: "POST",
        body: JSON.stringify({ fragments }),
      });
      if (answer.status === 200) return answer.json();
      assert.ok(answer.status === 503 && tries < 40, `${answer.status} ${await answer.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** What is in the table of one list. */
  async function rowsOf(t: TestContext, name: string): Promise<readonly Row[]> {
    const session = await openCassandra({
      ...{ contactPoints: cassandra().contactPoints, keyspace: KEYSPACE, schemas: [], clock },
      ...{ deadlineMs: 20_000, connectWithinMs: 30_000 },
    });
    t.after(() => session.shutdown());
    const cql =
      "SELECT kind, started_at, TTL(elements) AS left FROM keyspace.call_fragments WHERE canonical = ?";
    const result = await session.execute({ cql, idempotent: true }, [`sip:${name}@example.com`]);
    return result.kind === "rows" ? result.rows : assert.fail(String(result.cause));
  }

  async function startTimes(core: string, name: string): Promise<string[]> {
    const path = `/org.projectclearwater.call-list/users/sip:${name}@example.com/call-list.xml`;
    const answer = await fetch(core + path);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return [...text.matchAll(/<start-time>([^<]*)</g)].map(([, time = ""]) => time.slice(11));
  }

  describe("call lists of homer", () => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 0);

    test("one homer takes the beginning, another one the end, and both give the call; rows end with their time", async (t) => {
      const [one, two] = await Promise.all([startHomer(t), startHomer(t)]);
      const call = callOf("__proto__", at, 1);
      const parties = { outgoing: true, to: party("bob"), from: party("alice") };
      await post(one, [{ kind: "begin", ...call, ...parties, answeredAt: at + 5_000 }]);
      assert.deepEqual(await startTimes(two, "__proto__"), []);
      await post(two, [{ kind: "end", ...call, endedAt: at + 9_000 }]);
      // Given again, as by a sprout that did not hear the answer.
      await post(one, [{ kind: "end", ...call, endedAt: at + 9_000 }]);
      for (const homer of [one, two]) assert.deepEqual(await startTimes(homer, "__proto__"), ["03:04:00"]);
      const rows = await rowsOf(t, "__proto__");
      assert.deepEqual(rows.map((row) => row["kind"]).sort(), ["begin", "end"]);
      for (const row of rows) {
        const left = Number(row["left"]);
        assert.ok(left > TTL_SECONDS - 120 && left <= TTL_SECONDS, String(left));
      }
    });

    test("a list keeps its newest calls, in order, and the others leave the table", async (t) => {
      const homer = await startHomer(t);
      const many = Array.from({ length: 60 }, (_, i) => missed("many", at + i * 1_000, i));
      assert.deepEqual(await post(homer, many), { written: 60, unknown: 0 });
      const newest = Array.from({ length: LENGTH }, (_, i) => `03:04:${50 + i}`);
      assert.deepEqual(await startTimes(homer, "many"), newest);
      const kept = (await rowsOf(t, "many")).map((row) => Number(row["started_at"]));
      assert.deepEqual(
        kept,
        Array.from({ length: LENGTH }, (_, i) => at + (59 - i) * 1_000),
      );
    });
  });
}
