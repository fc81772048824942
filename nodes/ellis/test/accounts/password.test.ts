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
