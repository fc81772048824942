import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sqliteStore } from "@ims/store";
import { Accounts } from "../../src/accounts/accounts.ts";
import { PASSWORD, request, sessionOf, startEllis } from "../support/ellis-under-test.ts";

const ALICE = "alice@example.com";

test("an account is made with the sign-up code, as JSON or as a form; who has none is refused", async (t) => {
  const { ask, signupCode } = await startEllis(t);
  const alice = { email: "Alice@Example.com", password: PASSWORD, full_name: "Alice" };
  const headers = { "ngv-signup-code": signupCode };
  for (const wrong of [{}, { headers: { "ngv-signup-code": "guess" } }]) {
    const refused = await ask("POST", "/accounts", { json: alice, ...wrong });
    assert.deepEqual(refused.json, {
      ...{ error: true, status: 403, message: "Forbidden", reason: "Missing signup code", detail: {} },
    });
  }
  const made = await ask("POST", "/accounts", { json: alice, headers });
  assert.equal(made.status, 201);
  assert.deepEqual(made.json, { username: ALICE, full_name: "Alice" });
  const form = { email: "bob@example.com", password: PASSWORD, full_name: "Bob", signup_code: signupCode };
  assert.equal((await ask("POST", "/accounts/", { form: { ...form, username: "Bob" } })).status, 201);
  assert.equal((await ask("POST", "/accounts", { json: { ...alice, email: ALICE }, headers })).status, 409);
  for (const [json, reason] of [
    [{ ...alice, email: "c@example.com", password: "short" }, /password: at least 6/],
    [{ ...alice, email: "nobody" }, /no e-mail address/],
    [{ ...alice, email: "a@example.com\r\nBcc: x@example.com" }, /no e-mail address/],
    [{ email: "c@example.com", password: PASSWORD }, /full_name/],
    [{ ...alice, email: "c@example.com", expires: "soon" }, /expires/],
  ] as const) {
    const refused = await ask("POST", "/accounts", { json, headers });
    assert.equal(refused.status, 400);
    assert.match(String(refused.json["reason"]), reason);
  }
});

test("a session is a signed cookie, good at every ellis of the pool, until it is over or the account is", async (t) => {
  const { ask, signUp, another, clock } = await startEllis(t, { sessionHours: 2 });
  const session = await signUp(ALICE);
  await signUp("bob@example.com");
  assert.equal((await ask("POST", "/session", { form: { email: ALICE, password: "wrong" } })).status, 403);
  const login = await ask("POST", "/session", { form: { username: ALICE, password: PASSWORD } });
  assert.equal(login.status, 201);
  assert.match(
    login.headers.get("set-cookie") ?? "",
    /^username=[^;]+; Path=\/; Max-Age=7200; HttpOnly; SameSite=Lax$/,
  );
  assert.deepEqual((await ask("GET", "/session", { session })).json, {
    username: ALICE,
    full_name: "Somebody",
  });
  const numbers = `/accounts/${ALICE}/numbers`;
  assert.equal((await ask("GET", numbers, { session })).status, 200);
  assert.equal((await request(`${await another()}${numbers}`, "GET", { session })).status, 200);
  assert.equal((await ask("GET", numbers)).status, 403);
  assert.equal((await ask("GET", "/accounts/bob@example.com/numbers", { session })).status, 403);
  const [name = "", value = ""] = session.split("=");
  const [email, id, until, generation, mac = ""] = value.split(".");
  const bob = Buffer.from("bob@example.com").toString("base64url");
  for (const forged of [
    [email, id, Number(until) + 1, generation, mac],
    [bob, id, until, generation, mac],
    [email, `${id?.slice(0, -1)}${id?.endsWith("A") ? "B" : "A"}`, until, generation, mac],
    [email, id, until, "A".repeat(22), mac],
    [email, id, until, generation, `${mac.slice(0, -2)}AA`],
    ["x"],
  ].map((parts) => parts.join(".")))
    assert.equal((await ask("GET", numbers, { session: `${name}=${forged}` })).status, 403);
  assert.match(sessionOf(await ask("DELETE", "/session", { session })), /^username=$/);
  const later = await signUp("carol@example.com");
  clock.advance(2 * 3_600_000);
  assert.equal((await ask("GET", "/session", { session: later })).status, 403);
});

test("who logs out ends that session: a copy of its cookie is good at no ellis of the pool, other sessions go on", async (t) => {
  const { ask, signUp, another, clock, stateDir } = await startEllis(t);
  const other = await signUp(ALICE);
  const login = async () =>
    sessionOf(await ask("POST", "/session", { form: { email: ALICE, password: PASSWORD } }));
  const session = await login();
  const elsewhere = await another();
  const statusOf = async (cookie: string) =>
    Promise.all([
      ask("GET", "/session", { session: cookie }).then(({ status }) => status),
      request(`${elsewhere}/session`, "GET", { session: cookie }).then(({ status }) => status),
    ]);
  assert.deepEqual(await statusOf(session), [200, 200]);
  assert.equal((await request(`${elsewhere}/session`, "DELETE", { session })).status, 204);
  assert.deepEqual(await statusOf(session), [403, 403]);
  assert.deepEqual(await statusOf(other), [200, 200]);
  // Once more is no fault; nor is the end of what is no session.
  for (const cookie of [session, "username=x", ""])
    assert.equal((await ask("DELETE", "/session", { session: cookie })).status, 204);
  // Sessions that have run out need not be remembered.
  clock.advance(25 * 3_600_000);
  const last = await login();
  assert.equal((await ask("DELETE", "/session", { session: last })).status, 204);
  assert.deepEqual(await statusOf(last), [403, 403]);
  const store = sqliteStore({ path: join(stateDir, "ellis.db"), clock, busyTimeoutMs: 100 });
  t.after(() => store.close());
  const account = await new Accounts(store).get(ALICE);
  assert.equal(typeof account === "object" ? account.endedSessions.length : account, 1);
});

test("a logout that cannot be written is not said to be done, and may be asked for again", async (t) => {
  const { ask, signUp, stateDir } = await startEllis(t);
  const session = await signUp(ALICE);
  const lock = new DatabaseSync(join(stateDir, "ellis.db"));
  t.after(() => lock.close());
  lock.exec("BEGIN EXCLUSIVE");
  const refused = await ask("DELETE", "/session", { session });
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.has("retry-after"));
  assert.equal(refused.headers.has("set-cookie"), false);
  lock.exec("ROLLBACK");
  assert.equal((await ask("DELETE", "/session", { session })).status, 204);
  assert.equal((await ask("GET", "/session", { session })).status, 403);
});

test("an operator with the key does what any user may; another key does nothing", async (t) => {
  const { ask, signUp, key } = await startEllis(t);
  await signUp(ALICE);
  assert.equal((await ask("GET", `/accounts/${ALICE}/numbers`, { key })).status, 200);
  assert.equal((await ask("GET", `/accounts/${ALICE}/numbers`, { key: "guess" })).status, 403);
  assert.equal((await ask("GET", "/accounts/nobody@example.com/numbers", { key })).status, 404);
  assert.equal((await ask("DELETE", `/accounts/${ALICE}`, { key })).status, 204);
  assert.equal((await ask("DELETE", `/accounts/${ALICE}`, { key })).status, 404);
});

test("guessing a password ends after ten tries, for that user from that address", async (t) => {
  const { ask, signUp, clock } = await startEllis(t);
  await signUp(ALICE);
  await signUp("bob@example.com");
  const login = (email: string, password: string) => ask("POST", "/session", { json: { email, password } });
  for (let guess = 0; guess < 10; guess++) assert.equal((await login(ALICE, `guess${guess}`)).status, 403);
  const blocked = await login(ALICE, PASSWORD);
  assert.equal(blocked.status, 429);
  assert.equal(blocked.headers.get("retry-after"), "60");
  assert.equal((await login("bob@example.com", PASSWORD)).status, 201);
  clock.advance(60_000);
  assert.equal((await login(ALICE, PASSWORD)).status, 201);
});

test("guesses that come at the same time count one by one; right passwords do not count", async (t) => {
  const { ask, signUp } = await startEllis(t);
  await signUp(ALICE);
  const login = (password: string) => ask("POST", "/session", { json: { email: ALICE, password } });
  for (let time = 0; time < 12; time++) assert.equal((await login(PASSWORD)).status, 201);
  const answers = await Promise.all(Array.from({ length: 30 }, (_, guess) => login(`guess${guess}`)));
  assert.equal(answers.filter(({ status }) => status === 403).length, 10);
  assert.equal(answers.filter(({ status }) => status === 429).length, 20);
});

test("whoever asks for mails to everybody takes them from nobody", async (t) => {
  const { ask } = await startEllis(t, { mailProgram: "/bin/true", trustedProxies: ["127.0.0.1"] });
  const recover = (email: string, address: string) =>
    ask("POST", `/accounts/${email}/password`, { headers: { "x-forwarded-for": address } });
  for (let time = 0; time < 40; time++) {
    const { status } = await recover(`nobody${time}@example.com`, "192.0.2.1");
    assert.equal(status, time < 10 ? 200 : 503);
  }
  assert.equal((await recover(ALICE, "192.0.2.2")).status, 200);
});

test("guessing sign-up codes and keys ends too", async (t) => {
  const { ask, signupCode, key } = await startEllis(t);
  for (let guess = 0; guess < 60; guess++) await ask("GET", "/number-ranges", { key: `guess${guess}` });
  assert.equal((await ask("GET", "/number-ranges", { key })).status, 429);
  const headers = { "ngv-signup-code": signupCode };
  assert.equal((await ask("POST", "/accounts", { json: {}, headers })).status, 429);
});

test("pages of other sites change nothing, whatever cookie comes with them; our own and allowed ones do", async (t) => {
  const { ask, signUp, url } = await startEllis(t, { allowedOrigins: ["https://portal.example.com"] });
  const session = await signUp(ALICE);
  const list = (headers: Record<string, string>) =>
    ask("POST", `/accounts/${ALICE}/numbers`, { session, form: {}, headers });
  const foreign: readonly Record<string, string>[] = [
    { origin: "https://evil.example.net" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) assert.equal((await list(headers)).status, 403);
  assert.equal((await list({ origin: url })).status, 200);
  assert.equal((await list({ origin: "https://portal.example.com" })).status, 200);
  assert.equal((await ask("GET", "/session", { session, headers: foreign[0] ?? {} })).status, 200);
});

test("a forgotten password is set with the token of a mail, once; sessions of before are over", async (t) => {
  const directory = (await startEllis(t)).stateDir;
  const [program, mails] = [join(directory, "sendmail"), join(directory, "mails")];
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$*" = "-t -i" ] || exit 1\ncat > "${mails}.part"; mv "${mails}.part" "${mails}"\n`,
  );
  chmodSync(program, 0o700);
  const { ask, signUp, staff, clock } = await startEllis(t, {
    mailProgram: program,
    portalUrl: "https://portal.example.com/reset",
  });
  const session = await signUp(ALICE);
  const path = `/accounts/${ALICE}/password`;
  const asked = await ask("POST", path);
  assert.equal(asked.status, 200);
  const mail = await fileOnceThere(mails);
  assert.match(mail, /^From: ellis@example\.com\r\nTo: alice@example\.com\r\nSubject: /);
  const text = Buffer.from(mail.split("\r\n\r\n")[1] ?? "", "base64").toString();
  const [, token = ""] = /give this code within an hour:\n([A-Za-z0-9_-]{32})\n/.exec(text) ?? [];
  assert.ok(text.includes(`https://portal.example.com/reset?email=alice%40example.com&token=${token}`));
  // Nobody learns whether somebody has an account.
  const unknown = await ask("POST", "/accounts/nobody@example.com/password");
  assert.deepEqual([unknown.status, unknown.text], [asked.status, asked.text]);

  const set = (recovery: string, body: string) =>
    ask("POST", path, {
      body,
      headers: { "ngv-recovery-token": recovery, "content-type": "text/plain" },
    });
  assert.equal((await set("x".repeat(32), "new password")).status, 422);
  assert.equal((await set(token, "short")).status, 400);
  assert.equal((await set(token, "new password")).status, 200);
  assert.equal((await set(token, "other password")).status, 422);
  assert.equal((await ask("GET", "/session", { session })).status, 403);
  assert.equal(
    (await ask("POST", "/session", { json: { email: ALICE, password: "new password" } })).status,
    201,
  );

  // Three mails an hour; each of them is good, whoever asked for more.
  const tokenOnceThere = async (): Promise<string> => {
    const text = Buffer.from((await fileOnceThere(mails)).split("\r\n\r\n")[1] ?? "", "base64").toString();
    rmSync(mails);
    return /within an hour:\n([A-Za-z0-9_-]{32})\n/.exec(text)?.[1] ?? "";
  };
  rmSync(mails);
  assert.equal((await ask("POST", path)).status, 200);
  const [second] = [await tokenOnceThere()];
  assert.equal((await ask("POST", path)).status, 200);
  await tokenOnceThere();
  const throttled = await ask("POST", path);
  assert.deepEqual([throttled.status, throttled.headers.get("retry-after")], [503, "1200"]);
  assert.equal((await set(second, "second password")).status, 200);
  clock.advance(1_200_000);
  assert.equal((await ask("POST", path)).status, 200);
  const late = await tokenOnceThere();
  clock.advance(3_600_001);
  assert.equal((await set(late, "too late now")).status, 422);

  // Staff recover theirs by the rule for staff; a refused one leaves the token good.
  await staff("viewer", "vera@example.com");
  assert.equal((await ask("POST", "/accounts/vera@example.com/password")).status, 200);
  const headers = { "ngv-recovery-token": await tokenOnceThere(), "content-type": "text/plain" };
  const ofVera = (body: string) => ask("POST", "/accounts/vera@example.com/password", { body, headers });
  assert.equal((await ofVera("elevenchars")).status, 400);
  assert.equal((await ofVera("twelve chars and more")).status, 200);
});

test("without a mail program it is said that passwords are not recovered here", async (t) => {
  const { ask } = await startEllis(t);
  assert.equal((await ask("POST", `/accounts/${ALICE}/password`)).status, 501);
});

test("a form goes on to the page it names, on this site only", async (t) => {
  const { ask, signupCode } = await startEllis(t);
  const form = { email: ALICE, password: PASSWORD, full_name: "Alice", signup_code: signupCode };
  const to = (success: string, failure = "/signup.html") =>
    `/accounts?${new URLSearchParams({ onsuccess: success, onfailure: failure })}`;
  const wrong = await ask("POST", to("/"), { form: { ...form, signup_code: "guess" } });
  assert.equal(wrong.status, 302);
  assert.match(
    wrong.headers.get("location") ?? "",
    /^\/signup\.html\?error=true&status=403&message=Forbidden/,
  );
  const made = await ask("POST", to("/index.html?x=1#top"), { form });
  assert.equal(made.status, 302);
  assert.match(made.headers.get("location") ?? "", /^\/index\.html\?x=1&success=true&status=201.*#top$/);
  assert.match(sessionOf(made), /^username=.+/);
  for (const elsewhere of ["//evil.example.net/", "https://evil.example.net/", "/\\evil.example.net"])
    assert.equal((await ask("POST", to(elsewhere, elsewhere), { form })).status, 409);
});

test("what is no request is refused with what is wrong, and serves the next one", async (t) => {
  const { ask, signUp } = await startEllis(t);
  const headers = { "content-type": "application/json" };
  for (const [body, status, more] of [
    ["{", 400, headers],
    ["[]", 400, headers],
    [`${"[".repeat(30_000)}${"]".repeat(30_000)}`, 400, headers],
    ['{"email":{"a":1}}', 400, headers],
    ['{"__proto__":{"email":"x"}}', 400, headers],
    [new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 400, headers],
    ["a".repeat(70_000), 413, headers],
    ["<a/>", 415, { "content-type": "application/xml" }],
    [new TextEncoder().encode("email=a"), 400, {}],
    [new TextEncoder().encode("email=a&password=b"), 403, {}],
  ] as const) {
    const refused = await ask("POST", "/session", { body, headers: more });
    assert.equal(refused.status, status, String(body).slice(0, 40));
    assert.equal(refused.json["error"], true);
  }
  assert.equal((await ask("GET", "/nothing")).status, 404);
  assert.equal((await ask("GET", `/accounts/%ff/numbers`)).status, 400);
  assert.equal((await ask("GET", "/ping")).text, "OK");
  assert.ok(await signUp(ALICE));
});

test("no secret is in a log, and requests are counted by what became of them", async (t) => {
  const { ask, signUp, log, key, signupCode, homestead, metrics } = await startEllis(t);
  const session = await signUp(ALICE, "very secret password");
  const number = await ask("POST", `/accounts/${ALICE}/numbers`, { session });
  homestead.behave("resets");
  await ask("POST", `/accounts/${ALICE}/numbers`, { session });
  await ask("POST", "/session", { json: { email: ALICE, password: "wrong guess" } });
  await ask("GET", "/number-ranges", { key });
  const written = JSON.stringify(log.lines);
  assert.ok(log.lines.length > 2);
  for (const secret of [
    "very secret password",
    "wrong guess",
    key,
    signupCode,
    session.split("=")[1] ?? "",
    String(number.json["sip_password"]),
  ])
    assert.ok(secret.length > 5 && !written.includes(secret), secret);
  assert.match(await metrics(), /ims_ellis_requests_total\{outcome="failed",resource="numbers"\} 1/);
  assert.match(await metrics(), /ims_ellis_requests_total\{outcome="served",resource="accounts"\} 1/);
});

async function fileOnceThere(file: string): Promise<string> {
  for (let turn = 0; turn < 500; turn++) {
    if (existsSync(file)) return readFileSync(file, "utf8");
    await delay(10);
  }
  return assert.fail(`${file} is not there`);
}
