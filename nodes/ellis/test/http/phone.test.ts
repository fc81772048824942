import assert from "node:assert/strict";
import { test } from "node:test";
import { ellisOptions } from "../../src/options.ts";
import { startEllis } from "../support/ellis-under-test.ts";

const SERVERS = ["wss://bono.example.com:5063", "ws://127.0.0.1:5062"];

test("the phone may reach its own site and the P-CSCFs of the options, and nothing else", async (t) => {
  const { ask } = await startEllis(t, { phoneServers: [...SERVERS, "wss://[2001:db8::1]:5063"] });
  const page = await ask("GET", "/phone");
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.match(policy, /connect-src 'self' wss:\/\/bono\.example\.com:5063 ws:\/\/127\.0\.0\.1:5062 wss:$/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.equal(page.headers.get("permissions-policy"), "microphone=(self), camera=(self)");
});

test("where the phone registers is told who is logged in, or shows the key of operators; there may be no phone", async (t) => {
  const { ask, signUp, key } = await startEllis(t, { phoneServers: SERVERS });
  assert.equal((await ask("GET", "/phone/configuration")).status, 403);
  const session = await signUp("alice@example.com");
  const expected = { servers: SERVERS, home_domain: "example.com", turn: false };
  assert.deepEqual((await ask("GET", "/phone/configuration", { session })).json, expected);
  assert.deepEqual((await ask("GET", "/phone/configuration", { key })).json, expected);
  const none = await startEllis(t);
  const other = await none.signUp("alice@example.com");
  const { servers } = (await none.ask("GET", "/phone/configuration", { session: other })).json;
  assert.deepEqual(servers, []);
});

test("a server of the phone is a WebSocket URL without a path, or ellis does not start", () => {
  const given = (server: string) => ellisOptions.safeParse({ phoneServers: [server] }).success;
  for (const server of ["wss://bono.example.com", "ws://127.0.0.1:5062", "wss://[::1]:5063"])
    assert.ok(given(server), server);
  for (const server of [
    "https://bono.example.com",
    "wss://a b",
    "wss://a;script-src *",
    "wss://a/x",
    "a:5063",
  ])
    assert.ok(!given(server), server);
});
