import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { RegistrationListener } from "../../src/scscf/modules.ts";
import type { Bench } from "../support/bench.ts";
import { Members } from "../support/members.ts";

const ALICE = { impi: "alice@example.com", impus: ["sip:alice@example.com"] };

interface World {
  readonly members: Members;
  /** "registered" and "gone" as the listeners of all members heard them. */
  readonly told: string[];
  start(): ReturnType<Members["start"]>;
  /** SAR sent since the last look. */
  assigned(): string[];
}

function world(t: TestContext): World {
  const members = new Members(t);
  members.cx.subscribers.push(ALICE);
  const told: string[] = [];
  const listener: RegistrationListener = {
    registered: (_, initial) => void told.push(initial ? "registered" : "changed"),
    deregistered: () => void told.push("gone"),
  };
  return {
    members,
    told,
    start() {
      const bench = members.start({ listeners: [listener] });
      bench.entities.start();
      return bench;
    },
    assigned: () => members.cx.taken().filter((one) => one.startsWith("SAR")),
  };
}

async function run({ members }: World, seconds: number): Promise<void> {
  for (let s = 0; s < seconds; s++) await members.clock.advanceAsync(1_000);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function register(bench: Bench, expires: number): Promise<void> {
  await bench.registered({ callId: `call-${expires}`, expires });
}

test("TS 24.229 §5.4.1.4: the pool ends what has lapsed, once, to the second, whoever took the REGISTER", async (t) => {
  const w = world(t);
  const [a] = [w.start(), w.start(), w.start()];
  await run(w, 60);
  await register(a, 120);
  assert.deepEqual(w.assigned(), ["SAR REGISTRATION"]);
  await run(w, 119);
  assert.deepEqual(w.assigned(), []);
  await run(w, 3);
  assert.deepEqual(w.assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  await run(w, 600);
  assert.deepEqual(w.assigned(), []);
  assert.deepEqual(w.told, ["registered", "gone"]);
});

test("a registration that is refreshed does not lapse at its old time, and does at its new one", async (t) => {
  const w = world(t);
  const a = w.start();
  await register(a, 120);
  await run(w, 60);
  await register(a, 300);
  w.assigned();
  await run(w, 299);
  assert.deepEqual(w.assigned(), []);
  await run(w, 3);
  assert.deepEqual(w.assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
});

test("the member that took the REGISTER is killed: another ends the registration when it lapses", async (t) => {
  const w = world(t);
  const [a] = [w.start(), w.start()];
  await run(w, 60);
  await register(a, 120);
  w.members.kill(a);
  w.assigned();
  await run(w, 119);
  assert.deepEqual(w.assigned(), []);
  // Its lease of the shard may have to run out first.
  await run(w, 60);
  assert.deepEqual(w.assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  assert.deepEqual(w.told, ["registered", "gone"]);
});

test("all members are killed and every memcached emptied: what lapsed meanwhile is ended when they are back, once", async (t) => {
  const w = world(t);
  const [a, b] = [w.start(), w.start()];
  await run(w, 60);
  await register(a, 120);
  for (const member of [a, b]) w.members.kill(member);
  w.members.forget();
  w.assigned();
  w.members.clock.advance(3 * 3_600_000);
  w.start();
  w.start();
  await run(w, 60);
  assert.deepEqual(w.assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  await run(w, 600);
  assert.deepEqual(w.assigned(), []);
  assert.deepEqual(w.told, ["registered", "gone"]);
});

test("the HSS is away: the lapse is tried again until it hears of it, also when the member dies meanwhile", async (t) => {
  const w = world(t);
  const a = w.start();
  await register(a, 120);
  w.assigned();
  for (let i = 0; i < 4; i++) w.members.cx.next.SAR.push({ kind: "unavailable", cause: "timeout" });
  await run(w, 155);
  assert.deepEqual(new Set(w.assigned()), new Set(["SAR TIMEOUT_DEREGISTRATION"]));
  w.members.kill(a);
  const b = w.start();
  await run(w, 400);
  assert.equal(w.members.cx.servers.get("sip:alice@example.com"), undefined);
  assert.deepEqual(w.told, ["registered", "gone"]);
  await b.entities.stop();
});

test("TS 29.228 §6.1.2: an HSS that goes on answering that it cannot is believed after an hour; one that does not answer never", async (t) => {
  for (const answered of [true, false]) {
    const w = world(t);
    const a = w.start();
    await register(a, 120);
    w.assigned();
    let asked = 0;
    w.members.cx.serverAssignment = async () => {
      asked++;
      return { kind: "unavailable", cause: "no", ...(answered ? { answered } : {}) };
    };
    await run(w, 3_000);
    assert.deepEqual(w.told, ["registered"]);
    assert.ok(asked > 5 && asked < 15, `${asked}`);
    await run(w, 2_000);
    assert.deepEqual(w.told, answered ? ["registered", "gone"] : ["registered"]);
    await a.entities.stop();
  }
});

test("a member dies at any step of ending a registration: another ends it; the listeners hear of it once at most, the HSS twice at most", async (t) => {
  const steps = await dieAt(t, -1);
  assert.ok(steps.length > 8, `${steps}`);
  for (const n of steps) await dieAt(t, n);
});

/** Kills a member at its nth operation of ending a registration; those at which that is worth while, when n is -1. */
async function dieAt(t: TestContext, n: number): Promise<readonly number[]> {
  const w = world(t);
  const a = w.start();
  await run(w, 30);
  await register(a, 70);
  w.assigned();
  await run(w, 68);
  const begun = a.life.operations.length;
  if (n >= 0) a.life.livesFor = begun + n;
  await run(w, 3);
  const steps = a.life.operations
    .slice(begun)
    .flatMap((name, index) => (/^working|^SAR|rows$|^add/.test(name) ? [index] : []));
  const before = w.assigned();
  w.members.kill(a);
  w.start();
  await run(w, 240);
  const after = w.assigned();
  assert.ok([1, 2].includes(before.length + after.length), `step ${n}: ${before}, ${after}`);
  assert.equal(w.members.cx.servers.get("sip:alice@example.com"), undefined);
  const gone = w.told.filter((one) => one === "gone").length;
  assert.ok(gone <= 1, `step ${n}`);
  const rows = await w.members.rows.read("sip:alice@example.com");
  assert.deepEqual(rows.kind === "found" && rows.rows.map(({ item }) => item), ["head"], `step ${n}`);
  return steps;
}

test("who registers again while the HSS is being told of the lapse stays registered there", async (t) => {
  const w = world(t);
  const a = w.start();
  await register(a, 70);
  w.assigned();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const assign = w.members.cx.serverAssignment.bind(w.members.cx);
  w.members.cx.serverAssignment = async (query) => {
    const result = assign(query);
    if (query.type === "TIMEOUT_DEREGISTRATION") await held;
    return result;
  };
  await run(w, 73);
  assert.deepEqual(w.assigned(), ["SAR TIMEOUT_DEREGISTRATION"]);
  await register(a, 600);
  w.members.cx.servers.clear(); // the HSS saw the two the other way round
  release();
  await run(w, 5);
  assert.deepEqual(w.assigned().at(-1), "SAR REGISTRATION");
  assert.notEqual(w.members.cx.servers.get("sip:alice@example.com"), undefined);
  assert.deepEqual(
    w.told.filter((one) => one === "gone"),
    [],
  );
});

test("ten thousand bindings, everything is killed and started again: each is ended when it is due, once", async (t) => {
  const w = world(t);
  const a = w.start();
  const count = 10_000;
  const users = Array.from({ length: count }, (_, i) => ({
    impi: `u${i}@example.com`,
    impus: [`sip:u${i}@example.com`],
  }));
  const ended = new Map<string, number>();
  w.members.cx.serverAssignment = async (query) => {
    const [impu = ""] = query.impus;
    if (query.type === "TIMEOUT_DEREGISTRATION") ended.set(impu, (ended.get(impu) ?? 0) + 1);
    return { kind: "assigned", profileXml: undefined, charging: undefined, impis: [], wildcard: undefined };
  };
  await seed(w, users, 240_000);
  w.members.kill(a);
  w.members.forget();
  await run(w, 60);
  w.start();
  w.start();
  await run(w, 170);
  assert.equal(ended.size, 0);
  await run(w, 90);
  assert.equal(ended.size, count);
  assert.deepEqual(new Set(ended.values()), new Set([1]));
  assert.equal(w.told.filter((one) => one === "gone").length, count);
  await run(w, 240);
  assert.deepEqual(new Set(ended.values()), new Set([1]));
});

/** Registers users through a registration store of its own: what their REGISTERs would leave in the stores. */
async function seed(w: World, users: readonly (typeof ALICE)[], ms: number): Promise<void> {
  const { RegistrationStore } = await import("../../src/store/registration-store.ts");
  const { profileReader } = await import("../../src/profile/profile-reader.ts");
  const { profileXml } = await import("../support/fake-cx.ts");
  const { binding } = await import("../support/pool.ts");
  const { clock, kv, rows, calendar } = w.members;
  const readProfile = profileReader(1);
  const store = new RegistrationStore({
    store: kv,
    clock,
    readProfile,
    durable: { rows, calendar, writes: "preferred" },
  });
  await Promise.all(
    users.map((user) => {
      const xml = profileXml(user);
      const profile = readProfile(xml);
      assert.ok(profile);
      const [impu = ""] = user.impus;
      const one = binding({ impi: user.impi, expiresAt: clock.now() + ms, refreshedAt: clock.now() });
      return store.update(impu, () => ({
        impu,
        state: "registered",
        bindings: [one],
        charging: undefined,
        profileXml: xml,
        profile,
        aliasesUntil: 0,
        heldUntil: 0,
        subscriptions: [],
      }));
    }),
  );
  store.stop();
}
