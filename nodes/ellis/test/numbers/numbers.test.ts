import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { type KvStore, memoryStore, type PutResult } from "@ims/store";
import { type Account, numbersOf } from "../../src/accounts/account.ts";
import { Accounts } from "../../src/accounts/accounts.ts";
import { AddressBook } from "../../src/numbers/address-book.ts";
import { NumberPool } from "../../src/numbers/number-pool.ts";
import { Numbers } from "../../src/numbers/numbers.ts";
import type { AddResult, Provisioning } from "../../src/numbers/provisioning.ts";

const AWAY: PutResult = { kind: "unavailable", cause: new Error("no answer") };

/** Numbers over a store that may be told to lose a write of an account, or only its answer, and a homestead that answers as told. */
async function scene(answers: (() => AddResult)[] = []) {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  /** What becomes of each write of an account from now on; then all is well. */
  const fates: ("done" | "lost" | "answerLost")[] = [];
  const lossy: KvStore = {
    get: (table, key) => store.get(table, key),
    put: async (table, key, value, options) => {
      const fate = table === "ellis-account" ? (fates.shift() ?? "done") : "done";
      if (fate === "lost") return AWAY;
      const result = await store.put(table, key, value, options);
      return fate === "answerLost" ? AWAY : result;
    },
    delete: (table, key, options) => store.delete(table, key, options),
  };
  const accounts = new Accounts(lossy);
  for (const email of ["alice@example.com", "bob@example.com"]) {
    const account: Account = {
      ...{
        email,
        fullName: "",
        password: "",
        sessionKey: "",
        createdAt: 0,
        endedSessions: [],
        recoveries: [],
        numbers: [],
        revision: 0,
      },
    };
    await accounts.create(account);
  }
  const calls: string[] = [];
  const added = (): AddResult => answers.shift()?.() ?? { kind: "added", password: "x" };
  const provisioning = {
    addWithPrivateId: async (impi: string) => {
      calls.push(`add ${impi}`);
      return added();
    },
    remove: async (impi: string) => {
      calls.push(`remove ${impi}`);
      return { kind: "removed" };
    },
  } as unknown as Provisioning;
  const range = { first: "100", count: 1, pstn: false };
  const listOf = async (email: string): Promise<readonly string[]> => {
    const account = await accounts.get(email);
    return typeof account === "object" ? numbersOf(account).map(({ uri }) => uri) : [];
  };
  const pool = new NumberPool([range], { store, clock }, async (owner, number) =>
    (await listOf(owner)).includes(`sip:${number}@example.com`),
  );
  const numbers = new Numbers({
    ...{ accounts, pool, provisioning, addressBook: new AddressBook(store), clock },
    ...{ log: memoryLogger("silent"), homeDomain: "example.com", numbersPerAccount: 5 },
  });
  const take = async (email: string) => {
    const result = await numbers.allocate(email, false, undefined);
    return result.kind === "allocated" ? result.number.uri : result.status;
  };
  return { clock, fates, calls, accounts, numbers, pool, take, listOf };
}

const ALICE = "alice@example.com";
const BOB = "bob@example.com";
const URI = "sip:100@example.com";

test("a number whose account may have it, the store having given no answer, is nobody else's", async () => {
  const { clock, fates, take, listOf, calls, numbers, accounts } = await scene();
  fates.push("done", "answerLost"); // noted; settled, but nobody hears so
  assert.equal(await take(ALICE), 503);
  assert.deepEqual(await listOf(ALICE), [URI]);
  clock.advance(3_600_000);
  assert.equal(await take(BOB), 503);
  assert.deepEqual(calls, ["add 100@example.com"]);
  const account = await accounts.get(ALICE);
  const [number] = typeof account === "object" ? account.numbers : [];
  assert.ok(number !== undefined);
  assert.equal((await numbers.remove(ALICE, number)).kind, "removed");
  assert.equal(await take(BOB), URI);
});

test("a number that its account has not got in the end is given again, after a while", async () => {
  const { clock, fates, take, listOf } = await scene();
  fates.push("done", "lost");
  assert.equal(await take(ALICE), 503);
  assert.deepEqual(await listOf(ALICE), []);
  assert.equal(await take(BOB), 503);
  clock.advance(600_001);
  assert.equal(await take(BOB), URI);
});

test("what homestead says is somebody else's cannot be touched, even by who dies before it is forgotten", async () => {
  const { fates, take, listOf, calls } = await scene([() => ({ kind: "inUse" })]);
  fates.push("done", "lost"); // noted as pending; what takes the note away is lost
  assert.equal(await take(ALICE), 503);
  assert.deepEqual(await listOf(ALICE), []);
  assert.deepEqual(calls, ["add 100@example.com"]);
});

test("an account that goes while it is given a number leaves nothing behind", async () => {
  let goes = async (): Promise<unknown> => undefined;
  const told: (() => AddResult)[] = [];
  const { take, calls, accounts } = await scene(told);
  told.push(() => {
    void goes();
    return { kind: "added", password: "x" };
  });
  goes = () => accounts.remove(ALICE);
  assert.equal(await take(ALICE), 404);
  assert.deepEqual(calls, ["add 100@example.com", "remove 100@example.com"]);
  assert.equal(await take(BOB), URI);
});
