import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistrationStore } from "../../src/store/registration-store.ts";
import { ALIAS, ALICE, at, registration } from "../support/pool.ts";
import { type Site, Sites } from "../support/sites.ts";

async function bind(sites: Sites, store: RegistrationStore, key: string, instead?: string): Promise<string> {
  const now = sites.clock.now();
  const one = at(key, { refreshedAt: now, expiresAt: now + 3_600_000 });
  const result = await store.update(ALICE, (current) =>
    registration({
      aliasesUntil: current?.aliasesUntil ?? 0,
      bindings: [
        ...(current?.bindings ?? []).filter((each) => each.key !== key && each.key !== instead),
        one,
      ],
    }),
  );
  return result.kind;
}

async function keys(store: RegistrationStore, impu = ALICE): Promise<readonly string[] | string> {
  const found = await store.find(impu);
  if (found.kind !== "found") return found.kind;
  return found.registration.bindings.map(({ key }) => key).sort();
}

/** What sites tell each other has been heard, and copies are compared. */
const heard = (sites: Sites): Promise<void> => sites.clock.advanceAsync(6_000);

async function started(sites: Sites, ...where: readonly Site[]): Promise<RegistrationStore[]> {
  const sprouts = where.map((site) => site.sprout());
  await heard(sites);
  return sprouts;
}

const two = async (sites: Sites): Promise<[RegistrationStore, RegistrationStore]> => {
  const [a, b] = await started(sites, sites.a, sites.b);
  assert.ok(a && b);
  return [a, b];
};

test("who registered at one site is found, refreshed and removed at the other, and the first one knows it", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  // Known there not to be registered a moment ago.
  for (const impu of [ALICE, ALIAS]) assert.equal(await keys(b, impu), "notFound");
  assert.equal(await bind(sites, a, "one"), "stored");
  for (const impu of [ALICE, ALIAS]) assert.deepEqual(await keys(b, impu), ["one"]);
  assert.equal(await bind(sites, b, "two", "one"), "stored");
  await sites.clock.advanceAsync(1_000);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["two"]);
  assert.equal(await bind(sites, a, "three"), "stored");
  await sites.clock.advanceAsync(1_000);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["three", "two"]);
  assert.deepEqual(await b.update(ALICE, () => "remove"), { kind: "removed" });
  await sites.clock.advanceAsync(1_000);
  for (const store of [a, b]) assert.equal(await keys(store), "notFound");
  assert.equal(a.waiting + b.waiting, 0);
});

test("sets of this site are found without the rows, those of the other site with the rows of both", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  await heard(sites);
  sites.a.reads.length = 0;
  assert.deepEqual(await keys(a), ["one"]);
  assert.deepEqual(sites.a.reads, []);
  await keys(b);
  sites.b.reads.length = 0;
  await keys(b);
  assert.deepEqual(sites.b.reads, ["both"]);
});

test("a site is gone: its subscriber is found and registers at the other one; back with an empty memcached it has the new binding, before any hint", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  a.stop();
  sites.connected = false;
  assert.deepEqual(await keys(b), ["one"]);
  assert.equal(await bind(sites, b, "two", "one"), "stored");
  assert.equal(b.problems.otherSite, true);
  sites.a.forget();
  await sites.clock.advanceAsync(600_000);
  sites.connect({ delivering: false });
  const back = sites.a.sprout();
  assert.deepEqual(await keys(back), ["two"]);
  await heard(sites);
  assert.deepEqual(await keys(back), ["two"]);
  assert.equal(b.problems.otherSite, false);
});

test("a site that was cut off and went on with what it knew has forgotten it within a second of seeing the other one", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  await heard(sites);
  sites.connected = false;
  await bind(sites, b, "two", "one");
  await sites.clock.advanceAsync(1_200_000);
  assert.deepEqual(await keys(a), ["one"]);
  sites.connect({ delivering: false });
  await sites.clock.advanceAsync(1_000);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["two"]);
  // The hints that come later change nothing, and neither does what a writes now lose anything.
  assert.equal(await bind(sites, a, "three"), "stored");
  sites.connect();
  await heard(sites);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["three", "two"]);
});

test("cut off from each other, both sites change a set: afterwards both have what either was told", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  await heard(sites);
  sites.connected = false;
  await bind(sites, b, "of-b");
  await sites.clock.advanceAsync(120_000);
  await bind(sites, a, "of-a");
  await sites.clock.advanceAsync(120_000);
  assert.deepEqual(await keys(a), ["of-a", "one"]);
  assert.deepEqual(await keys(b), ["of-b", "one"]);
  sites.connect();
  await heard(sites);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["of-a", "of-b", "one"]);
});

test("both sites change a set in one moment, a new one or an old one: nothing is lost", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  assert.deepEqual(await Promise.all([bind(sites, a, "one"), bind(sites, b, "two")]), ["stored", "stored"]);
  await heard(sites);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["one", "two"]);
  await Promise.all([bind(sites, a, "three"), bind(sites, b, "four")]);
  await heard(sites);
  for (const store of [a, b]) assert.deepEqual(await keys(store), ["four", "one", "three", "two"]);
});

test("a sprout that starts does not trust its memcached before it has heard what was told while nobody listened", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  await heard(sites);
  a.stop();
  await bind(sites, b, "two", "one");
  await sites.clock.advanceAsync(7_200_000 / 4);
  const late = sites.a.sprout();
  assert.deepEqual(await keys(late), ["two"]);
  await heard(sites);
  assert.deepEqual(await keys(late), ["two"]);
});

test("the memcached of a site does not answer when it is told that a set has moved: it is right when it is back", async (t) => {
  const sites = new Sites(t);
  const [a, b] = await two(sites);
  await bind(sites, a, "one");
  await heard(sites);
  const kv = sites.a.kv;
  const away = async () => ({ kind: "unavailable", cause: new Error("away") }) as const;
  sites.a.kv = { get: away, put: away, delete: away };
  await bind(sites, b, "two", "one");
  await heard(sites);
  assert.deepEqual(await keys(a), ["two"]);
  sites.a.kv = kv;
  await heard(sites);
  assert.deepEqual(await keys(a), ["two"]);
  assert.equal(a.waiting, 0);
});
