import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { digestCredentials } from "../../src/hss/digest.ts";
import { UNAVAILABLE } from "../../src/hss/hss.ts";
import { withoutPrivateIdentity, withoutSet, withPrivateIdentity } from "../../src/hss/parts-change.ts";
import { parkedKey } from "../../src/hss/record-names.ts";
import { allSetsOf, eachSetOf, keyOf, partsOf, recordOfParts } from "../../src/hss/stored.ts";
import { noServices, notRegistered, type Registration, type Subscriber } from "../../src/hss/subscriber.ts";
import type {
  SubscriberRecord,
  SubscriberRepository,
  SubscriptionRecord,
} from "../../src/hss/subscriber-repository.ts";
import { find, ownerOf, type RepositoriesUnderTest, recordOf } from "./subscriber-repository-compliance.ts";

const registered: Registration = {
  state: "registered",
  authenticationPending: false,
  serverName: "sip:scscf.example.com",
  originHost: "sprout-1.example.com",
  originRealm: "example.com",
};

type PrivateIdentity = SubscriptionRecord["privateIdentities"][number];

function privateIdentity(name: string, ...sets: string[]): PrivateIdentity {
  const impi = `${name}@example.com`;
  const digest = digestCredentials(impi, "example.com", "secret");
  return { impi, credentials: { digest, aka: undefined }, sets };
}

function set(id: string, ...impus: string[]): SubscriptionRecord["sets"][number] {
  const identities = impus.map((impu) => ({ impu, barred: false }));
  return { id, profiles: [{ id: `p-${id}`, identities, services: noServices }] };
}

/** Phone and tablet share one set; the phone has another one for itself. */
function family(name = "phone"): SubscriberRecord {
  return recordOfParts(`${name}@example.com`, {
    privateIdentities: [
      { ...privateIdentity(name, `home-${name}`, `work-${name}`), sqn: 64 },
      privateIdentity(`${name}-tablet`, `home-${name}`),
    ],
    sets: [
      set(`home-${name}`, `sip:${name}-home@example.com`, `sip:${name}.![0-9]+!@example.com`),
      set(`work-${name}`, `sip:${name}-work@example.com`),
    ],
  });
}

async function known(repository: SubscriberRepository, impi: string): Promise<Subscriber> {
  return (await find(repository, impi)) ?? assert.fail(`${impi} is not there`);
}

async function setOf(repository: SubscriberRepository, id: string): Promise<Subscriber | undefined> {
  const found = await repository.bySet(id);
  return found === UNAVAILABLE ? assert.fail("the store is away") : found;
}

async function parked(repository: SubscriberRepository, impi: string): Promise<Subscriber | undefined> {
  const found = await repository.parked(impi);
  return found === UNAVAILABLE ? assert.fail("the store is away") : found;
}

async function states(repository: SubscriberRepository, impi: string): Promise<string[]> {
  return eachSetOf(await known(repository, impi)).map(({ registration }) => registration.state);
}

async function insertKind(repository: SubscriberRepository, record: SubscriberRecord): Promise<string> {
  return (await repository.insert(record)).kind;
}

/** Adds a private identity to the subscription of another, for its sets. */
async function share(repository: SubscriberRepository, impi: string, one: PrivateIdentity): Promise<string> {
  const before = await known(repository, impi);
  const parts = partsOf(before);
  const sets = parts.privateIdentities.find((each) => each.impi === impi)?.sets ?? [];
  const record = recordOfParts(keyOf(before), withPrivateIdentity(parts, { ...one, sets }));
  return (await repository.replace(before, record)).kind;
}

/** What a repository must do for subscriptions with several private identities and sets. */
export function sharedSubscriptionCompliance(
  name: string,
  create: (t: TestContext) => RepositoriesUnderTest | Promise<RepositoriesUnderTest>,
): void {
  describe(`Subscriptions of several parts: ${name}`, () => {
    test("TS 23.228 §4.3.3.4: each private identity is found with its sets, each set with who may register it", async (t) => {
      const { one, other } = await create(t);
      assert.deepEqual(await one.insert(family()), { kind: "written" });
      const phone = await known(other, "phone@example.com");
      assert.deepEqual(
        eachSetOf(phone).map(({ identities }) => identities.map(({ canonical }) => canonical)),
        [["sip:phone-home@example.com", "sip:phone.![0-9]+!@example.com"], ["sip:phone-work@example.com"]],
      );
      assert.equal(phone.sqn, 64);
      const tablet = await known(other, "phone-tablet@example.com");
      assert.equal(eachSetOf(tablet).length, 1);
      assert.equal(
        tablet.credentials.digest?.ha1Md5,
        privateIdentity("phone-tablet").credentials.digest?.ha1Md5,
      );
      assert.equal(tablet.sqn, 0);
      assert.deepEqual(
        (await setOf(other, "work-phone"))?.identities.map(({ impu }) => impu),
        ["sip:phone-work@example.com"],
      );
      assert.equal(allSetsOf(tablet).length, 2);
      for (const impu of [
        "sip:phone.![0-9]+!@example.com",
        "sip:phone-home@example.com",
        "sip:phone.9@example.com",
        "sip:phone-work@example.com",
      ])
        assert.equal(await ownerOf(other, impu), "phone@example.com", impu);
      assert.equal(await setOf(one, "nobody"), undefined);
      const page = await one.page({ after: "", limit: 10, search: "tablet" });
      assert.ok(page !== UNAVAILABLE && page.subscribers.length === 1);
    });

    test("TS 29.228 §6.1.2.1: of two that registered a shared set one is deregistered, and the other is not", async (t) => {
      const { one, other } = await create(t);
      await one.insert(family());
      for (const impi of ["phone@example.com", "phone-tablet@example.com"])
        assert.equal(await one.save(await known(one, impi), { registration: registered }), "saved");
      assert.deepEqual(await states(other, "phone@example.com"), ["registered", "notRegistered"]);
      assert.deepEqual(await states(other, "phone-tablet@example.com"), ["registered"]);
      await other.save(await known(other, "phone@example.com"), { registration: notRegistered });
      assert.deepEqual(await states(one, "phone@example.com"), ["notRegistered", "notRegistered"]);
      assert.deepEqual(await states(one, "phone-tablet@example.com"), ["registered"]);
      const shared = await setOf(one, "home-phone");
      assert.deepEqual([shared?.impi, shared?.registration], ["phone-tablet@example.com", registered]);
      // The S-CSCF stays that of the subscription until the last one is gone.
      assert.equal((await known(one, "phone@example.com")).registration.serverName, registered.serverName);
      await one.save(await known(one, "phone-tablet@example.com"), { registration: notRegistered });
      assert.deepEqual((await setOf(other, "home-phone"))?.registration, {
        ...notRegistered,
        serverName: undefined,
      });
    });

    test("a subscriber that is registered gets a second private identity: its registration and its SQN stay", async (t) => {
      const { one, other } = await create(t);
      await one.insert(recordOf("alice", { sqn: 96 }));
      await one.save(await known(one, "alice@example.com"), { registration: registered, sqn: 128 });
      assert.equal(await share(other, "alice@example.com", privateIdentity("tablet")), "written");
      const alice = await known(one, "alice@example.com");
      assert.deepEqual([alice.registration, alice.sqn], [registered, 128]);
      assert.equal((await known(one, "tablet@example.com")).registration.state, "notRegistered");
      assert.equal(await one.save(alice, { sqn: 160 }), "saved");
      assert.deepEqual(
        [(await known(other, "alice@example.com")).sqn, (await known(other, "tablet@example.com")).sqn],
        [160, 0],
      );
    });

    test("a change of what was read before another change is overtaken, whoever's part it was", async (t) => {
      const { one, other } = await create(t);
      await one.insert(family());
      const before = await known(one, "phone-tablet@example.com");
      await other.save(await known(other, "phone@example.com"), { registration: registered });
      assert.equal(await one.save(before, { registration: registered }), "overtaken");
      const record = recordOfParts(keyOf(before), withoutSet(partsOf(before), "work-phone"));
      assert.equal((await one.replace(before, record)).kind, "overtaken");
      assert.equal((await one.remove(before)).kind, "overtaken");
      assert.deepEqual(await states(one, "phone@example.com"), ["registered", "notRegistered"]);
    });

    test("a private identity belongs to one subscription, by whatever name of a row it goes", async (t) => {
      const { one, other } = await create(t);
      await one.insert(family());
      await one.insert(recordOf("bob"));
      assert.deepEqual(await other.insert(recordOf("phone-tablet")), {
        kind: "conflict",
        identity: "phone-tablet@example.com",
        owner: "phone@example.com",
      });
      assert.equal(await share(other, "bob@example.com", privateIdentity("phone-tablet")), "conflict");
      assert.equal(await share(other, "bob@example.com", privateIdentity("phone")), "conflict");
      assert.equal(await ownerOf(other, "sip:phone-tablet@example.com"), undefined);
      // Its row keeps its name when it leaves; it may come back, elsewhere.
      const before = await known(one, "phone@example.com");
      const left = withoutPrivateIdentity(partsOf(before), "phone@example.com");
      assert.equal((await one.replace(before, recordOfParts(keyOf(before), left))).kind, "written");
      assert.equal(await find(other, "phone@example.com"), undefined);
      assert.equal((await known(other, "phone-tablet@example.com")).impi, "phone-tablet@example.com");
      // What only it could register went with it.
      assert.equal(await ownerOf(other, "sip:phone-work@example.com"), undefined);
      assert.deepEqual(await other.insert(recordOf("phone")), { kind: "written" });
      assert.equal(await ownerOf(one, "sip:phone@example.com"), "phone@example.com");
      assert.equal((await known(one, "phone@example.com")).identities[0]?.impu, "sip:phone@example.com");
      assert.equal(await share(one, "phone-tablet@example.com", privateIdentity("phone")), "conflict");
      assert.deepEqual(await other.remove(await known(other, "phone@example.com")), { kind: "written" });
      assert.equal(await share(one, "phone-tablet@example.com", privateIdentity("phone")), "written");
      assert.equal(
        (await known(other, "phone@example.com")).identities[0]?.impu,
        "sip:phone-home@example.com",
      );
      assert.equal((await other.insert(recordOf("phone"))).kind, "conflict");
    });

    test("of many that want one private identity at once exactly one gets it", async (t) => {
      const { one, other } = await create(t);
      for (const name of ["a", "b", "c"]) await one.insert(recordOf(name));
      const wanted = privateIdentity("wanted");
      const results = await Promise.all([
        share(one, "a@example.com", wanted),
        share(other, "b@example.com", wanted),
        share(one, "c@example.com", wanted),
        insertKind(other, recordOf("wanted")),
      ]);
      assert.equal(results.filter((kind) => kind === "written").length, 1, results.join());
      assert.ok((await known(other, "wanted@example.com")).credentials.digest);
    });

    test("what a removed subscription had is free again", async (t) => {
      const { one, other } = await create(t);
      await one.insert(family());
      assert.deepEqual(await other.remove(await known(other, "phone-tablet@example.com")), {
        kind: "written",
      });
      assert.equal(await find(one, "phone@example.com"), undefined);
      assert.equal(await find(one, "phone-tablet@example.com"), undefined);
      assert.equal(await ownerOf(one, "sip:phone.9@example.com"), undefined);
      assert.equal(await setOf(one, "home-phone"), undefined);
      assert.deepEqual(await one.insert(family()), { kind: "written" });
    });

    test("what is put by is no subscriber, is not listed, and takes no name", async (t) => {
      const { one, other } = await create(t);
      const key = parkedKey("later@example.com");
      const parts = { privateIdentities: [privateIdentity("later")], sets: [] };
      assert.deepEqual(await one.insert(recordOfParts(key, parts)), { kind: "written" });
      assert.equal((await one.insert(recordOfParts(key, parts))).kind, "conflict");
      assert.equal(await find(other, "later@example.com"), undefined);
      assert.equal(await find(other, key), undefined);
      assert.ok((await parked(other, "later@example.com"))?.credentials.digest);
      const page = await other.page({ after: "", limit: 10, search: undefined });
      assert.ok(page !== UNAVAILABLE && page.subscribers.length === 0);
      assert.deepEqual(await other.insert(recordOf("later")), { kind: "written" });
      const before = (await parked(one, "later@example.com")) ?? assert.fail("gone");
      assert.deepEqual(await one.remove(before), { kind: "written" });
      assert.equal(await parked(other, "later@example.com"), undefined);
      assert.ok(await find(one, "later@example.com"));
    });

    test("public identities are listed in parts, each once, and nothing else with them", async (t) => {
      const { one, other } = await create(t);
      await one.insert(family());
      await one.insert(recordOf("bob"));
      const all = [
        "sip:bob@example.com",
        "sip:phone-home@example.com",
        "sip:phone-work@example.com",
        "sip:phone.![0-9]+!@example.com",
      ];
      for (const count of [1, 2, 7]) {
        const listed: string[] = [];
        for (let chunk = 0; chunk < count; chunk++) {
          const part = await other.publicIdentities({ chunk, of: count, limit: 100 });
          if (part === UNAVAILABLE) assert.fail("the store is away");
          listed.push(...part);
        }
        assert.deepEqual(listed.sort(), all, String(count));
      }
    });
  });
}
