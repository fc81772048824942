import assert from "node:assert/strict";
import { test } from "node:test";
import type { Account } from "../../src/accounts/account.ts";
import { holds, newSessions, Sessions, withoutSession } from "../../src/accounts/session.ts";

const HOUR_MS = 3_600_000;

function account(): Account {
  return {
    ...{ email: "alice@example.com", fullName: "", password: "", createdAt: 0, revision: 0 },
    ...{ ...newSessions(), recoveries: [], numbers: [] },
  };
}

test("of ended sessions a bounded number is remembered; with more all sessions of the account end", () => {
  const sessions = new Sessions("the key of the pool");
  let alice = account();
  const claimOf = (now: number) => {
    const claim = sessions.read(sessions.seal(alice, now + HOUR_MS), now);
    assert.ok(claim !== undefined);
    return claim;
  };
  const stays = claimOf(0);
  for (let at = 0; at < 64; at++) {
    const claim = claimOf(0);
    alice = withoutSession(alice, claim, 0);
    assert.equal(holds(claim, alice), false);
  }
  assert.equal(holds(stays, alice), true);
  assert.equal(alice.endedSessions.length, 64);
  const full = withoutSession(alice, claimOf(0), 0);
  assert.equal(holds(stays, full), false);
  assert.deepEqual(full.endedSessions, []);
  // What has run out makes room.
  const later = claimOf(HOUR_MS);
  assert.deepEqual(withoutSession(alice, later, HOUR_MS).endedSessions, [
    { id: later.id, until: later.until },
  ]);
});

test("a cookie of another pool, or one that is over, says nothing", () => {
  const sessions = new Sessions("the key of the pool");
  const cookie = sessions.seal(account(), HOUR_MS);
  assert.equal(sessions.read(cookie, 0)?.email, "alice@example.com");
  assert.equal(sessions.read(cookie, HOUR_MS), undefined);
  assert.equal(new Sessions("another key").read(cookie, 0), undefined);
  for (const value of ["", "x", `${cookie}x`, cookie.replace(/^./, "*")])
    assert.equal(sessions.read(value, 0), undefined);
});
