import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startEllis } from "../support/ellis-under-test.ts";

const ALICE = "alice@example.com";
const SECRET = "shared with coturn, long";
const URIS = ["turn:192.0.2.7:3478?transport=udp", "turn:192.0.2.7:3478?transport=tcp"];

function withTurn(t: TestContext, secret = `${SECRET}\n`) {
  const folder = mkdtempSync(join(tmpdir(), "turn-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), secret, { mode: 0o600 });
  return startEllis(t, { turnUris: URIS, turnSecretFile: join(folder, "secret"), turnCredentialHours: 2 });
}

test("who is logged in is given credentials for TURN that end; who is not gets none", async (t) => {
  const { ask, signUp, key, clock, log } = await withTurn(t);
  assert.equal((await ask("GET", "/turn-credentials")).status, 403);
  assert.equal((await ask("GET", "/turn-credentials", { key: "guess" })).status, 403);
  const session = await signUp(ALICE);
  const given = await ask("GET", "/turn-credentials?service=turn", { session });
  assert.equal(given.status, 200);
  assert.equal(given.headers.get("cache-control"), "no-store");
  const { username, password, ttl, uris } = given.json;
  const [expires, user = ""] = String(username).split(":");
  assert.equal(Number(expires), Math.floor(clock.now() / 1000) + Number(ttl));
  assert.ok(Number(ttl) > 7200 && Number(ttl) <= 7500);
  // It passes in clear, and the TURN server logs it.
  assert.match(user, /^[0-9a-f]{16}$/);
  assert.equal(password, createHmac("sha1", SECRET).update(String(username)).digest("base64"));
  assert.deepEqual(uris, URIS);
  const bob = await ask("GET", "/turn-credentials", { session: await signUp("bob@example.com") });
  assert.notEqual(String(bob.json["username"]).split(":")[1], user);
  const operator = await ask("GET", "/turn-credentials", { key });
  assert.match(String(operator.json["username"]), /^[0-9]+:operator$/);
  assert.ok(!JSON.stringify(log.lines).includes(SECRET));
  assert.ok(!JSON.stringify(log.lines).includes(String(password)));
});

test("credentials for TURN are given thirty times a minute to a user, which takes none from others", async (t) => {
  const { ask, signUp, clock } = await withTurn(t);
  const [alice, bob] = [await signUp(ALICE), await signUp("bob@example.com")];
  for (let time = 0; time < 30; time++)
    assert.equal((await ask("GET", "/turn-credentials", { session: alice })).status, 200);
  const refused = await ask("GET", "/turn-credentials", { session: alice });
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "60"]);
  assert.equal((await ask("GET", "/turn-credentials", { session: bob })).status, 200);
  clock.advance(60_000);
  assert.equal((await ask("GET", "/turn-credentials", { session: alice })).status, 200);
});

test("without a TURN server there are no credentials; half of its options, or a short secret, and ellis does not start", async (t) => {
  const { ask, signUp } = await startEllis(t);
  const answer = await ask("GET", "/turn-credentials", { session: await signUp(ALICE) });
  assert.deepEqual([answer.status, answer.json["reason"]], [404, "There is no TURN server here"]);
  await assert.rejects(startEllis(t, { turnUris: URIS }), /--turn-uris goes with --turn-secret-file/);
  await assert.rejects(withTurn(t, "short\n"), /--turn-secret-file .*at least 22 characters/);
  await assert.rejects(
    startEllis(t, { turnUris: URIS, turnSecretFile: "/nonexistent/secret" }),
    /--turn-secret-file .*cannot be read/,
  );
});
