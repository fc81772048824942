import assert from "node:assert/strict";
import { test } from "node:test";
import { ellisOpenApiDocument } from "@ims/api";
import { PASSWORD, sessionOf, startEllis } from "../support/ellis-under-test.ts";

const USER = "user@example.com";
const ROLES = ["viewer", "operator", "administrator"] as const;

/** Operations of the contract that are for staff. */
const operations = Object.entries(
  ellisOpenApiDocument()["paths"] as Record<string, Record<string, { readonly "x-role"?: string }>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { "x-role": role }]) => {
    const least = (ROLES as readonly (string | undefined)[]).indexOf(role);
    return least < 0 ? [] : [{ method: method.toUpperCase(), path: path.replace(/\{[^}]*\}/g, "x"), least }];
  }),
);

test("what is for staff of a role is for nobody with a lesser one, for no user and for nobody without a session", async (t) => {
  const { ask, signUp, staff, clock } = await startEllis(t);
  const user = await signUp(USER);
  const sessions = [await staff("viewer"), await staff("operator"), await staff("administrator")];
  assert.ok(operations.length > 15, String(operations.length));
  for (const { method, path, least } of operations) {
    const about = `${method} ${path}`;
    clock.advance(60_000);
    assert.equal((await ask(method, path)).json["reason"], "Log in as staff first", about);
    const refused = await ask(method, path, { session: user });
    assert.equal(refused.status, 403, about);
    assert.equal(refused.json["reason"], "This is for staff; your account is a user's", about);
    assert.equal((await ask(method, path, { key: "guess" })).status, 403, about);
    for (const [at, session] of sessions.entries()) {
      const answer = await ask(method, path, { session });
      if (at >= least) assert.doesNotMatch(String(answer.json["reason"]), /needs the role/, about);
      else {
        assert.equal(answer.status, 403, about);
        assert.equal(
          answer.json["reason"],
          `This needs the role ${ROLES[least]}; yours is ${ROLES[at]}`,
          about,
        );
      }
    }
  }
});

test("a page of another site changes nothing in the name of staff, whatever it asks for", async (t) => {
  const { ask, staff } = await startEllis(t);
  const session = await staff("administrator");
  let changes = 0;
  for (const { method, path } of operations) {
    if (method === "GET") continue;
    changes++;
    for (const headers of [
      { origin: "https://evil.example.net" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ] as Record<string, string>[]) {
      const refused = await ask(method, path, { session, headers });
      assert.equal(refused.json["reason"], "Not from a page of another site", `${method} ${path}`);
      assert.equal(refused.status, 403);
    }
  }
  assert.ok(changes > 8, String(changes));
  assert.match(
    (
      await ask("POST", "/session", { form: { email: "administrator@example.com", password: PASSWORD } })
    ).headers.get("set-cookie") ?? "",
    /HttpOnly; SameSite=Lax/,
  );
});

test("the first administrator is made with the API key; administrators make the others, with a password that is said once", async (t) => {
  const { ask, key } = await startEllis(t);
  const made = await ask("POST", "/staff/accounts", {
    key,
    json: { email: "Ann@Example.com", role: "administrator", full_name: "Ann" },
  });
  assert.equal(made.status, 201);
  const { password, ...ann } = made.json as { password: string };
  assert.deepEqual(ann, { email: "ann@example.com", full_name: "Ann", role: "administrator" });
  const session = sessionOf(await ask("POST", "/session", { form: { email: "ann@example.com", password } }));
  assert.deepEqual((await ask("GET", "/staff/session", { session })).json, {
    ...{ name: "ann@example.com", role: "administrator" },
  });
  const bob = { email: "bob@example.com", role: "viewer" };
  assert.equal((await ask("POST", "/staff/accounts", { session, json: bob })).status, 201);
  const again = await ask("POST", "/staff/accounts", { session, json: bob });
  assert.deepEqual(
    [again.status, again.json["reason"]],
    [409, "That address is staff's already; change its role"],
  );
  assert.deepEqual((await ask("GET", "/staff/accounts", { session })).json, {
    staff: [ann, { ...bob, full_name: "" }],
  });
  for (const [json, reason] of [
    [{ ...bob, email: "nobody" }, /no e-mail address/],
    [{ ...bob, role: "king" }, /role/],
    [{ ...bob, password: "short" }, /at least 12/],
    [{ ...bob, admin: true }, /admin/],
  ] as const) {
    const refused = await ask("POST", "/staff/accounts", { session, json });
    assert.equal(refused.status, 400);
    assert.match(String(refused.json["reason"]), reason);
  }
});

test("whoever has signed up with an address becomes staff with a new password only, and no session of before", async (t) => {
  const { ask, signUp, key } = await startEllis(t);
  const squatter = await signUp("boss@example.com");
  const json = { email: "boss@example.com", role: "administrator" };
  assert.equal((await ask("POST", "/staff/accounts", { key, json })).status, 409);
  const made = await ask("POST", "/staff/accounts", { key, json: { ...json, existing: true } });
  assert.equal(made.status, 201);
  assert.equal((await ask("GET", "/staff/session", { session: squatter })).status, 403);
  const form = { email: json.email, password: PASSWORD };
  assert.equal((await ask("POST", "/session", { form })).status, 403);
  const boss = await ask("POST", "/session", { form: { ...form, password: String(made.json["password"]) } });
  assert.equal(boss.status, 201);
  const leaving = await ask("DELETE", `/accounts/${json.email}`, { session: sessionOf(boss) });
  assert.equal(leaving.status, 409);
});

test("another role is in force at once, a new password ends sessions, and nobody takes his own role", async (t) => {
  const { ask, staff } = await startEllis(t);
  const [admin, bob] = [await staff("administrator"), await staff("viewer", "bob@example.com")];
  const change = (email: string, json: object) =>
    ask("PATCH", `/staff/accounts/${email}`, { session: admin, json });
  assert.equal((await change("bob@example.com", { role: "operator" })).status, 200);
  assert.deepEqual((await ask("GET", "/staff/session", { session: bob })).json["role"], "operator");
  assert.equal((await change("administrator@example.com", { role: "viewer" })).status, 409);
  assert.equal((await change("nobody@example.com", { role: "viewer" })).status, 404);
  assert.equal((await change("bob@example.com", {})).status, 400);
  const { json } = await change("bob@example.com", { new_password: true });
  assert.equal((await ask("GET", "/staff/session", { session: bob })).status, 403);
  const form = { email: "bob@example.com", password: String(json["password"]) };
  const first = sessionOf(await ask("POST", "/session", { form }));
  const stolen = sessionOf(await ask("POST", "/session", { form }));
  const own = (old: string) =>
    ask("POST", "/staff/password", { session: first, json: { old, new: "another good one" } });
  assert.equal((await own("wrong")).status, 403);
  const changed = await own(form.password);
  assert.equal(changed.status, 204);
  for (const over of [first, stolen])
    assert.equal((await ask("GET", "/staff/session", { session: over })).status, 403, "sessions end with it");
  const session = sessionOf(changed);
  assert.equal((await ask("GET", "/staff/session", { session })).status, 200);
  assert.equal((await ask("POST", "/session", { form })).status, 403);
  assert.equal(
    (await ask("DELETE", "/staff/accounts/administrator@example.com", { session: admin })).status,
    409,
  );
  assert.equal((await ask("DELETE", "/staff/accounts/bob@example.com", { session: admin })).status, 204);
  assert.equal((await ask("GET", "/staff/session", { session })).status, 403);
  assert.equal((await ask("DELETE", "/staff/accounts/bob@example.com", { session: admin })).status, 404);
});

test("one of the staff makes so many changes a minute and no more", async (t) => {
  const { ask, staff, clock } = await startEllis(t);
  const session = await staff("operator");
  const change = () => ask("PATCH", "/staff/subscribers/nobody@example.com", { session, json: {} });
  let status = 404;
  let done = 0;
  for (; status === 404 && done < 500; done++) status = (await change()).status;
  assert.deepEqual([status, done], [429, 241]);
  clock.advance(60_000);
  assert.equal((await change()).status, 404);
});
