import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import {
  type CassandraSession,
  cassandraCalendar,
  cassandraStore,
  memoryStore,
  openCassandra,
  type Row,
  STORE_SCHEMA,
} from "@ims/store";
import { CALL_LIST_SCHEMA, CassandraCallLists } from "../../../nodes/homer/src/store/cassandra-call-lists.ts";
import { SIMSERVS_SCHEMA } from "../../../nodes/homer/src/store/cassandra-simservs.ts";
import { Cql } from "../../../nodes/homestead/src/hss/cassandra/cql.ts";
import { provePoolKey } from "../../../nodes/homestead/src/hss/cassandra/pool-key.ts";
import { subscriberSchema } from "../../../nodes/homestead/src/hss/cassandra/schema.ts";
import { sealingWithKeyFile } from "../../../nodes/homestead/src/hss/sealing.ts";
import {
  find,
  ownerOf,
  recordOf,
} from "../../../nodes/homestead/test/hss/subscriber-repository-compliance.ts";
import {
  CassandraRegistrations,
  REGISTRATION_SCHEMA,
} from "../../../nodes/sprout/src/store/cassandra-registrations.ts";
import { RegistrationStore } from "../../../nodes/sprout/src/store/registration-store.ts";
import { ALICE, at, readProfile, registration } from "../../../nodes/sprout/test/support/pool.ts";
import { ArchiveReader } from "../../../nodes/tidewater/src/backup/archive/archive-reader.ts";
import { keySourceOf } from "../../../nodes/tidewater/src/backup/archive/key.ts";
import { Ask } from "../../../nodes/tidewater/src/backup/cassandra/ask.ts";
import { BackupError } from "../../../nodes/tidewater/src/backup/errors.ts";
import { restoreBackup } from "../../../nodes/tidewater/src/backup/restore.ts";
import type { CassandraUnderTest } from "../../support/cassandra.ts";
import { type Ended, runProgram } from "../../support/program.ts";
import { repositoryOn, simservsOn } from "../homestead-pool/store-under-test.ts";

const clock = systemClock();
const schemas = [subscriberSchema, SIMSERVS_SCHEMA, CALL_LIST_SCHEMA, REGISTRATION_SCHEMA, STORE_SCHEMA];
const silent = { say: () => undefined, end: () => undefined };
const MANY = 300;
const record = (name: string, ...impus: string[]) =>
  recordOf(name, { identities: impus.map((impu) => ({ impu, barred: false })) });

/** Backup and restore of everything that a pool keeps in the Cassandra that `cassandra` gives. */
export function backupCases(cassandra: () => CassandraUnderTest): void {
  let keyspaces = 0;

  interface Site {
    readonly keyspace: string;
    readonly folder: string;
    /** Sealing key of the pool, and key of the backups. */
    readonly poolKey: string;
    readonly backupKey: string;
    readonly session: CassandraSession;
    run(...args: readonly string[]): Promise<Ended>;
  }

  const open = (keyspace: string): Promise<CassandraSession> =>
    openCassandra({
      ...{ contactPoints: cassandra().contactPoints, keyspace, schemas, clock },
      ...{ replicationFactor: 1, deadlineMs: 20_000, connectWithinMs: 30_000 },
    });

  async function startSite(t: TestContext): Promise<Site> {
    const keyspace = `site_${++keyspaces}`;
    const folder = mkdtempSync(join(tmpdir(), "backup-"));
    const session = await open(keyspace);
    t.after(async () => {
      await session.shutdown();
      rmSync(folder, { recursive: true, force: true });
    });
    const [poolKey, backupKey] = [join(folder, "pool.key"), join(folder, "backup.key")];
    writeFileSync(poolKey, Buffer.alloc(32, 1), { mode: 0o600 });
    writeFileSync(backupKey, randomBytes(32), { mode: 0o600 });
    const where = ["--cassandra", cassandra().contactPoints.join(","), "--cassandra-keyspace", keyspace];
    const run = ([command = "", ...args]: readonly string[]): Promise<Ended> =>
      runProgram([command, ...args, ...where, "--key-file", backupKey, "--subscriber-key-file", poolKey], {
        timeoutMs: 120_000,
      });
    return { keyspace, folder, poolKey, backupKey, session, run: (...args) => run(args) };
  }

  async function fill({ session, poolKey }: Site): Promise<{ subscribers: string[]; told: string }> {
    const cql = new Cql(session);
    assert.equal(await provePoolKey(cql, sealingWithKeyFile(poolKey), poolKey), "proven");
    const repository = repositoryOn(session);
    const subscribers: string[] = [];
    for (let number = 0; number < MANY; number++) {
      subscribers.push(`user${number}@example.com`);
      const written = await repository.insert(
        record(`user${number}`, `sip:user${number}@example.com`, `tel:+49301${number}`),
      );
      assert.equal(written.kind, "written");
    }
    assert.equal((await repository.insert(record("pbx", "sip:!.*!@pbx.example.com"))).kind, "written");
    await repository.close();
    await simservsOn(session).put(
      "sip:user1@example.com",
      `<simservs>${"ä".repeat(100)}</simservs>`,
      undefined,
    );
    const lists = new CassandraCallLists(session, 3_600);
    const fragment = { startedAt: Date.now(), call: "c1", kind: "begin", elements: "<to/>" } as const;
    assert.equal(await lists.add({ canonical: "sip:user1@example.com", fragments: [fragment] }), "written");
    const kv = cassandraStore(session);
    await kv.put("ellis-account", "a@b.example", Buffer.from("{}"), {
      ifVersion: "absent",
      ttlSeconds: 9_999,
    });
    await kv.put("challenge", "gone soon", Buffer.from("x"), { ifVersion: "absent", ttlSeconds: 1 });
    const calendar = cassandraCalendar({ session, clock });
    const store = memoryStore({ clock });
    const registrations = new RegistrationStore({
      ...{ store, clock, readProfile },
      durable: { rows: new CassandraRegistrations({ session }), calendar, writes: "required" },
    });
    const now = Date.now();
    const bound = at("one", { expiresAt: now + 3_600_000, refreshedAt: now });
    const updated = await registrations.update(ALICE, () =>
      registration({ bindings: [bound], aliasesUntil: 0 }),
    );
    assert.equal(updated.kind, "stored");
    registrations.stop();
    const { contact, callId, cseq, expiresAt } = bound;
    return { subscribers, told: JSON.stringify({ aor: ALICE, contact, callId, cseq, expiresAt, at: now }) };
  }

  const TABLES: Readonly<Record<string, string>> = {
    subscriber:
      "impi, identities, credentials, services, record_version, operation, state, sqn, state_version, WRITETIME(identities) AS w",
    subscriber_identity: "canonical, impi, operation",
    subscriber_wildcard: "bucket, canonical, impi",
    subscriber_key: "id, proof",
    simservs: "canonical, document, version",
    call_fragments: "canonical, started_at, call, kind, elements, WRITETIME(elements) AS w",
    registration: "name, item, stamp, value, WRITETIME(value) AS w",
    entry: "owner, key, live, value, version, lineage",
    calendar: "minute, shard, at, key",
  };

  /** Every row of every table. */
  async function contents(session: CassandraSession): Promise<Record<string, string[]>> {
    const all: Record<string, string[]> = {};
    for (const [table, columns] of Object.entries(TABLES)) {
      const rows: string[] = [];
      let page: string | undefined;
      do {
        const result = await session.execute(
          { cql: `SELECT ${columns} FROM keyspace.${table}`, idempotent: true },
          [],
          page === undefined ? {} : { page },
        );
        if (result.kind !== "rows") throw result.cause;
        rows.push(...result.rows.map(textOf).filter((row) => !row.includes("gone soon")));
        page = result.nextPage;
      } while (page !== undefined);
      all[table] = rows.sort();
    }
    return all;
  }

  function textOf(row: Row): string {
    return JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
  }

  async function lifetimes(session: CassandraSession): Promise<number[]> {
    const ttls: number[] = [];
    for (const cql of [
      "SELECT TTL(elements) AS ttl FROM keyspace.call_fragments",
      "SELECT TTL(value) AS ttl FROM keyspace.registration",
      "SELECT TTL(value) AS ttl FROM keyspace.entry WHERE owner = 'ellis-account' AND key = 'a@b.example'",
    ]) {
      const result = await session.execute({ cql, idempotent: true }, []);
      if (result.kind !== "rows") throw result.cause;
      ttls.push(...result.rows.map((row) => Number(row["ttl"])).sort((one, other) => one - other));
    }
    return ttls;
  }

  async function change(session: CassandraSession, cql: string): Promise<void> {
    const result = await session.execute({ cql, idempotent: true, schema: true }, []);
    if (result.kind !== "rows") throw result.cause;
  }

  test("a backup, the loss of everything, a restore: subscribers and registrations are audited equal", async (t) => {
    const site = await startSite(t);
    const { subscribers, told } = await fill(site);
    const before = await contents(site.session);
    const livedFor = await lifetimes(site.session);
    const file = join(site.folder, "site.backup");
    const taken = await site.run("backup", file);
    assert.deepEqual([taken.exitCode, taken.stderr], [0, ""]);
    const key = readFileSync(site.poolKey);

    // Vellum is gone, and the machines that knew the key.
    await change(site.session, `DROP KEYSPACE ${site.keyspace}`);
    rmSync(site.poolKey);
    const restored = await site.run("restore", file, "--cassandra-replication-factor", "1");
    assert.deepEqual([restored.exitCode, restored.stderr], [0, ""]);
    assert.deepEqual(readFileSync(site.poolKey), key);

    const session = await open(site.keyspace);
    t.after(() => session.shutdown());
    assert.deepEqual(await contents(session), before);
    for (const [index, ttl] of (await lifetimes(session)).entries())
      assert.ok(Math.abs(ttl - (livedFor[index] ?? 0)) < 120, `${ttl} s, was ${livedFor[index]} s`);
    const file2 = join(site.folder, "told.jsonl");
    writeFileSync(file2, told);
    const where = ["--cassandra", cassandra().contactPoints.join(","), "--cassandra-keyspace", site.keyspace];
    const audit = await runProgram(["audit", "bindings", "--told", file2, ...where], { timeoutMs: 60_000 });
    assert.deepEqual([audit.exitCode, audit.stderr], [0, ""], audit.stdout);

    // What was restored is used and changed like any other: secrets are opened, conditional writes go through.
    const repository = repositoryOn(session);
    t.after(() => repository.close());
    for (const impi of subscribers.slice(0, 20)) {
      const found = await find(repository, impi);
      assert.ok(found?.credentials.digest !== undefined || found?.credentials.aka !== undefined, impi);
    }
    assert.equal(await ownerOf(repository, "tel:+493017"), "user7@example.com");
    assert.equal((await repository.insert(record("thief", "tel:+493017"))).kind, "conflict");
    const seventh = await find(repository, "user7@example.com");
    assert.ok(seventh);
    const kept = record("user7", "sip:user7@example.com");
    assert.equal((await repository.replace(seventh, kept)).kind, "written");
    assert.equal((await repository.insert(record("new", "tel:+493017"))).kind, "written");
  });

  test("a restore into what is not empty is refused, and with --replace nothing of it is left", async (t) => {
    const site = await startSite(t);
    const repository = repositoryOn(site.session);
    t.after(() => repository.close());
    await repository.insert(record("old", "sip:old@example.com"));
    await provePoolKey(new Cql(site.session), sealingWithKeyFile(site.poolKey), site.poolKey);
    const file = join(site.folder, "site.backup");
    assert.equal((await site.run("backup", file)).exitCode, 0);
    const old = await find(repository, "old@example.com");
    assert.ok(old);
    assert.equal((await repository.remove(old)).kind, "written");
    await repository.insert(record("new", "sip:new@example.com"));
    const before = await contents(site.session);
    const refused = await site.run("restore", file);
    assert.deepEqual([refused.exitCode, refused.stdout], [1, ""]);
    assert.match(refused.stderr, /is not empty \(rows of .*subscriber: 1\): give --replace/);
    assert.deepEqual(await contents(site.session), before);
    // Under another key than that of the pool nothing could be read.
    writeFileSync(site.poolKey, Buffer.alloc(32, 2), { mode: 0o600 });
    const otherKey = await site.run("backup", join(site.folder, "other.backup"));
    assert.match(otherKey.stderr, /is not the key that the subscribers in Cassandra are sealed with/);
    const otherThere = await site.run("restore", file);
    assert.match(otherThere.stderr, /another key than that of the subscribers in the backup/);

    const replaced = await site.run("restore", file, "--replace");
    assert.deepEqual([replaced.exitCode, replaced.stderr], [0, ""]);
    assert.match(replaced.stdout, /what was there is in /);
    assert.deepEqual(readFileSync(site.poolKey), Buffer.alloc(32, 1));
    // Removed after the backup was taken: the marks of that do not hide what has come back.
    const now = await contents(site.session);
    assert.deepEqual(
      now["subscriber"]?.map((row) => JSON.parse(row).impi),
      ["old@example.com"],
    );
    assert.deepEqual(
      now["subscriber_identity"]?.map((row) => JSON.parse(row).canonical),
      ["sip:old@example.com"],
    );
  });

  test("a restore that was interrupted goes on, another backup is not mixed into it, and a newer schema is refused", async (t) => {
    const site = await startSite(t);
    await fill(site);
    const before = await contents(site.session);
    const [file, second] = [join(site.folder, "site.backup"), join(site.folder, "second.backup")];
    for (const each of [file, second]) assert.equal((await site.run("backup", each)).exitCode, 0);
    await change(site.session, `DROP KEYSPACE ${site.keyspace}`);

    const reader = await ArchiveReader.open(file);
    t.after(() => reader.close());
    const source = keySourceOf({ keyFile: site.backupKey });
    assert.ok(source);
    const key = await reader.unlock(source);
    const bare = await openCassandra({
      ...{ contactPoints: cassandra().contactPoints, keyspace: site.keyspace, schemas: [], clock },
      ...{ replicationFactor: 1, deadlineMs: 20_000, connectWithinMs: 30_000 },
    });
    t.after(() => bare.shutdown());
    let left = 250;
    const dying: CassandraSession = {
      ...{ keyspace: bare.keyspace, isAvailable: true, counters: bare.counters },
      execute: (statement, params, options) => {
        if (statement.cql.startsWith("INSERT INTO keyspace.sub") && left-- <= 0) throw new Error("killed");
        return bare.execute(statement, params, options);
      },
      batch: (...call) => bare.batch(...call),
      shutdown: async () => undefined,
    };
    const request = { reader, key, stateDir: undefined, subscriberKeyFile: site.poolKey, replace: false };
    const restore = (session: CassandraSession) =>
      restoreBackup({ ...request, cassandra: async () => new Ask(session) }, silent);
    await assert.rejects(restore(dying), /killed/);

    const mixed = await site.run("restore", second);
    assert.match(mixed.stderr, /a restore of another backup \(.*\) was begun and has not ended/);
    const restored = await restore(bare);
    assert.ok(restored.resumedAfter > 0, "tables before that of the subscribers were not restored again");
    const after = await open(site.keyspace);
    t.after(() => after.shutdown());
    assert.deepEqual(await contents(after), before);

    await change(after, "TRUNCATE keyspace.subscriber");
    const record =
      "INSERT INTO keyspace.schema_version (component, version, name, checksum) VALUES ('subscriber', 99, 'later', 'x')";
    await after.execute({ cql: record, idempotent: true }, []);
    await assert.rejects(
      restore(after),
      (error) =>
        error instanceof BackupError &&
        /made by a newer release .*\(subscriber: version 99/.test(error.message),
    );
  });

  test("rows that are written while a backup is taken are in it as they were last", async (t) => {
    const site = await startSite(t);
    await provePoolKey(new Cql(site.session), sealingWithKeyFile(site.poolKey), site.poolKey);
    const repository = repositoryOn(site.session);
    t.after(() => repository.close());
    let writing = true;
    let written = 0;
    const writer = (async () => {
      for (; writing; written++) {
        const name = `user${written}`;
        await repository.insert(record(name, `sip:${name}@example.com`));
        const before = await find(repository, `${name}@example.com`);
        if (written % 3 === 0 && before !== undefined)
          await repository.replace(before, record(name, `tel:+1${written}`));
      }
    })();
    const file = join(site.folder, "site.backup");
    const taken = await site.run("backup", file, "--json");
    writing = false;
    await writer;
    assert.equal(taken.exitCode, 0, taken.stderr);
    await change(site.session, `DROP KEYSPACE ${site.keyspace}`);
    assert.equal((await site.run("restore", file, "--cassandra-replication-factor", "1")).exitCode, 0);
    const session = await open(site.keyspace);
    t.after(() => session.shutdown());
    const restored = repositoryOn(session);
    t.after(() => restored.close());
    // Whoever is there is found by every identity that is listed.
    const page = await restored.page({ after: "", limit: 10_000, search: undefined });
    assert.ok(page !== "unavailable");
    assert.ok(page.subscribers.length > 0 && page.subscribers.length <= written);
    for (const { impi, identities } of page.subscribers)
      for (const { canonical } of identities) assert.equal(await ownerOf(restored, canonical), impi);
  });

  test("a keyspace that is not there is not made by a backup", async (t) => {
    const site = await startSite(t);
    const missing = await runProgram(
      [
        ...["backup", join(site.folder, "x.backup"), "--key-file", site.backupKey],
        ...["--cassandra", cassandra().contactPoints.join(","), "--cassandra-keyspace", "mistyped"],
        ...["--subscriber-key-file", site.poolKey],
      ],
      { timeoutMs: 60_000 },
    );
    assert.equal(missing.exitCode, 1);
    assert.match(missing.stderr, /there is nothing of tidewater in it/);
    const there = await site.session.execute(
      {
        cql: "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'mistyped'",
        idempotent: true,
      },
      [],
    );
    assert.deepEqual(there.kind === "rows" && there.rows, []);
  });
}
