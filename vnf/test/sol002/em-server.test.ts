import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type Drain, drainByCommand } from "../../src/sol002/drain.ts";
import { type EmServer, type EmServerOptions, startEmServer } from "../../src/sol002/em-server.ts";
import { metricValues } from "../../src/sol002/indicators.ts";
import type { Member } from "../../src/sol002/member.ts";

const INDICATORS = [
  { name: "sets", purpose: "sets", pool: "bono", metric: "ims_bono_registered_sets", of: "sum" },
  { name: "away", purpose: "away", pool: "bono", metric: "none_such", of: "max" },
  { name: "ready", purpose: "ready", of: "ready" },
] as const;

/** A member's management interface that can be ended. */
async function member(t: TestContext, name: string): Promise<Member & { end: () => void }> {
  const server = createServer((request, response) => {
    if (request.url === "/metrics")
      response.end(
        '# HELP x\nims_bono_registered_sets{a="}b"} 3\nims_bono_registered_sets_more 9\nims_bono_registered_sets 4\n',
      );
    else response.end("ok");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const end = (): void => {
    server.closeAllConnections();
    server.close();
  };
  t.after(end);
  const { port } = server.address() as AddressInfo;
  return { name, pool: name.replace(/-\d+$/, ""), management: `http://127.0.0.1:${port}`, end };
}

async function em(
  t: TestContext,
  members: readonly Member[],
  drain: Drain,
  options: Partial<EmServerOptions> = {},
): Promise<EmServer> {
  const server = await startEmServer(
    { host: "127.0.0.1", port: 0, ...options },
    { drain, members: () => ({ kind: "members", members }), indicators: INDICATORS },
  );
  t.after(() => server.close());
  return server;
}

function begin(
  server: EmServer,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  const body = {
    vnfInstanceId: "vnf-1",
    vnfLcmOpOccId: "op-1",
    lcmOperationType: "SCALE",
    coordinationActionName: "drain",
    inputParams: { pool: "bono", count: 1 },
    ...more,
  };
  return fetch(`${server.origin}/lcmcoord/v1/coordinations`, {
    method: "POST",
    body: JSON.stringify(body),
    headers,
  });
}

interface Shown {
  readonly coordinationResult: string;
  readonly outputParams: { readonly drained: string[]; readonly failed: { name: string; reason: string }[] };
}

async function decided(server: EmServer, first: Response): Promise<Shown> {
  const location = first.headers.get("location") ?? assert.fail("no Location");
  for (;;) {
    const answer = await fetch(server.origin + location);
    if (answer.status === 200) return (await answer.json()) as Shown;
    assert.equal(answer.status, 202);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("SOL 002 clause 10.4.2: a drain is accepted at once, and CONTINUE is said when the members that leave have drained; the last of the pool leave first", async (t) => {
  const members = await Promise.all(
    ["bono-0", "bono-10", "bono-9", "sprout-0"].map((name) => member(t, name)),
  );
  const going: string[] = [];
  let finish = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const server = await em(t, members, async ({ name }) => {
    going.push(name);
    await ended;
    return { kind: "drained" };
  });
  const first = await begin(server, { inputParams: { pool: "bono", count: 2 } });
  assert.equal(first.status, 202);
  const early = await fetch(server.origin + (first.headers.get("location") ?? ""));
  assert.equal(early.status, 202);
  const again = await begin(server, { inputParams: { pool: "bono", count: 2 } });
  assert.equal(
    again.headers.get("location"),
    first.headers.get("location"),
    "the same operation drains once",
  );
  finish();
  const { coordinationResult, outputParams } = await decided(server, first);
  assert.equal(coordinationResult, "CONTINUE");
  assert.deepEqual(going, ["bono-9", "bono-10"]);
  assert.deepEqual(outputParams.drained.sort(), ["bono-10", "bono-9"]);
});

test("a member that does not drain makes it ABORT, with the reason", async (t) => {
  const members = [await member(t, "bono-0")];
  const server = await em(t, members, async () => ({ kind: "failed", reason: "still there after 1 s" }));
  const { coordinationResult, outputParams } = await decided(server, await begin(server));
  assert.equal(coordinationResult, "ABORT");
  assert.deepEqual(outputParams.failed, [{ name: "bono-0", reason: "still there after 1 s" }]);
});

test("SOL 003 clause 5.4.14: a retry keeps the identifier of its operation, and drains again after an ABORT; after CONTINUE it does not", async (t) => {
  const members = [await member(t, "bono-0")];
  let drains = 0;
  const server = await em(t, members, async () =>
    drains++ === 0 ? { kind: "failed", reason: "still there" } : { kind: "drained" },
  );
  const first = await begin(server);
  assert.equal((await decided(server, first)).coordinationResult, "ABORT");
  const second = await begin(server);
  assert.notEqual(second.headers.get("location"), first.headers.get("location"));
  assert.equal((await decided(server, second)).coordinationResult, "CONTINUE");
  const third = await begin(server);
  assert.equal(third.headers.get("location"), second.headers.get("location"));
  assert.equal(drains, 2);
  assert.equal((await decided(server, first)).coordinationResult, "ABORT", "what was is still told");
});

test("a coordination can be cancelled, once", async (t) => {
  const members = [await member(t, "bono-0")];
  const server = await em(
    t,
    members,
    (_, signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ kind: "failed", reason: "cancelled" })),
      ),
  );
  const first = await begin(server);
  const cancel = () => fetch(`${server.origin}${first.headers.get("location")}/cancel`, { method: "POST" });
  assert.equal((await cancel()).status, 202);
  assert.equal((await decided(server, first)).coordinationResult, "CANCELLED");
  assert.equal((await cancel()).status, 409);
});

test("a command that ends a member drains it; one that fails, or ends nobody, does not", async (t) => {
  const leaving = await member(t, "bono-0");
  const staying = await member(t, "bono-1");
  const drain = drainByCommand({ command: ["true", "{name}"], timeoutSeconds: 30, pollMs: 10 });
  const result = drain(leaving, new AbortController().signal);
  leaving.end();
  assert.deepEqual(await result, { kind: "drained" });
  const broken = drainByCommand({ command: ["ls", "/no/such/{name}"], timeoutSeconds: 30 });
  const failed = await broken(staying, new AbortController().signal);
  assert.ok(failed.kind === "failed" && /no\/such\/bono-1/.test(failed.reason), JSON.stringify(failed));
  const missing = drainByCommand({ command: ["no-such-program"], timeoutSeconds: 30 });
  const none = await missing(staying, new AbortController().signal);
  assert.ok(none.kind === "failed" && /ENOENT/.test(none.reason));
  const stop = new AbortController();
  const patient = drain(staying, stop.signal);
  stop.abort();
  const cancelled = await patient;
  assert.equal(cancelled.kind, "failed");
});

test("drained is who misses three times in a row; a member that was only slow is still there", async (t) => {
  let asks = 0;
  const server = createServer((request, response) => {
    asks++;
    if (asks === 3 || asks === 6) response.end("live");
    else request.socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const slow = { name: "bono-0", pool: "bono", management: `http://127.0.0.1:${port}` };
  const drain = drainByCommand({ command: ["true"], timeoutSeconds: 30, pollMs: 5 });
  assert.deepEqual(await drain(slow, new AbortController().signal), { kind: "drained" });
  assert.equal(asks, 9);
});

test("SOL 002 clause 8.4: indicators are sums over the members, or nothing when nobody has them", async (t) => {
  const members = [await member(t, "bono-0"), await member(t, "bono-1"), await member(t, "sprout-0")];
  members[1]?.end();
  const server = await em(t, members, async () => ({ kind: "drained" }), { vnfInstanceId: "vnf-1" });
  const all = (await (await fetch(`${server.origin}/vnfind/v1/indicators`)).json()) as {
    id: string;
    value: number;
  }[];
  assert.deepEqual(
    all.map(({ id, value }) => [id, value]),
    [
      ["sets", 7],
      ["away", null],
      ["ready", 2 / 3],
    ],
  );
  const one = (await (await fetch(`${server.origin}/vnfind/v1/indicators/vnf-1/sets`)).json()) as {
    value: number;
  };
  assert.equal(one.value, 7);
  assert.equal((await fetch(`${server.origin}/vnfind/v1/indicators/vnf-1/none`)).status, 404);
  assert.equal((await fetch(`${server.origin}/vnfind/v1/indicators/vnf-2`)).status, 404);
  assert.deepEqual(metricValues('a 1\na{b="c"} 2\na_b 3\nab 4\na nan', "a"), [1, 2]);
});

test("what is wrong is told with a problem document (SOL 013), never with a crash", async (t) => {
  const members = [await member(t, "bono-0")];
  const server = await em(t, members, async () => ({ kind: "drained" }), {
    vnfInstanceId: "vnf-1",
    token: "secret",
  });
  const token = { authorization: "Bearer secret" };
  assert.equal((await begin(server)).status, 401);
  assert.equal((await begin(server, {}, { authorization: "Bearer wrong!" })).status, 401);
  const cases: [Record<string, unknown>, number, RegExp][] = [
    [{ coordinationActionName: "rebalance" }, 404, /no coordination action rebalance/],
    [{ vnfInstanceId: "vnf-2" }, 404, /no VNF instance vnf-2/],
    [{ inputParams: { members: ["bono-7"] } }, 400, /there is no bono-7/],
    [{ inputParams: { pool: "bono", count: 2 } }, 400, /has 1 members, not 2/],
    [{ inputParams: { pool: "bono", count: -1 } }, 400, /inputParams/],
    [{ inputParams: { pool: "__proto__", count: 1 } }, 400, /__proto__/],
    [{ inputParams: undefined }, 400, /say which members leave/],
    [{ vnfLcmOpOccId: 7 }, 400, /vnfLcmOpOccId/],
  ];
  for (const [more, status, says] of cases) {
    const answer = await begin(server, more, token);
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    assert.match(text, says);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
  }
  const ask = (path: string, method: string, body?: string) =>
    fetch(server.origin + path, { method, headers: token, ...(body === undefined ? {} : { body }) });
  assert.equal((await ask("/lcmcoord/v1/coordinations", "POST", "{")).status, 400);
  assert.equal((await ask("/lcmcoord/v1/coordinations", "POST", "x".repeat(100_000))).status, 413);
  assert.equal((await ask("/lcmcoord/v1/coordinations", "GET")).status, 405);
  assert.equal((await ask("/lcmcoord/v1/coordinations/none", "GET")).status, 404);
  assert.equal((await ask("/lcmcoord/v1/coordinations/none/cancel", "POST")).status, 404);
  assert.equal((await ask("/lcmcoord/v1/api_versions", "GET")).status, 200);
  assert.equal((await ask("/elsewhere", "GET")).status, 404);
});
