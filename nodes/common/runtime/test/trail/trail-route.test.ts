import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createHealth, managementServer, metricsRegister, Trail, trailRoute } from "@ims/runtime";
import { fakeClock } from "../../testing/index.ts";

async function start(
  t: TestContext,
  trail: Trail | undefined,
  { address = "127.0.0.1", token }: { address?: string; token?: string } = {},
): Promise<(path: string, method?: string, headers?: Record<string, string>) => Promise<Response>> {
  const server = managementServer(
    { address, port: 0, token },
    { register: metricsRegister(), health: createHealth(), routes: [trailRoute("bono", trail)] },
  );
  await server.start();
  t.after(() => server.stop());
  return (path, method = "GET", headers = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });
}

function filled(): Trail {
  const trail = new Trail({ bytes: 100_000, steps: 100, clock: fakeClock(), origin: () => 1_000 });
  trail.decided("call 1&2@example.com", "iFC", { server: "sip:as.example.com" });
  return trail;
}

test("the management port gives the steps of a key as JSON", async (t) => {
  const get = await start(t, filled());
  const response = await get(`/trail?key=${encodeURIComponent("call 1&2@example.com")}&limit=5`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  const { node, steps, oldest, truncated } = (await response.json()) as Record<string, unknown>;
  assert.deepEqual([node, oldest, truncated], ["bono", 1_000, false]);
  assert.deepEqual(steps, [
    {
      sequence: 0,
      time: 1_000,
      direction: "",
      kind: "decision",
      title: "iFC: server sip:as.example.com",
      callId: "call 1&2@example.com",
      fields: { what: "iFC", server: "sip:as.example.com" },
    },
  ]);
});

test("a question that is none is told what is wrong with it, and answered nothing else", async (t) => {
  const get = await start(t, filled());
  const manyKeys = Array.from({ length: 33 }, (_, index) => `key=${index}`).join("&");
  for (const [query, problem] of [
    ["", /key is missing/],
    ["?key=", /key is missing/],
    [`?key=${"x".repeat(301)}`, /more than 300 characters/],
    [`?${manyKeys}`, /more than 32 keys/],
    ["?key=a&limit=0", /limit/],
    ["?key=a&limit=1e9", /limit/],
    ["?key=a&since=yesterday", /no time/],
    ["?key=a&text=maybe", /text/],
    ["?key=a&__proto__=b", /not known/],
    ["?key=a&<b>=b", /not known/],
  ] as const) {
    const response = await get(`/trail${query}`);
    assert.equal(response.status, 400, query);
    const said = await response.text();
    assert.match(said, problem);
    assert.ok(!said.includes("<b>"), "nothing of the question is repeated");
  }
  assert.equal((await get("/trail?key=a", "POST")).status, 405);
});

test("a search too many is put off; without a trail there is nothing to ask for", async (t) => {
  const trail = filled();
  const get = await start(t, trail);
  const query = { keys: ["nobody"], limit: 1, text: false };
  const under = [trail.find(query), trail.find(query)];
  const busy = trail.searching;
  await Promise.all(under);
  assert.deepEqual([busy, trail.searching], [2, 0]);
  assert.equal((await get("/trail?key=nobody")).status, 200);
  const off = await start(t, undefined);
  const response = await off("/trail?key=a");
  assert.deepEqual([response.status, (await response.text()).includes("--trail-bytes")], [404, true]);
});

test("beyond loopback the trail is for who presents the management token, on loopback not for web pages", async (t) => {
  const key = "/trail?key=nobody";
  const open = await start(t, filled(), { address: "0.0.0.0" });
  assert.equal((await open(key)).status, 403);
  const token = "0123456789abcdef";
  const guarded = await start(t, filled(), { address: "0.0.0.0", token });
  assert.equal((await guarded(key)).status, 401);
  assert.equal((await guarded(key, "GET", { authorization: `Bearer ${token}` })).status, 200);
  const near = await start(t, filled());
  assert.equal((await near(key, "GET", { origin: "http://evil.example.com" })).status, 403);
});
