import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { nextSqn } from "../../src/aka/sequence-number.ts";
import { digestCredentials } from "../../src/hss/digest.ts";
import { UNAVAILABLE } from "../../src/hss/hss.ts";
import { noServices, notRegistered, type Registration, type Subscriber } from "../../src/hss/subscriber.ts";
import type { SubscriberRecord, SubscriberRepository } from "../../src/hss/subscriber-repository.ts";

/** Two repositories on one store, as two homesteads have them; twice the same where only one may use the store. */
export type RepositoriesUnderTest = {
  readonly one: SubscriberRepository;
  readonly other: SubscriberRepository;
};

export function recordOf(name: string, given: Partial<SubscriberRecord> = {}): SubscriberRecord {
  const impi = `${name}@example.com`;
  return {
    impi,
    identities: [{ impu: `sip:${impi}`, barred: false }],
    credentials: { digest: digestCredentials(impi, "example.com", "secret"), aka: undefined },
    services: noServices,
    sqn: undefined,
    ...given,
  };
}

const identities = (...impus: string[]): SubscriberRecord["identities"] =>
  impus.map((impu) => ({ impu, barred: false }));

const registered: Registration = {
  state: "registered",
  authenticationPending: false,
  serverName: "sip:scscf.example.com",
  originHost: "sprout-1.example.com",
  originRealm: "example.com",
};

export async function find(repository: SubscriberRepository, impi: string): Promise<Subscriber | undefined> {
  const found = await repository.byPrivateIdentity(impi);
  if (found === UNAVAILABLE) throw new Error("the store is away");
  return found;
}

async function known(repository: SubscriberRepository, impi: string): Promise<Subscriber> {
  const found = await find(repository, impi);
  assert.ok(found, `${impi} is there`);
  return found;
}

export async function ownerOf(
  repository: SubscriberRepository,
  canonical: string,
): Promise<string | undefined> {
  const found = await repository.byPublicIdentity(canonical);
  if (found === UNAVAILABLE) throw new Error("the store is away");
  return found?.impi;
}

async function impisOf(
  repository: SubscriberRepository,
  search?: string,
  limit = 100,
): Promise<{ impis: string[]; pages: number }> {
  const impis: string[] = [];
  let pages = 0;
  for (let after: string | undefined = ""; after !== undefined; pages++) {
    const page = await repository.page({ after, limit, search });
    if (page === UNAVAILABLE) throw new Error("the store is away");
    assert.ok(page.subscribers.length <= limit);
    impis.push(...page.subscribers.map(({ impi }) => impi));
    after = page.next;
  }
  return { impis: impis.sort(), pages };
}

/** What every repository of subscribers must do. `create` gives empty ones and cleans up in t.after. */
export function subscriberRepositoryCompliance(
  name: string,
  create: (t: TestContext) => RepositoriesUnderTest | Promise<RepositoriesUnderTest>,
): void {
  describe(`SubscriberRepository: ${name}`, () => {
    test("who was not added is not found, by no identity", async (t) => {
      const { one } = await create(t);
      assert.equal(await find(one, "alice@example.com"), undefined);
      assert.equal(await find(one, "__proto__"), undefined);
      assert.equal(await ownerOf(one, "sip:alice@example.com"), undefined);
    });

    test("a subscriber is found by the other homestead as it was added, by each identity", async (t) => {
      const { one, other } = await create(t);
      const aka = {
        k: createSecretKey(Buffer.alloc(16, 7)),
        opc: new Uint8Array(16).fill(8),
        amf: new Uint8Array([0x80, 0]),
      };
      const record = recordOf("alice", {
        identities: [
          ...identities("sip:alice@EXAMPLE.com", "tel:+1-650-555"),
          { impu: "sip:b@y.z", barred: true },
        ],
        credentials: { digest: digestCredentials("alice@example.com", "example.com", "secret"), aka },
        services: { ...noServices, sharedIfcSetIds: [3, 5] },
        sqn: 2 ** 47 + 1,
      });
      assert.deepEqual(await one.insert(record), { kind: "written" });
      const found = await known(other, "alice@example.com");
      assert.deepEqual(
        found.identities.map(({ impu, canonical, barred }) => [impu, canonical, barred]),
        [
          ["sip:alice@EXAMPLE.com", "sip:alice@example.com", false],
          ["tel:+1-650-555", "tel:+1650555", false],
          ["sip:b@y.z", "sip:b@y.z", true],
        ],
      );
      assert.deepEqual(found.credentials.digest, record.credentials.digest);
      assert.deepEqual(found.credentials.aka?.k.export(), aka.k.export());
      assert.deepEqual(found.credentials.aka?.opc, aka.opc);
      assert.deepEqual(found.services, record.services);
      assert.equal(found.sqn, 2 ** 47 + 1);
      assert.deepEqual(found.registration, notRegistered);
      for (const canonical of ["sip:alice@example.com", "tel:+1650555", "sip:b@y.z"])
        assert.equal(await ownerOf(other, canonical), "alice@example.com");
    });

    test("TS 23.003 §13.4B: a wildcarded identity covers others, an exact one goes before it", async (t) => {
      const { one } = await create(t);
      await one.insert(recordOf("pbx", { identities: identities("sip:pbx-!.*!@example.com") }));
      await one.insert(recordOf("chief", { identities: identities("sip:pbx-1@example.com") }));
      assert.equal(await ownerOf(one, "sip:pbx-2@example.com"), "pbx@example.com");
      assert.equal(await ownerOf(one, "sip:pbx-1@example.com"), "chief@example.com");
      assert.deepEqual(
        await one.insert(recordOf("c", { identities: identities("sip:pbx-!.*!@example.com") })),
        {
          kind: "conflict",
          identity: "sip:pbx-!.*!@example.com",
          owner: "pbx@example.com",
        },
      );
      await one.remove(await known(one, "pbx@example.com"));
      assert.equal(await ownerOf(one, "sip:pbx-2@example.com"), undefined);
    });

    test("an identity belongs to one subscriber; who is refused leaves nothing", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice", { identities: identities("sip:alice@example.com", "tel:+1650") }));
      const { impi } = recordOf("alice");
      assert.deepEqual(
        await other.insert(recordOf("alice", { identities: identities("sip:new@example.com") })),
        {
          kind: "conflict",
          identity: impi,
          owner: impi,
        },
      );
      const claims = identities("sip:a@example.com", "tel:+1650", "sip:z@example.com");
      assert.deepEqual(await other.insert(recordOf("bob", { identities: claims })), {
        kind: "conflict",
        identity: "tel:+1650",
        owner: impi,
      });
      assert.equal(await find(one, "bob@example.com"), undefined);
      for (const canonical of ["sip:new@example.com", "sip:a@example.com", "sip:z@example.com"])
        assert.equal(await ownerOf(one, canonical), undefined);
      const free = identities("sip:a@example.com", "sip:z@example.com", "sip:new@example.com");
      assert.deepEqual(await one.insert(recordOf("bob", { identities: free })), { kind: "written" });
    });

    test("of many that add the same identities at once exactly one wins", async (t) => {
      const { one, other } = await create(t);
      const wanted = identities("sip:x@example.com", "tel:+1650", "sip:!.*!@x.example.com");
      const results = await Promise.all(
        ["a", "b", "c", "d", "e", "f"].map((each, index) =>
          (index % 2 === 0 ? one : other).insert(
            recordOf(each, { identities: index < 3 ? wanted : [...wanted].reverse() }),
          ),
        ),
      );
      assert.deepEqual(results.map(({ kind }) => kind).sort(), [...Array(5).fill("conflict"), "written"]);
      const { impis } = await impisOf(one);
      assert.equal(impis.length, 1);
      for (const canonical of ["sip:x@example.com", "tel:+1650", "sip:1@x.example.com"])
        assert.equal(await ownerOf(other, canonical), impis[0]);
    });

    test("of many that add the same subscriber at once exactly one wins, whole", async (t) => {
      const { one, other } = await create(t);
      const results = await Promise.all(
        ["1", "2", "3", "4"].map((each, index) =>
          (index % 2 === 0 ? one : other).insert(
            recordOf("alice", { identities: identities(`sip:${each}@example.com`, `tel:+${each}`) }),
          ),
        ),
      );
      assert.deepEqual(results.map(({ kind }) => kind).sort(), [
        "conflict",
        "conflict",
        "conflict",
        "written",
      ]);
      const winner = String(results.findIndex(({ kind }) => kind === "written") + 1);
      for (const each of ["1", "2", "3", "4"]) {
        const owner = each === winner ? "alice@example.com" : undefined;
        assert.equal(await ownerOf(one, `sip:${each}@example.com`), owner);
        assert.equal(await ownerOf(other, `tel:+${each}`), owner);
      }
    });

    test("a change is seen by the other homestead at once, and the registration outlives it", async (t) => {
      const { one, other } = await create(t);
      await one.insert(
        recordOf("alice", { identities: identities("sip:alice@example.com", "tel:+1"), sqn: 64 }),
      );
      assert.equal(
        await other.save(await known(other, "alice@example.com"), { registration: registered }),
        "saved",
      );
      assert.equal(await ownerOf(other, "tel:+1"), "alice@example.com");
      const record = recordOf("alice", {
        identities: identities("sip:alice@example.com", "tel:+2"),
        credentials: { digest: digestCredentials("alice@example.com", "example.com", "new"), aka: undefined },
      });
      assert.deepEqual(await one.replace(await known(one, "alice@example.com"), record), { kind: "written" });
      const found = await known(other, "alice@example.com");
      assert.deepEqual(found.credentials.digest, record.credentials.digest);
      assert.deepEqual(found.registration, registered);
      assert.equal(found.sqn, 64);
      assert.equal(await ownerOf(other, "tel:+1"), undefined);
      assert.equal(await ownerOf(other, "tel:+2"), "alice@example.com");
      assert.deepEqual(await other.insert(recordOf("bob", { identities: identities("tel:+1") })), {
        kind: "written",
      });
      await one.replace(await known(one, "alice@example.com"), { ...record, sqn: 99 });
      assert.equal((await known(other, "alice@example.com")).sqn, 99);
    });

    test("a change that takes an identity of another subscriber changes nothing", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice"));
      await one.insert(recordOf("bob"));
      const record = recordOf("bob", { identities: identities("sip:a@y.z", "sip:alice@example.com") });
      assert.deepEqual(await other.replace(await known(other, "bob@example.com"), record), {
        kind: "conflict",
        identity: "sip:alice@example.com",
        owner: "alice@example.com",
      });
      assert.equal(await ownerOf(one, "sip:bob@example.com"), "bob@example.com");
      assert.equal(await ownerOf(one, "sip:a@y.z"), undefined);
    });

    test("a change of what others changed meanwhile is overtaken", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice"));
      const before = await known(one, "alice@example.com");
      const changed = recordOf("alice", { identities: identities("tel:+1") });
      await other.replace(await known(other, "alice@example.com"), changed);
      assert.deepEqual(await one.replace(before, recordOf("alice", { identities: identities("tel:+2") })), {
        kind: "overtaken",
      });
      assert.equal(await one.save(before, { registration: registered }), "overtaken");
      assert.equal(await ownerOf(one, "tel:+1"), "alice@example.com");
      assert.deepEqual((await known(one, "alice@example.com")).registration, notRegistered);
    });

    test("of many changes at once each is whole, and those that follow another are overtaken", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice"));
      const befores = await Promise.all([known(one, "alice@example.com"), known(other, "alice@example.com")]);
      const results = await Promise.all(
        befores.map((before, index) =>
          (index === 0 ? one : other).replace(
            before,
            recordOf("alice", { identities: identities(`sip:${index}@y.z`, `tel:+${index}`) }),
          ),
        ),
      );
      assert.deepEqual(results.map(({ kind }) => kind).sort(), ["overtaken", "written"]);
      const winner = results.findIndex(({ kind }) => kind === "written");
      for (const index of [0, 1]) {
        const owner = index === winner ? "alice@example.com" : undefined;
        assert.equal(await ownerOf(one, `sip:${index}@y.z`), owner);
        assert.equal(await ownerOf(one, `tel:+${index}`), owner);
      }
    });

    test("who is removed is gone for the other homestead, with registration and identities", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice"));
      await one.save(await known(one, "alice@example.com"), { registration: registered, sqn: 5 });
      const before = await known(other, "alice@example.com");
      assert.deepEqual(await other.remove(before), { kind: "written" });
      assert.deepEqual(await other.remove(before), { kind: "notFound" });
      assert.equal(await find(one, "alice@example.com"), undefined);
      assert.equal(await ownerOf(one, "sip:alice@example.com"), undefined);
      await one.insert(recordOf("alice"));
      const again = await known(other, "alice@example.com");
      assert.deepEqual([again.registration, again.sqn], [notRegistered, 0]);
    });

    test("TS 29.228 §6.1: a registration that one homestead saves is what the other one acts on", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice"));
      for (const registration of [
        { ...registered, state: "notRegistered" as const, authenticationPending: true },
        registered,
        { ...registered, originHost: undefined, state: "unregistered" as const },
        notRegistered,
      ]) {
        assert.equal(await one.save(await known(one, "alice@example.com"), { registration }), "saved");
        assert.deepEqual((await known(other, "alice@example.com")).registration, registration);
      }
    });

    test("TS 33.102 §C.1.1: sequence numbers handed out by two homesteads at once are all different", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("sim"));
      const handedOut: number[] = [];
      const take = async (repository: SubscriberRepository): Promise<void> => {
        for (let left = 10; left > 0; ) {
          const subscriber = await known(repository, "sim@example.com");
          const sqn = nextSqn(subscriber.sqn) ?? 0;
          const saved = await repository.save(subscriber, { sqn });
          if (saved !== "saved") continue;
          handedOut.push(sqn);
          left--;
        }
      };
      await Promise.all([take(one), take(other), take(one), take(other)]);
      assert.equal(new Set(handedOut).size, 40);
      assert.equal((await known(one, "sim@example.com")).sqn, Math.max(...handedOut));
    });

    test("subscribers are listed in pages and found by a part of an identity", async (t) => {
      const { one, other } = await create(t);
      const names = ["a", "b", "c%", "d_", "É"];
      for (const each of names)
        await one.insert(recordOf(each, { identities: identities(`sip:x${each.charCodeAt(0)}@y.z`) }));
      const all = names.map((each) => `${each}@example.com`).sort();
      assert.deepEqual((await impisOf(other)).impis, all);
      const paged = await impisOf(other, undefined, 2);
      assert.deepEqual(paged.impis, all);
      assert.ok(paged.pages >= 3);
      assert.deepEqual((await impisOf(other, "X98")).impis, ["b@example.com"]);
      assert.deepEqual((await impisOf(other, "%")).impis, ["c%@example.com"]);
      assert.deepEqual((await impisOf(other, "_")).impis, ["d_@example.com"]);
      assert.deepEqual((await impisOf(other, "nobody")).impis, []);
    });

    test("an import judges every row, and writes all, none, or the good ones", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("old"));
      const rows = [
        recordOf("a"),
        recordOf("b", { identities: identities("tel:+1", "sip:b@example.com") }),
        recordOf("a", { identities: identities("sip:a2@example.com") }),
        recordOf("c", { identities: identities("sip:c@example.com", "tel:+1") }),
        recordOf("old", { identities: identities("sip:o2@example.com") }),
        recordOf("d", { identities: identities("sip:old@example.com") }),
        recordOf("e", { identities: identities("sip:c@example.com") }),
      ];
      const conflict = (identity: string, owner: string) => ({ kind: "conflict", identity, owner });
      const faults = [
        { index: 2, fault: conflict("a@example.com", "a@example.com") },
        { index: 3, fault: conflict("tel:+1", "b@example.com") },
        { index: 4, fault: conflict("old@example.com", "old@example.com") },
        { index: 5, fault: conflict("sip:old@example.com", "old@example.com") },
      ];
      for (const [options, applied] of [
        [{ dryRun: true, partial: true }, 0],
        [{ dryRun: false, partial: false }, 0],
        [{ dryRun: false, partial: true }, 3],
      ] as const) {
        assert.deepEqual(await one.import(rows, options), { applied, faults });
        assert.equal((await impisOf(other)).impis.length, 1 + applied);
      }
      assert.equal(await ownerOf(other, "sip:c@example.com"), "e@example.com");
      const good = [recordOf("f"), recordOf("g")];
      assert.deepEqual(await one.import(good, { dryRun: false, partial: false }), { applied: 2, faults: [] });
      assert.deepEqual(await one.import([], { dryRun: false, partial: false }), { applied: 0, faults: [] });
    });

    test("__proto__, quotes, spaces and non-ASCII are just names", async (t) => {
      const { one, other } = await create(t);
      const names = ["__proto__", "constructor", `'";--`, "é", "名", "a b", "x".repeat(200)];
      for (const each of names)
        assert.deepEqual(
          await one.insert(recordOf(each, { identities: identities(`sip:${encodeURIComponent(each)}@y.z`) })),
          { kind: "written" },
        );
      for (const each of names)
        assert.equal((await known(other, `${each}@example.com`)).impi, `${each}@example.com`);
    });
  });
}
