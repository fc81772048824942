import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CoreAlarms, Ladders, PoolMap, RecentPage, RegistrationsPage } from "@ims/api";
import type { Problem } from "@ims/runtime";
import { type EllisUnderTest, startEllis } from "../support/ellis-under-test.ts";
import { openEvents } from "../support/event-source.ts";
import { type FakeNode, fakeListener, fakeNode } from "../support/fake-core.ts";

const ALICE = "sip:alice@example.com";
const HTML = '<img src=x onerror="alert(1)">';

async function start(
  t: TestContext,
  { more = [], ...options }: { readonly more?: readonly string[] } & Record<string, unknown> = {},
): Promise<{ ellis: EllisUnderTest; bono: FakeNode; sprout: FakeNode; get<T>(path: string): Promise<T> }> {
  const [bono, sprout] = [await fakeNode(t, "bono"), await fakeNode(t, "sprout-1")];
  const coreNodes = [bono.named, sprout.named, ...more];
  const ellis = await startEllis(t, { coreNodes, corePatienceMs: 1_000, ...options });
  return {
    ...{ ellis, bono, sprout },
    get: async <T>(path: string) => {
      const { status, json, text } = await ellis.ask("GET", `/staff/core${path}`, { key: ellis.key });
      assert.equal(status, 200, text);
      return json as T;
    },
  };
}

function invite(node: FakeNode, callId: string, more: object = {}): void {
  const glance = { callId, request: true, method: "INVITE", inDialog: false, from: ALICE, to: "sip:bob@x" };
  node.step({
    ...{ title: "INVITE sip:bob@x", method: "INVITE", request: true, callId, identities: [ALICE] },
    ...{ fields: { from: ALICE, to: "sip:bob@x" }, text: `INVITE of ${callId}`, glance, ...more },
  });
}

test("a pool map shows who is ready, who is not and why, and since when one is away; one that hangs and one that talks rubbish leave the others", async (t) => {
  const hangs = await fakeListener(t, "sprout-2", () => undefined);
  const rubbish = await fakeListener(t, "sprout-3", (_, response) => response.end("<html>"));
  const endless = await fakeListener(t, "sprout-4", (_, response) => {
    const more = (): void => {
      while (response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  const { sprout, get, ellis } = await start(t, { more: [hangs, rubbish, endless] });
  sprout.health.addCheck("hss", () => "no peer");
  const began = Date.now();
  const map = await get<PoolMap>("/pools");
  assert.ok(Date.now() - began < 5_000, "bounded");
  assert.deepEqual(
    map.pools.map(({ name, members }) => [name, members.map((one) => [one.name, one.state])]),
    [
      ["bono", [["bono", "ready"]]],
      [
        "sprout",
        [
          ["sprout-1", "not-ready"],
          ["sprout-2", "unreachable"],
          ["sprout-3", "unreachable"],
          ["sprout-4", "unreachable"],
        ],
      ],
    ],
  );
  const members = map.pools.flatMap((pool) => pool.members);
  assert.deepEqual(members[1]?.reasons, ["hss: no peer"]);
  assert.match(members[2]?.problem ?? "", /does not answer within 1 s/);
  assert.match(members[3]?.problem ?? "", /no node of this release/);
  const since = members[2]?.since;
  assert.equal(since, new Date(ellis.clock.now()).toISOString());
  ellis.clock.advance(5_000);
  const later = (await get<PoolMap>("/pools")).pools.flatMap((pool) => pool.members);
  assert.equal(later[2]?.since, since);
  assert.doesNotMatch(JSON.stringify(map), /token|secret|authorization/i);
});

test("a pool map shows the cell and the zone that a node says it is in, and of others that say nothing neither", async (t) => {
  const placed = await fakeNode(t, "sprout-7", undefined, { cell: "2", zone: "core-a" });
  const { get } = await start(t, { more: [placed.named] });
  const { pools } = await get<PoolMap>("/pools");
  const members = pools.flatMap((pool) => pool.members);
  assert.deepEqual(
    members.map(({ name, cell, zone, version }) => [name, cell, zone, version]),
    [
      ["bono", undefined, undefined, "1.2.3"],
      ["sprout-1", undefined, undefined, "1.2.3"],
      ["sprout-7", "2", "core-a", "1.2.3"],
    ],
  );
});

test("alarms of all nodes are one list, worst first, with cause, effect and action; those that are over follow; a name that is HTML is text", async (t) => {
  const { bono, sprout, get, ellis } = await start(t);
  const problem: Problem = {
    ...{ id: "TW-1", name: "test", kind: "alarm", type: "COMMUNICATIONS_ALARM", summary: "away" },
    ...{ probableCause: "communicationsSubsystemFailure", severity: "MINOR" },
    ...{ cause: "the cause", effect: "the effect", action: "the action" },
  };
  bono.health.alarms.raise(problem, { object: HTML, text: HTML });
  sprout.health.alarms.raise(problem, { severity: "CRITICAL", text: "worse" });
  sprout.health.alarms.raise(problem, { object: "peer", text: "short" });
  sprout.health.alarms.clear(problem, "peer");
  const { active, cleared, problems } = await get<CoreAlarms>("/alarms");
  assert.deepEqual(problems, []);
  assert.deepEqual(
    active.map(({ node, perceivedSeverity, objectInstance }) => [node, perceivedSeverity, objectInstance]),
    [
      ["sprout-1", "CRITICAL", ""],
      ["bono", "MINOR", HTML],
    ],
  );
  assert.deepEqual(
    [active[0]?.cause, active[0]?.effect, active[0]?.proposedRepairActions],
    ["the cause", "the effect", "the action"],
  );
  assert.deepEqual(
    cleared.map(({ objectInstance }) => objectInstance),
    ["peer"],
  );
  await sprout.stop();
  ellis.clock.advance(5_000);
  const rest = await get<CoreAlarms>("/alarms");
  assert.deepEqual(
    rest.active.map(({ node }) => node),
    ["bono"],
  );
  assert.match(rest.problems[0] ?? "", /^sprout-1: /);
});

test("two hundred pages that look at the same are one question to each node", async (t) => {
  const { bono, get } = await start(t);
  bono.asked.length = 0;
  await Promise.all(Array.from({ length: 200 }, () => get("/recent?kind=calls")));
  await get("/recent?search=alice");
  assert.deepEqual(bono.asked, ["/trail/recent"]);
});

test("the last calls and registrations are told with what they are in, found by a part of a name, and counted as the P-CSCF counts", async (t) => {
  const { bono, sprout, get, ellis } = await start(t);
  invite(bono, "c1", { icid: "i1" });
  invite(sprout, "c1");
  bono.step({
    title: "200",
    glance: { callId: "c1", request: false, method: "INVITE", status: 200, reason: "OK", inDialog: true },
  });
  bono.step({
    title: "REGISTER",
    glance: { callId: "r1", request: true, method: "REGISTER", inDialog: false, to: HTML, from: HTML },
  });
  const all = await get<RecentPage>("/recent");
  assert.deepEqual(
    all.exchanges.map(({ kind, state, from }) => [kind, state, from]),
    [
      ["registration", "unanswered", HTML],
      ["call", "in-progress", ALICE],
    ],
  );
  assert.deepEqual(all.counts, { calls: 3 });
  sprout.step({ title: "BYE", glance: { callId: "c1", request: true, method: "BYE", inDialog: true } });
  ellis.clock.advance(3_000);
  const found = await get<RecentPage>("/recent?search=ALICE&page=1");
  assert.deepEqual([found.total, found.exchanges[0]?.state], [1, "ended"]);
  assert.equal((await get<RecentPage>("/recent?kind=in-progress")).total, 0);
  const wrong = await ellis.ask("GET", "/staff/core/recent?page=0", { key: ellis.key });
  assert.equal(wrong.status, 400);
});

test("a ladder grows as messages flow, for all who watch it by one question, and ends with the session", async (t) => {
  const { bono, sprout, ellis } = await start(t);
  const events = `${ellis.url}/staff/core/ladders/events?key=alice`;
  const headers = { "ngv-api-key": ellis.key };
  const [one, other] = [await openEvents(t, events, headers), await openEvents(t, events, headers)];
  const steps = ({ data }: { readonly data: unknown }) =>
    (data as Ladders).ladders.map(({ rungs }) => rungs.length);
  for (const each of [one, other]) assert.deepEqual(steps(await each.next()), []);
  invite(bono, "c1", { icid: "i1" });
  bono.asked.length = 0;
  await ellis.clock.advanceAsync(1_000);
  for (const each of [one, other]) assert.deepEqual(steps(await each.next()), [1]);
  assert.deepEqual(bono.asked, ["/trail"], "one question for both");
  sprout.step({ title: "leg", method: "INVITE", callId: "c2", icid: "i1" });
  other.close();
  await ellis.clock.advanceAsync(1_000);
  const { data } = await one.next();
  assert.deepEqual(steps({ data }), [2]);
  // The message itself.
  const rung = (data as Ladders).ladders[0]?.rungs[0];
  const query = new URLSearchParams({
    key: rung?.ask ?? "",
    node: "bono",
    sequence: String(rung?.sequence),
    time: String(rung?.time),
  });
  const step = await ellis.ask("GET", `/staff/core/step?${query}`, { key: ellis.key });
  assert.deepEqual(step.json, { title: "INVITE sip:bob@x", text: "INVITE of c1" });
  query.set("node", "elsewhere");
  assert.equal((await ellis.ask("GET", `/staff/core/step?${query}`, { key: ellis.key })).status, 404);
});

test("who is logged out, or is no viewer any more, is told so and watches no longer", async (t) => {
  const { ellis } = await start(t);
  const admin = { key: ellis.key };
  const made = await ellis.ask("POST", "/staff/accounts", {
    ...admin,
    json: { email: "ann@example.com", role: "viewer" },
  });
  assert.equal(made.status, 201, made.text);
  const form = { email: "ann@example.com", password: String(made.json["password"]) };
  const login = await ellis.ask("POST", "/session", { form });
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const watched = await openEvents(t, `${ellis.url}/staff/core/ladders/events?key=alice`, { cookie });
  assert.equal((await watched.next()).event, "ladders");
  await ellis.ask("DELETE", "/staff/accounts/ann@example.com", admin);
  await ellis.clock.advanceAsync(5_000);
  const end = await watched.next();
  assert.deepEqual(end.event, "end");
  assert.match(String(end.data), /[Ll]og in|for staff/);
  await assert.rejects(watched.next(), /ended/);
});

test("watchers are bounded, and a place is free again when one goes", async (t) => {
  const { ellis } = await start(t);
  const headers = { "ngv-api-key": ellis.key };
  const open = () => openEvents(t, `${ellis.url}/staff/core/ladders/events?key=alice`, headers);
  const places = await Promise.all(Array.from({ length: 8 }, open));
  assert.ok(places.every(({ status }) => status === 200));
  const refused = await ellis.ask("GET", "/staff/core/ladders/events?key=alice", { headers });
  assert.deepEqual([refused.status, refused.headers.has("retry-after")], [429, true]);
  assert.match(String(refused.json["reason"]), /8 ladders already/);
  places[0]?.close();
  const deadline = Date.now() + 5_000;
  for (;;) {
    const again = await open();
    if (again.status === 200) break;
    assert.ok(Date.now() < deadline, "no place is free again");
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("four viewers do not keep a fifth one out of the ladders: one of theirs ends, and says why; then he has his share", async (t) => {
  const { ellis } = await start(t);
  const sessions = await Promise.all(
    ["a", "b", "c", "d", "e"].map((name) => ellis.staff("viewer", `${name}@example.com`)),
  );
  const open = (cookie: string, key: string) =>
    openEvents(t, `${ellis.url}/staff/core/ladders/events?key=${key}`, { cookie });
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  for (const [at, cookie] of sessions.slice(0, 4).entries())
    for (let ladder = 0; ladder < 8; ladder++) opened.push(await open(cookie, `user${at}${ladder}`));
  assert.ok(opened.every(({ status }) => status === 200));
  const own: Awaited<ReturnType<typeof open>>[] = [];
  for (let ladder = 0; ladder < 6; ladder++) own.push(await open(sessions[4] ?? "", `own${ladder}`));
  assert.deepEqual(
    own.map(({ status }) => status),
    [200, 200, 200, 200, 200, 200],
  );
  const [first] = opened;
  assert.equal((await first?.next())?.event, "ladders");
  const end = await first?.next();
  assert.equal(end?.event, "end");
  assert.match(String(end?.data), /Others want to watch/);
  const refused = await ellis.ask("GET", "/staff/core/ladders/events?key=one-more", {
    session: sessions[4] ?? "",
  });
  assert.deepEqual([refused.status, refused.headers.has("retry-after")], [503, true]);
  // What was taken is free when a stream closes.
  own[0]?.close();
  for (const deadline = Date.now() + 5_000; ; ) {
    const again = await open(sessions[4] ?? "", "one-more");
    if (again.status === 200) break;
    assert.ok(Date.now() < deadline, "no place is free again");
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("a HEAD of a stream takes no place: nothing would ever give it back", async (t) => {
  const { ellis } = await start(t);
  const headers = { "ngv-api-key": ellis.key };
  const path = "/staff/core/ladders/events?key=alice";
  for (let asked = 0; asked < 9; asked++)
    assert.equal((await ellis.ask("HEAD", path, { headers })).status, 404);
  assert.equal((await openEvents(t, `${ellis.url}${path}`, headers)).status, 200);
});

test("what is no name of anybody is refused in words, and an ellis that knows no nodes says what it needs", async (t) => {
  const { ellis } = await start(t);
  for (const path of ["ladders", "ladders/events", "capture", "diagnosis"]) {
    assert.equal((await ellis.ask("GET", `/staff/core/${path}`, { key: ellis.key })).status, 400);
    const refused = await ellis.ask("GET", `/staff/core/${path}?key=a%20b`, { key: ellis.key });
    assert.deepEqual([refused.status, /no blanks/.test(String(refused.json["reason"]))], [400, true]);
  }
  assert.equal((await ellis.ask("GET", "/staff/core/capture?key=nobody", { key: ellis.key })).status, 404);
  const { ask, key } = await startEllis(t);
  const answer = await ask("GET", "/staff/core/pools", { key });
  assert.equal(answer.status, 503);
  assert.match(String(answer.json["reason"]), /--core-nodes/);
});

test("nodes that want the management token get it from ellis, and from nobody else: without it only their health is known", async (t) => {
  const token = "a token of the management ports";
  const bono = await fakeNode(t, "bono", token);
  invite(bono, "c1");
  const folder = mkdtempSync(join(tmpdir(), "ellis-token-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const coreTokenFile = join(folder, "management-token");
  writeFileSync(coreTokenFile, `${token}\n`);
  for (const [file, found] of [
    ["", 0],
    [coreTokenFile, 1],
  ] as const) {
    const { ask, key } = await startEllis(t, { coreNodes: [bono.named], coreTokenFile: file });
    const get = async (path: string) => (await ask("GET", `/staff/core/${path}`, { key })).json;
    const map = (await get("pools")) as unknown as PoolMap;
    assert.equal(map.pools[0]?.members[0]?.state, "ready");
    const ladders = (await get("ladders?key=alice")) as unknown as Ladders;
    assert.equal(ladders.ladders.length, found);
    assert.equal(/present the management token/.test(ladders.problems.join()), found === 0);
    assert.ok(!JSON.stringify([map, ladders]).includes(token));
  }
});

test("subscribers are listed although no S-CSCF can say who is registered, and it is said that it cannot", async (t) => {
  const { get } = await start(t);
  const { rows, problems } = await get<RegistrationsPage>("/registrations");
  assert.deepEqual(
    rows.filter(({ registrations }) => registrations !== undefined),
    [],
  );
  assert.ok(rows.length === 0 || problems.some((line) => line.startsWith("sprout-1: ")));
});

test("a storm of questions for different ladders waits in line, and what is too much is refused with Retry-After", async (t) => {
  let answerSearches = (): void => undefined;
  const enough = new Promise<void>((resolve) => {
    answerSearches = resolve;
  });
  const slow = await fakeListener(t, "homestead", async (request, response) => {
    if (request.url === "/health/ready") return response.end("ready\n");
    await enough;
    return response.writeHead(404).end();
  });
  const { ellis } = await start(t, { more: [slow] });
  let early = 0;
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const answer = await ellis.ask("GET", `/staff/core/ladders?key=user${n}`, { key: ellis.key });
      if (answer.status === 503 && ++early === 20) answerSearches();
      return answer;
    }),
  );
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length >= 20, String(refused.length));
  assert.ok(refused.every(({ headers }) => headers.has("retry-after")));
  const served = answers.filter(({ status }) => status === 200);
  assert.ok(served.length >= 16, String(served.length));
});
