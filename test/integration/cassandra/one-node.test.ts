import assert from "node:assert/strict";
import { after, before, describe, type TestContext } from "node:test";
import { systemClock } from "@ims/runtime";
import {
  type CassandraSession,
  cassandraCalendar,
  cassandraStore,
  openCassandra,
  STORE_SCHEMA,
} from "@ims/store";
import { calendarCompliance, kvStoreCompliance } from "@ims/store/testing";
import { type CassandraUnderTest, launchCassandra, whyNoCassandra } from "../../support/cassandra.ts";
import { backupCases } from "./backup-cases.ts";
import { callListCases } from "./call-list-cases.ts";
import { launcherCases } from "./launcher-cases.ts";
import { migrationCases } from "./migration-cases.ts";
import { sessionCases } from "./session-cases.ts";

const clock = systemClock();
const skip = whyNoCassandra() ?? false;

describe("Cassandra, one node", { skip }, () => {
  let cassandra: CassandraUnderTest;
  let session: CassandraSession;
  before(async () => {
    cassandra = await launchCassandra();
    session = await openCassandra({
      contactPoints: cassandra.contactPoints,
      keyspace: "compliance",
      schemas: [STORE_SCHEMA],
      clock,
      // What is judged is the outcome, not how quick a busy machine is.
      deadlineMs: 20_000,
      connectWithinMs: 30_000,
    });
    assert.equal(session.isAvailable, true);
  });
  after(async () => {
    await session?.shutdown();
    await cassandra?.stop();
  });

  const emptied = async (_t: TestContext, table: string): Promise<void> => {
    const cql = `TRUNCATE keyspace.${table}`;
    const result = await session.execute({ cql, idempotent: true, schema: true }, []);
    assert.equal(result.kind, "rows", String(result.kind === "unavailable" && result.cause));
  };

  kvStoreCompliance("Cassandra", async (t) => {
    await emptied(t, "entry");
    return {
      store: cassandraStore(session),
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    };
  });

  calendarCompliance("Cassandra", async (t) => {
    await emptied(t, "calendar");
    return { calendar: cassandraCalendar({ session, clock }), now: clock.now() };
  });

  launcherCases(() => cassandra);
  migrationCases(() => cassandra);
  sessionCases(() => cassandra);
  callListCases(() => cassandra);
  backupCases(() => cassandra);
});
