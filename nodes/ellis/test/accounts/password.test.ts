import assert from "node:assert/strict";
import { test } from "node:test";
import { BUSY, Passwords } from "../../src/accounts/password.ts";

test("RFC 7914: a password is kept as a salted scrypt key, and known again whatever the cost is today", async () => {
  const passwords = new Passwords(12);
  const [one, other] = [await passwords.hash("geheim"), await passwords.hash("geheim")];
  assert.match(one, /^scrypt:4096:8:3:[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{43}$/);
  assert.notEqual(one, other);
  assert.equal(await new Passwords(13).matches("geheim", one), true);
  assert.equal(await passwords.matches("Geheim", one), false);
  assert.equal(await passwords.matches("geheim", undefined), false);
});

test("whether somebody is there, or was hashed at a lower cost, is not told by the work that a guess takes", async () => {
  const worked = async (hashed: string | undefined): Promise<number> => {
    let work = 0;
    const passwords = new Passwords(15, async (_, __, { N, r, p }) => {
      work += N * r * p;
      return Buffer.alloc(32, 1);
    });
    assert.equal(await passwords.matches("a guess", hashed), false);
    return work;
  };
  const at = async (logN: number) => {
    const hashed = await new Passwords(logN).hash("geheim");
    assert.ok(hashed !== BUSY);
    return hashed;
  };
  const nobody = await worked(undefined);
  for (const logN of [12, 13, 15]) assert.equal(await worked(await at(logN)), nobody, String(logN));
  const today = new Passwords(13);
  assert.deepEqual(
    [today.isOutdated(await at(12)), today.isOutdated(await at(13)), today.isOutdated(await at(14))],
    [true, false, true],
  );
});

test("the same password in another Unicode form is the same password", async () => {
  const passwords = new Passwords(12);
  assert.equal(await passwords.matches("cafe\u0301", await passwords.hash("caf\u00e9")), true);
});

test("a flood of guesses costs a bounded number of hashes at a time; the rest hears so at once", async () => {
  const passwords = new Passwords(12);
  const results = await Promise.all(Array.from({ length: 100 }, () => passwords.hash("x")));
  assert.equal(results.filter((each) => each !== BUSY).length, 34);
  assert.notEqual(await passwords.hash("x"), BUSY);
});
