import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { memoryStore, minuteOf, shardOf } from "@ims/store";
import {
  ALIAS,
  ALICE,
  at,
  binding,
  type Member,
  Pool,
  registration,
  settled,
  shifted,
  subscription,
} from "../support/pool.ts";

test("what was registered is found by every identity and member after every memcached was emptied", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  assert.equal(await a.bind(at("one")), "stored");
  assert.equal(await a.bind(at("two")), "stored");
  assert.equal(await a.unbind("one"), "stored");
  pool.forget();
  for (const impu of [ALIAS, ALICE]) assert.deepEqual(await b.bindings(impu), ["two"]);
  assert.deepEqual(b.counted, ["rebuilt"]);
  // And from the working copy again.
  pool.durableUp = false;
  for (const impu of [ALIAS, ALICE]) assert.deepEqual(await a.bindings(impu), ["two"]);
});

test("a registration comes back from the rows as it was", async (t) => {
  const pool = new Pool(t);
  const whole = registration({
    subscriptions: [subscription({ due: 7, failures: 1 })],
    bindings: [
      binding(),
      binding({
        key: "i|1",
        impi: "001010000000001@ims.example.com",
        instance: "i",
        regId: 1,
        gruu: true,
        gruuSince: 5,
      }),
    ],
  });
  const member = pool.member();
  await member.store.update(ALICE, () => whole);
  const before = await member.store.find(ALICE);
  pool.forget();
  const after = await member.store.find(ALICE);
  assert.ok(before.kind === "found" && after.kind === "found");
  const order = ({ key }: { key: string }): string => key;
  const sorted = (r: typeof whole) => ({
    ...r,
    bindings: [...r.bindings].sort((x, y) => (order(x) < order(y) ? -1 : 1)),
  });
  assert.deepEqual(sorted(after.registration), sorted(before.registration));
  assert.deepEqual(await member.store.setsOf("001010000000001@ims.example.com"), [
    ALICE,
    "sip:001010000000001@ims.example.com",
  ]);
});

test("subscriptions come and go in the rows one by one, and the end of a set stays there until its subscribers are told", async (t) => {
  const pool = new Pool(t);
  const { store } = pool.member();
  const [one, two] = [subscription({ callId: "one" }), subscription({ callId: "two" })];
  const rowsOf = async (): Promise<string[]> => {
    const read = await pool.rows.read(ALICE);
    return read.kind === "found" ? read.rows.map(({ item }) => item.slice(0, 5)).sort() : [];
  };
  await store.update(ALICE, () => registration({ subscriptions: [one, two] }));
  assert.deepEqual(await rowsOf(), ["b\nali", "head", "s\none", "s\ntwo"]);
  await store.update(ALICE, (current) => (current ? { ...current, subscriptions: [two] } : "keep"));
  assert.deepEqual(await rowsOf(), ["b\nali", "head", "s\ntwo"]);
  const ended = { state: "terminated", ended: "rejected", heldUntil: 0 } as const;
  await store.update(ALICE, (current) => (current ? { ...current, ...ended } : "keep"));
  pool.forget();
  assert.equal((await store.find(ALICE)).kind, "notFound");
  const whole = await store.findWhole(ALICE);
  assert.ok(whole.kind === "found");
  assert.deepEqual(whole.registration.subscriptions, [two]);
  assert.equal(whole.registration.ended, "rejected");
  assert.deepEqual(await store.updateWhole(ALICE, () => "remove"), { kind: "removed" });
  assert.deepEqual(await rowsOf(), ["head"]);
});

test("who deregistered does not come back when memcached is emptied", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  assert.equal(await member.unbind("one"), "removed");
  pool.forget();
  assert.deepEqual(await member.bindings(), []);
  assert.deepEqual(await member.bindings(ALIAS), []);
  assert.equal(await member.bind(at("two")), "stored");
  pool.forget();
  assert.deepEqual(await member.bindings(), ["two"]);
});

test("a refresh writes one row, and neither head nor calendar while those are good", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  const expiresAt = (s: number): number => pool.clock.now() + s * 1000;
  await member.bind(at("one", { expiresAt: expiresAt(3600) }));
  member.operations.length = 0;
  pool.clock.advance(1_000_000);
  await member.bind(at("one", { expiresAt: expiresAt(3600) }));
  assert.deepEqual(member.operations, ["get registration", "put registration", "write rows"]);
});

test("while memcached is away bindings are found, added, refreshed and removed, by all members, and are right afterwards", async (t) => {
  for (const emptied of [true, false]) {
    const pool = new Pool(t);
    const [a, b] = [pool.member(), pool.member()];
    for (const key of ["one", "two"]) await a.bind(at(key));
    pool.workingUp = false;
    assert.deepEqual(await b.bindings(ALIAS), ["one", "two"]);
    assert.deepEqual(await Promise.all([a.bind(at("three")), b.bind(at("four"))]), ["stored", "stored"]);
    assert.equal(await b.unbind("one"), "stored");
    assert.deepEqual(await a.bindings(), ["four", "three", "two"]);
    assert.equal(a.store.problems.working, true);
    // Emptied by its restart, or back with what it held before: a partition, a process that was stopped.
    if (emptied) pool.forget();
    pool.workingUp = true;
    await pool.clock.advanceAsync(1_000);
    await settled();
    for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["four", "three", "two"]);
    assert.equal(a.store.waiting + b.store.waiting, 0);
    assert.equal(a.store.problems.working, false);
  }
});

test("one member is cut off from memcached: what it and the others change meanwhile is all there afterwards", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  await a.bind(at("one"));
  await a.bind(at("two"));
  a.cutOff = true;
  assert.equal(await a.bind(at("three")), "stored");
  pool.clock.advance(10);
  assert.equal(await b.unbind("one"), "stored");
  assert.equal(await b.bind(at("four")), "stored");
  assert.deepEqual(await a.bindings(), ["four", "three", "two"]);
  a.cutOff = false;
  await pool.clock.advanceAsync(5_000);
  await settled();
  for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["four", "three", "two"]);
  pool.forget();
  assert.deepEqual(await b.bindings(), ["four", "three", "two"]);
});

test("every memcached comes back empty, and one member sees the first, another the second: all of them know what was acknowledged", async (t) => {
  for (const winner of [0, 1]) {
    const pool = new Pool(t);
    const [a, b] = [pool.member(), pool.member()];
    await a.bind(at("one"));
    const halves = [0, 1].map(() => memoryStore({ clock: pool.clock }));
    for (const [index, member] of [a, b].entries())
      Object.assign(member, { sees: halves[index], unsettled: true });
    assert.deepEqual(await b.bindings(), ["one"]);
    assert.equal(await a.bind(at("two")), "stored");
    assert.deepEqual(await b.bindings(), ["one", "two"]);
    assert.deepEqual(await b.bindings(ALIAS), ["one", "two"]);
    assert.equal(await b.bind(at("three")), "stored");
    assert.equal(await b.unbind("one"), "stored");
    assert.deepEqual(await a.bindings(), ["three", "two"]);
    // Of two copies that know nothing of each other the replicas keep one, whichever.
    for (const member of [a, b]) member.sees = halves[winner];
    await pool.clock.advanceAsync(300);
    await settled();
    for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["three", "two"]);
    for (const member of [a, b]) member.unsettled = false;
    await pool.clock.advanceAsync(5_000);
    await settled();
    assert.equal(a.store.waiting + b.store.waiting, 0);
    pool.durableUp = false;
    for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["three", "two"]);
  }
});

test("an acknowledged removal stays one for a member whose memcached came back with what it held before", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  await a.bind(at("one"));
  const before = pool.kv;
  // A frozen server goes on; the member that removed the set has not reached it again.
  a.cutOff = true;
  assert.equal(await a.unbind("one"), "removed");
  Object.assign(b, { sees: before, unsettled: true });
  assert.deepEqual(await b.bindings(), []);
});

test("two members write at one moment, and memcached, stopped, takes the one's write when it goes on: the other's binding is found", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  const now = { refreshedAt: pool.clock.now() };
  await a.bind(at("one", now));
  Object.assign(a, { unheard: true, unsettled: true });
  Object.assign(b, { cutOff: true, unsettled: true });
  // The working copy of the one has the same stamp as the row of the other.
  assert.deepEqual(await Promise.all([a.bind(at("two", now)), b.bind(at("three", now))]), [
    "stored",
    "stored",
  ]);
  a.unheard = false;
  b.cutOff = false;
  for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["one", "three", "two"]);
  assert.equal(await a.unbind("three"), "stored");
  assert.deepEqual(await b.bindings(), ["one", "two"]);
  for (const member of [a, b]) member.unsettled = false;
  await pool.clock.advanceAsync(10_000);
  await settled();
  assert.equal(a.store.waiting + b.store.waiting, 0);
  pool.durableUp = false;
  for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["one", "two"]);
});

test("of two members that write past memcached, each unaware of the other, the later one does not clear away what the earlier wrote", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member(shifted(pool.clock, 5))];
  await a.bind(at("one"));
  for (const member of [a, b]) Object.assign(member, { unheard: true, unsettled: true });
  assert.deepEqual(await Promise.all([a.bind(at("two")), b.bind(at("three"))]), ["stored", "stored"]);
  for (const member of [a, b]) member.unheard = false;
  for (const member of [a, b]) assert.deepEqual(await member.bindings(), ["one", "three", "two"]);
  pool.forget();
  assert.deepEqual(await a.bindings(), ["one", "three", "two"]);
});

test("a set removed while memcached was away is not found there when it is back with its old contents", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  pool.workingUp = false;
  assert.equal(await member.unbind("one"), "removed");
  pool.workingUp = true;
  await pool.clock.advanceAsync(1_000);
  await settled();
  assert.deepEqual(await member.bindings(), []);
});

test("durable-writes preferred: registered users are served while the rows are away, changes are counted and written later", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  await a.bind(at("one"));
  await a.bind(at("two"));
  pool.durableUp = false;
  assert.equal(await a.bind(at("three")), "stored");
  assert.equal(await a.unbind("one"), "stored");
  assert.deepEqual(a.counted, ["deferred", "deferred"]);
  assert.match(a.store.problems.durable ?? "", /gone/);
  assert.deepEqual(await b.bindings(), ["three", "two"]);
  assert.equal(a.store.waiting, 1);
  pool.durableUp = true;
  await pool.clock.advanceAsync(2_000);
  await settled();
  assert.equal(a.store.waiting, 0);
  assert.equal(a.counted.at(-1), "settled");
  pool.forget();
  assert.deepEqual(await b.bindings(), ["three", "two"]);
});

test("the member that knew what the rows lack dies: the next change of the set writes all of it", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  for (const key of ["one", "two"]) await a.bind(at(key));
  pool.durableUp = false;
  await a.bind(at("three"));
  await a.unbind("one");
  a.store.stop();
  pool.durableUp = true;
  assert.equal(await b.bind(at("two", { cseq: 8 })), "stored");
  pool.forget();
  assert.deepEqual(await b.bindings(), ["three", "two"]);
});

test("the first failure is noted in the working copy too", async (t) => {
  const pool = new Pool(t);
  const [a, b] = [pool.member(), pool.member()];
  for (const key of ["one", "two"]) await a.bind(at(key));
  pool.durableUp = false;
  await a.unbind("one");
  a.livesFor = 0;
  pool.durableUp = true;
  await b.bind(at("three"));
  pool.forget();
  assert.deepEqual(await b.bindings(), ["three", "two"]);
});

test("with all of memcached emptied and the rows away a REGISTER is taken for new, and joins what the rows have later", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  pool.forget();
  pool.durableUp = false;
  // Nobody is routed by what is not known.
  assert.deepEqual(await member.store.find(ALICE), { kind: "unavailable", unknown: true });
  assert.equal(await member.bind(at("two")), "stored");
  assert.deepEqual(await member.bindings(), ["two"]);
  pool.durableUp = true;
  await pool.clock.advanceAsync(2_000);
  await settled();
  assert.deepEqual(await member.bindings(), ["one", "two"]);
  pool.forget();
  assert.deepEqual(await member.bindings(), ["one", "two"]);
});

test("durable-writes required: nothing is acknowledged that is not durable", async (t) => {
  const pool = new Pool(t, "required");
  const member = pool.member();
  await member.bind(at("one"));
  pool.durableUp = false;
  for (let i = 0; i < 5; i++) assert.equal(await member.bind(at("two")), "unavailable");
  assert.deepEqual(await member.store.confirm(ALICE), "unavailable");
  assert.deepEqual(await member.bindings().then((keys) => keys?.includes("one")), true);
  assert.ok(member.counted.every((one) => one === "refused"));
  pool.forget();
  assert.deepEqual(await member.store.find(ALICE), { kind: "unavailable", elsewhere: true });
  pool.durableUp = true;
  await pool.clock.advanceAsync(2_000);
  assert.equal(await member.bind(at("two")), "stored");
});

test("both stores away is unavailable, and both come back", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  pool.durableUp = false;
  pool.workingUp = false;
  assert.deepEqual(await member.store.find(ALICE), { kind: "unavailable", elsewhere: true });
  assert.equal(await member.bind(at("two")), "unavailable");
  pool.durableUp = true;
  pool.workingUp = true;
  await pool.clock.advanceAsync(1_000);
  assert.deepEqual(await member.bindings(), ["one"]);
});

test("a member whose clock is an hour ahead or behind overwrites nothing newer, and nothing of others is lost after it", async (t) => {
  for (const off of [3_600_000, -3_600_000]) {
    const pool = new Pool(t);
    const good = pool.member();
    const bad = pool.member(shifted(pool.clock, off));
    await good.bind(at("one", { cseq: 1 }));
    await bad.bind(at("two", { cseq: 1 }));
    await good.bind(at("two", { cseq: 2 }));
    await bad.bind(at("one", { cseq: 2 }));
    await good.unbind("one");
    pool.forget();
    assert.deepEqual(await good.bindings(), ["two"], `${off}`);
    const found = await good.store.find(ALICE);
    assert.equal(found.kind === "found" && found.registration.bindings[0]?.cseq, 2);
    // Also over a removal that bears the stamp of the wrong clock.
    assert.equal(await bad.unbind("two"), "removed");
    pool.forget();
    assert.equal(await good.bind(at("three")), "stored");
    pool.forget();
    assert.deepEqual(await good.bindings(), ["three"], `${off}`);
  }
});

test("a registration is in the calendar before it is anywhere else, and so is the next lapse of a shorter one", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  const due = async (time: number): Promise<readonly number[]> => {
    const read = await pool.calendar.entries(minuteOf(time), shardOf(ALICE));
    return read.kind === "found" ? read.entries.map(({ at }) => at) : [];
  };
  const hour = pool.clock.now() + 3_600_000;
  await member.bind(at("one", { expiresAt: hour }));
  assert.ok(member.operations.indexOf("add to calendar") < member.operations.lastIndexOf("put registration"));
  assert.deepEqual(await due(hour), [hour]);
  const minute = pool.clock.now() + 60_000;
  await member.bind(at("two", { expiresAt: minute }));
  assert.deepEqual(await due(minute), [minute]);
});

test("a value of a later release in a row is not overwritten and routes nobody", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  const stamp = Date.now() * 1000;
  const puts = [{ item: "head", value: Buffer.from('{"v":2}\n<x/>'), ttlSeconds: 60 }];
  await pool.rows.write([{ partition: ALICE, stamp, puts, removes: [], clearedTo: undefined }]);
  pool.forget();
  assert.deepEqual(await member.store.find(ALICE), { kind: "unavailable", newer: true });
  assert.equal(await member.bind(at("two")), "unavailable");
});

test("rubbish in the working copy is left there; the rows serve meanwhile", async (t) => {
  const pool = new Pool(t);
  const member = pool.member();
  await member.bind(at("one"));
  const read = await pool.kv.get("registration", ALICE);
  assert.ok(read.kind === "found");
  const rubbish = Buffer.from([0xff, 0, 0x7b]);
  await pool.kv.put("registration", ALICE, rubbish, { ifVersion: read.version, ttlSeconds: 60 });
  assert.deepEqual(await member.bindings(), ["one"]);
  assert.equal(await member.bind(at("two")), "stored");
  assert.deepEqual(await member.bindings(), ["one", "two"]);
  const after = await pool.kv.get("registration", ALICE);
  assert.deepEqual(after.kind === "found" && Buffer.from(after.value), rubbish);
});

/** Runs a change by a member that dies after n operations, for every n, then looks at what another member makes of it. */
async function dyingAt(
  t: TestContext,
  look: (n: number, pool: Pool, acknowledged: boolean) => Promise<void>,
  change: (member: Member) => Promise<string>,
): Promise<void> {
  for (let n = 0; ; n++) {
    const pool = new Pool(t);
    const first = pool.member();
    await first.bind(at("one"));
    const dying = pool.member();
    dying.livesFor = n;
    let outcome = "";
    void change(dying).then((result) => {
      outcome = result;
    });
    await settled();
    await look(n, pool, outcome !== "");
    if (outcome !== "") return void assert.ok(n > 2, "the change has steps to die at");
  }
}

test("a member dies at any step of adding a binding: it is all there or a retry makes it so; nothing else is lost", async (t) => {
  await dyingAt(
    t,
    async (n, pool, acknowledged) => {
      const other = pool.member();
      const before = await other.bindings();
      assert.ok(before?.includes("one"), `step ${n}`);
      if (!acknowledged) {
        // The registrar finds the effect there and only confirms it, or does it again.
        if (before?.includes("two")) assert.equal(await other.store.confirm(ALICE), "stored");
        else assert.equal(await other.bind(at("two")), "stored");
      }
      pool.forget();
      assert.deepEqual(await other.bindings(), ["one", "two"], `step ${n}`);
      assert.deepEqual(await other.bindings(ALIAS), ["one", "two"], `step ${n}`);
    },
    (member) => member.bind(at("two")),
  );
});

test("a member dies at any step of removing a set: after the retry it is gone for good", async (t) => {
  await dyingAt(
    t,
    async (n, pool, acknowledged) => {
      const other = pool.member();
      if (!acknowledged) {
        const left = await other.bindings();
        if (left?.includes("one")) await other.unbind("one");
        else assert.equal(await other.store.confirm(ALICE), "stored");
      }
      pool.forget();
      assert.deepEqual(await other.bindings(), [], `step ${n}`);
    },
    (member) => member.unbind("one"),
  );
});

test("a member dies at any step of a first registration: another REGISTER of the UE, whatever its CSeq, makes the rows whole", async (t) => {
  for (let n = 0; n < 12; n++) {
    const pool = new Pool(t);
    const dying = pool.member();
    dying.livesFor = n;
    void dying.bind(at("one"));
    await settled();
    const other = pool.member();
    assert.equal(await other.bind(at("one", { cseq: 9 })), "stored", `step ${n}`);
    pool.forget();
    assert.deepEqual(await other.bindings(), ["one"], `step ${n}`);
    assert.deepEqual(await other.bindings(ALIAS), ["one"], `step ${n}`);
  }
});
