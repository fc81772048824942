import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { memoryStore } from "@ims/store";
import type { Account } from "../../src/accounts/account.ts";
import { Accounts } from "../../src/accounts/accounts.ts";
import { Expiry } from "../../src/accounts/expiry.ts";

const DAY_MS = 86_400_000;

test("an account made for some days goes with its numbers, later if they cannot be taken back yet", async () => {
  const clock = fakeClock();
  const accounts = new Accounts(memoryStore({ clock }));
  const account = (email: string, expiresAt?: number): Account => ({
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
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  const end = clock.now() + 7 * DAY_MS;
  assert.equal(await accounts.create(account("demo@example.com", end)), "created");
  assert.equal(await accounts.create(account("stays@example.com")), "created");
  let away = true;
  const asked: string[] = [];
  const expiry = new Expiry({
    ...{ accounts, clock, log: memoryLogger("silent") },
    numbers: {
      removeAll: async ({ email }) => {
        asked.push(email);
        return away ? { kind: "refused", status: 502, reason: "homestead is away" } : { kind: "removed" };
      },
    },
  });
  const isThere = async (email: string): Promise<boolean> => (await accounts.get(email)) !== undefined;
  await expiry.sweep();
  assert.deepEqual(asked, []);
  clock.advance(7 * DAY_MS + 1);
  await expiry.sweep();
  assert.equal(await isThere("demo@example.com"), true);
  away = false;
  await expiry.sweep();
  await expiry.sweep();
  assert.deepEqual(asked, ["demo@example.com", "demo@example.com"]);
  assert.equal(await isThere("demo@example.com"), false);
  assert.equal(await isThere("stays@example.com"), true);
  await expiry.stop();
});
