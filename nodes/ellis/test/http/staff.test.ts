import assert from "node:assert/strict";
import { test } from "node:test";
import { startEllis } from "../support/ellis-under-test.ts";

const USER = "user@example.com";

test("what is for staff is neither for everybody nor for users", async (t) => {
  const { ask, signUp, key } = await startEllis(t);
  const session = await signUp(USER);
  for (const path of ["/staff/session", "/staff/subscribers"]) {
    assert.equal((await ask("GET", path)).json["reason"], "Log in as staff first");
    const refused = await ask("GET", path, { session });
    assert.equal(refused.status, 403);
    assert.equal(refused.json["reason"], "This is for staff; your account is a user's");
    assert.equal((await ask("GET", path, { key: "guess" })).status, 403);
    assert.equal((await ask("GET", path, { key })).status, 200);
  }
});
