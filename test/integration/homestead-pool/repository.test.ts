import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemClock } from "@ims/runtime";
import { type CassandraSession, cassandraStore, openCassandra, STORE_SCHEMA } from "@ims/store";
import { Accounts } from "../../../nodes/ellis/src/accounts/accounts.ts";
import { NumberPool } from "../../../nodes/ellis/src/numbers/number-pool.ts";
import { SIMSERVS_SCHEMA } from "../../../nodes/homer/src/store/cassandra-simservs.ts";
import { subscriberSchema } from "../../../nodes/homestead/src/hss/cassandra/schema.ts";
import { withPrivateIdentity } from "../../../nodes/homestead/src/hss/parts-change.ts";
import {
  keyOf,
  partsOf,
  privateIdentitiesWith,
  recordOfParts,
} from "../../../nodes/homestead/src/hss/stored.ts";
import type {
  SubscriberRepository,
  WriteResult,
} from "../../../nodes/homestead/src/hss/subscriber-repository.ts";
import { sharedSubscriptionCompliance } from "../../../nodes/homestead/test/hss/shared-subscription-compliance.ts";
import {
  find,
  ownerOf,
  recordOf,
  subscriberRepositoryCompliance,
} from "../../../nodes/homestead/test/hss/subscriber-repository-compliance.ts";
import { type CassandraUnderTest, launchCassandra, whyNoCassandra } from "../../support/cassandra.ts";
import {
  emptied,
  hurriedClock,
  repositoryOn,
  seededRandom,
  simservsOn,
  stoppingSession,
  tiredSession,
} from "./store-under-test.ts";

const clock = systemClock();
const skip = whyNoCassandra() ?? false;
const identities = (...impus: string[]) => impus.map((impu) => ({ impu, barred: false }));

/** Every identity listed belongs to who lists it, and to nobody else. */
async function assertConsistent(repository: SubscriberRepository): Promise<string[]> {
  const owners = new Map<string, string>();
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page = await repository.page({ after, limit: 100, search: undefined });
    if (page === "unavailable") throw new Error("the store is away");
    for (const { impi, identities } of page.subscribers) {
      for (const { canonical } of identities) {
        assert.equal(owners.get(canonical), undefined, `${canonical} is listed twice`);
        owners.set(canonical, impi);
      }
    }
    after = page.next;
  }
  for (const [canonical, impi] of owners)
    if (!canonical.includes("!")) assert.equal(await ownerOf(repository, canonical), impi, canonical);
  return [...new Set(owners.values())].sort();
}

describe("Subscribers in Cassandra", { skip }, () => {
  let cassandra: CassandraUnderTest;
  let sessions: CassandraSession[] = [];
  before(async () => {
    cassandra = await launchCassandra();
    const open = () =>
      openCassandra({
        contactPoints: cassandra.contactPoints,
        keyspace: "subscribers",
        replicationFactor: cassandra.replicationFactor,
        schemas: [subscriberSchema, SIMSERVS_SCHEMA, STORE_SCHEMA],
        clock,
        connectWithinMs: 30_000,
      });
    // At once, as homesteads of a pool start.
    sessions = await Promise.all([open(), open()]);
  });
  after(async () => {
    for (const session of sessions) await session.shutdown();
    await cassandra?.stop();
  });

  function session(index: 0 | 1): CassandraSession {
    const found = sessions[index];
    if (found === undefined) throw new Error("not connected");
    return found;
  }

  for (const compliance of [subscriberRepositoryCompliance, sharedSubscriptionCompliance])
    compliance("Cassandra", async () => {
      await emptied(session(0));
      return { one: repositoryOn(session(0)), other: repositoryOn(session(1)) };
    });

  test("TS 24.623: simservs documents are written under the version read, and two writers do not lose one", async () => {
    await emptied(session(0));
    const [one, other] = [simservsOn(session(0)), simservsOn(session(1))];
    const user = "sip:alice@example.com";
    assert.equal(await one.find(user), undefined);
    const made = await Promise.all([one.put(user, "<a/>", undefined), other.put(user, "<b/>", undefined)]);
    assert.deepEqual(made.map(({ kind }) => kind).sort(), ["overtaken", "written"]);
    const found = await other.find(user);
    assert.ok(found !== undefined && found !== "unavailable");
    const winner = made.findIndex(({ kind }) => kind === "written");
    assert.equal(found.document, ["<a/>", "<b/>"][winner]);
    const changed = await Promise.all([
      one.put(user, "<c/>", found.version),
      other.put(user, "<d/>", found.version),
    ]);
    assert.deepEqual(changed.map(({ kind }) => kind).sort(), ["overtaken", "written"]);
    assert.deepEqual(await one.remove(user, found.version), { kind: "overtaken" });
    const last = await one.find(user);
    assert.ok(last !== undefined && last !== "unavailable");
    assert.deepEqual(await other.remove(user, last.version), { kind: "removed" });
    assert.equal(await one.find(user), undefined);
    assert.deepEqual(await one.put(user, "<e/>", last.version), { kind: "overtaken" });
  });

  test("two ellises give each number once, and of two that make one account one is told that it exists", async () => {
    const stores = [cassandraStore(session(0)), cassandraStore(session(1))];
    const accounts = stores.map((store) => new Accounts(store));
    const account = { email: "alice@example.com", fullName: "Alice", password: "", sessionKey: "" };
    const made = await Promise.all(
      accounts.map((each) =>
        each.create({
          ...{ ...account, createdAt: 0, revision: 0 },
          ...{ endedSessions: [], recoveries: [], numbers: [] },
        }),
      ),
    );
    assert.deepEqual(made.sort(), ["created", "exists"]);
    const range = { first: "5550195", count: 12, pstn: false };
    const given: string[] = [];
    await Promise.all(
      stores.map(async (store, index) => {
        const pool = new NumberPool([range], { store, clock }, async () => true);
        for (;;) {
          const taken = await pool.take(`user${index}`, { pstn: false, not: new Set() });
          if (taken === "none") return;
          // Ten rounds lost to the other one.
          if (taken !== "unavailable") given.push(taken.number);
        }
      }),
    );
    assert.equal(new Set(given).size, 12);
    assert.equal(given.length, 12);
  });

  /** The same write each time, of subscribers and identities of its own. */
  const writes: Record<string, (repository: SubscriberRepository, tag: string) => Promise<WriteResult>> = {
    "adding a subscriber": async (repository, tag) => {
      const wanted = identities(`sip:a@${tag}`, `sip:wanted@${tag}`, `sip:!.*!@w.${tag}`);
      return repository.insert(recordOf(`alice-${tag}`, { identities: wanted }));
    },
    "changing a subscriber": async (repository, tag) => {
      const before = await find(repository, `old-${tag}@example.com`);
      assert.ok(before);
      const wanted = identities(`sip:b@${tag}`, `sip:wanted@${tag}`);
      return repository.replace(before, recordOf(`old-${tag}`, { identities: wanted }));
    },
    "removing a subscriber": async (repository, tag) => {
      const before = await find(repository, `old-${tag}@example.com`);
      assert.ok(before);
      return repository.remove(before);
    },
  };

  for (const [what, write] of Object.entries(writes)) {
    for (const death of ["killed for good", "held up, and going on later"] as const) {
      test(`a homestead that is ${death} at any statement of ${what} leaves nothing half done`, async () => {
        await emptied(session(0));
        const hurried = hurriedClock(40);
        const other = repositoryOn(session(1), hurried);
        let finished = false;
        for (let statements = 0; !finished; statements++) {
          assert.ok(statements < 40, "it ends");
          const tag = `t${statements}.z`;
          const at = `after ${statements} statements`;
          await other.insert(
            recordOf(`old-${tag}`, { identities: identities(`sip:old@${tag}`, `sip:b@${tag}`) }),
          );
          const stopping = stoppingSession(session(0), statements);
          const writing = write(repositoryOn(stopping, hurried), tag);
          const outcome = await Promise.race([writing, stopping.stopped.then(() => undefined)]);
          finished = outcome !== undefined;
          // Whoever reads sees it whole or not at all.
          await assertConsistent(other);
          // Whoever wants what it wanted gets it, unless it was done.
          const rivals = identities(`sip:wanted@${tag}`, `sip:a@${tag}`, `sip:!.*!@w.${tag}`);
          const rival = await other.insert(recordOf(`rival-${tag}`, { identities: rivals }));
          const done = await find(other, `alice-${tag}@example.com`);
          const old = await find(other, `old-${tag}@example.com`);
          const lists = [done, old].some((each) =>
            each?.identities.some(({ canonical }) => canonical === `sip:wanted@${tag}`),
          );
          assert.equal(rival.kind, lists ? "conflict" : "written", at);
          if (death !== "killed for good" && !finished) {
            stopping.resume();
            const late = await writing;
            const lost =
              what === "removing a subscriber"
                ? ["written", "notFound", "overtaken"]
                : ["conflict", "overtaken"];
            assert.ok(lists ? late.kind === "written" : lost.includes(late.kind), `${late.kind} ${at}`);
          }
          await assertConsistent(other);
          // And the same write, made again, ends as it should.
          if (what === "adding a subscriber") {
            const again = recordOf(`alice-${tag}`, { identities: identities(`sip:again@${tag}`) });
            assert.equal((await other.insert(again)).kind, lists ? "conflict" : "written");
          } else if (old !== undefined) {
            const record = recordOf(`old-${tag}`, { identities: identities(`sip:b@${tag}`) });
            const again = await other.replace(old, record);
            const wasRemoved = (await find(other, old.impi)) === undefined;
            assert.equal(again.kind, wasRemoved ? "overtaken" : "written");
          }
          await assertConsistent(other);
        }
      });
    }
  }

  for (const death of ["killed for good", "held up, and going on later"] as const)
    test(`a homestead that is ${death} at any statement of adding a private identity to a subscription leaves it to one`, async () => {
      await emptied(session(0));
      const hurried = hurriedClock(40);
      const other = repositoryOn(session(1), hurried);
      let finished = false;
      for (let statements = 0; !finished; statements++) {
        assert.ok(statements < 40, "it ends");
        const tag = `t${statements}`;
        const at = `after ${statements} statements`;
        const tablet = recordOf(`tablet-${tag}`);
        await other.insert(recordOf(`old-${tag}`));
        const stopping = stoppingSession(session(0), statements);
        const sharing = async (): Promise<WriteResult> => {
          const repository = repositoryOn(stopping, hurried);
          const before = (await find(repository, `old-${tag}@example.com`)) ?? assert.fail(at);
          const { impi, credentials } = tablet;
          const parts = partsOf(before);
          const sets = parts.sets.map(({ id }) => id);
          const shared = withPrivateIdentity(parts, { impi, credentials, sets });
          return repository.replace(before, recordOfParts(before.impi, shared));
        };
        const writing = sharing();
        const outcome = await Promise.race([writing, stopping.stopped.then(() => undefined)]);
        finished = outcome !== undefined;
        const rival = await other.insert(tablet);
        const old = (await find(other, `old-${tag}@example.com`)) ?? assert.fail(at);
        const isShared = privateIdentitiesWith(old).includes(tablet.impi);
        assert.equal(rival.kind, isShared ? "conflict" : "written", at);
        if (death !== "killed for good" && !finished) {
          stopping.resume();
          const late = await writing;
          const lost = ["conflict", "overtaken"];
          assert.ok(isShared ? late.kind === "written" : lost.includes(late.kind), `${late.kind} ${at}`);
        }
        const has = await find(other, tablet.impi);
        assert.equal(has === undefined ? undefined : keyOf(has), isShared ? old.impi : tablet.impi, at);
        assert.equal(await ownerOf(other, `sip:old-${tag}@example.com`), old.impi, at);
        await assertConsistent(other);
      }
    });

  test("two homesteads that write the same few subscribers and identities, and give each other up, stay consistent", async () => {
    await emptied(session(0));
    const random = seededRandom(20261121);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const impus = ["sip:1@y.z", "sip:2@y.z", "sip:3@y.z", "tel:+4", "tel:+5"];
    const counts = new Map<string, number>();
    // Patience is over after 10 ms, and many statements wait longer: many operations are given up alive.
    const homesteads = [0, 1, 2, 3, 4, 5].map((index) =>
      repositoryOn(tiredSession(session(index % 2 === 0 ? 0 : 1), random, 60), hurriedClock(200)),
    );
    const write = async (repository: SubscriberRepository): Promise<void> => {
      const name = pick(["a", "b", "c"]);
      const listed = identities(...impus.filter(() => random() < 0.4), `sip:${name}@own`);
      const record = recordOf(name, { identities: listed });
      const before = await find(repository, record.impi);
      const change = random() < 0.3 ? "remove" : "replace";
      const result =
        before === undefined
          ? await repository.insert(record)
          : change === "remove"
            ? await repository.remove(before)
            : await repository.replace(before, record);
      assert.notEqual(result.kind, "unavailable");
      counts.set(result.kind, (counts.get(result.kind) ?? 0) + 1);
    };
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        homesteads.map(async (each) => {
          await write(each);
          await write(each);
        }),
      );
      await assertConsistent(repositoryOn(session(0)));
    }
    for (const kind of ["written", "conflict", "overtaken"]) assert.ok((counts.get(kind) ?? 0) > 0, kind);
    // What operations left does not stand in anybody's way.
    const last = repositoryOn(session(1), hurriedClock(40));
    for (const name of ["a", "b", "c", "d"]) {
      const before = await find(last, `${name}@example.com`);
      if (before !== undefined) assert.equal((await last.remove(before)).kind, "written");
    }
    assert.deepEqual(await last.insert(recordOf("all", { identities: identities(...impus) })), {
      kind: "written",
    });
    assert.deepEqual(await assertConsistent(last), ["all@example.com"]);
  });
});
