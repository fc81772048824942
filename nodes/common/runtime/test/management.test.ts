import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import {
  alarmList,
  alarmRoutes,
  createHealth,
  LogLevelSwitch,
  logRoutes,
  managementServer,
  metricsRegister,
  RecentLines,
  runtimeProblems,
} from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function start(
  t: TestContext,
  token?: string,
): Promise<{
  alarms: ReturnType<typeof alarmList>;
  level: LogLevelSwitch;
  recent: RecentLines;
  port: number;
  ask: (
    path: string,
    given?: { method?: string; body?: string; headers?: Record<string, string> },
  ) => Promise<Answer>;
}> {
  const log = memoryLogger("info");
  const alarms = alarmList({ now: () => 0 });
  const level = new LogLevelSwitch("info", { log, clock: fakeClock() });
  const recent = new RecentLines();
  const routes = [...alarmRoutes("sprout", alarms), ...logRoutes(level, recent)];
  const modules = { register: metricsRegister(), health: createHealth(alarms), routes };
  const server = managementServer({ address: "127.0.0.1", port: 0, token }, modules);
  await server.start();
  t.after(() => server.stop());
  const ask = (
    path: string,
    given: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method = "GET", body = "", headers = {} } = given;
      const asked = request({ host: "127.0.0.1", port: server.port, path, method, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on("error", reject).end(body);
    });
  return { alarms, level, recent, port: server.port, ask };
}

test("GET /alarms lists active alarms, worst first, with what to do, and those that were cleared", async (t) => {
  const { alarms, ask } = await start(t);
  const { fileRefused, diskNearlyFull } = runtimeProblems;
  alarms.raise(fileRefused, { object: "routes.json", text: "is not JSON" });
  alarms.raise(diskNearlyFull, { object: "/state", severity: "CRITICAL", text: "1 % free" });
  alarms.raise(diskNearlyFull, { object: "/cdr", text: "9 % free" });
  alarms.clear(diskNearlyFull, "/cdr");
  const { status, text } = await ask("/alarms");
  const { node, active, cleared } = JSON.parse(text) as Record<string, Record<string, unknown>[]>;
  assert.deepEqual([status, node], [200, "sprout"]);
  assert.deepEqual(
    active?.map(({ problemId, objectInstance, perceivedSeverity }) => [
      problemId,
      objectInstance,
      perceivedSeverity,
    ]),
    [
      ["TW-1009", "/state", "CRITICAL"],
      ["TW-1005", "routes.json", "MAJOR"],
    ],
  );
  assert.deepEqual(cleared?.[0], {
    alarmId: 3,
    problemId: "TW-1009",
    specificProblem: "disk-nearly-full",
    alarmType: "PROCESSING_ERROR_ALARM",
    probableCause: "storageCapacityProblem",
    objectInstance: "/cdr",
    perceivedSeverity: "CLEARED",
    additionalText: "9 % free",
    alarmRaisedTime: "1970-01-01T00:00:00.000Z",
    alarmClearedTime: "1970-01-01T00:00:00.000Z",
    summary: diskNearlyFull.summary,
    cause: diskNearlyFull.cause,
    effect: diskNearlyFull.effect,
    proposedRepairActions: diskNearlyFull.action,
  });
});

test("POST /alarms/resend tells listeners again", async (t) => {
  const { alarms, ask } = await start(t);
  alarms.raise(runtimeProblems.fileRefused, { text: "x" });
  let told = 0;
  alarms.onChange((change) => {
    if (change === "resent") told++;
  });
  assert.deepEqual(await ask("/alarms/resend", { method: "POST" }), { status: 200, text: '{"resent":1}\n' });
  assert.equal(told, 1);
  assert.equal((await ask("/alarms/resend")).status, 405);
});

test("PUT /log-level changes the level; what it cannot be is 400 and changes nothing", async (t) => {
  const { level, ask } = await start(t);
  const put = (body: string): Promise<Answer> => ask("/log-level", { method: "PUT", body });
  assert.equal((await put('{"level":"debug","seconds":60}')).status, 200);
  assert.match((await ask("/log-level")).text, /"level":"debug","configured":"info","until":"/);
  for (const body of [
    "",
    "debug",
    '{"level":"loud"}',
    '{"level":"info","seconds":-1}',
    '{"__proto__":1}',
    "[]",
  ]) {
    const { status, text } = await put(body);
    assert.deepEqual([body, status], [body, 400]);
    assert.match(text, /wanted is \{"level":"debug"\}/);
  }
  assert.equal((await put(" ".repeat(70_000))).status, 413);
  assert.equal(level.current, "debug");
});

test("GET /logs gives the last lines", async (t) => {
  const { recent, ask } = await start(t);
  const stream = recent.before({ write: () => undefined });
  for (const line of ['{"a":1}\n', '{"b":2}\n']) stream.write(line);
  assert.deepEqual(await ask("/logs"), { status: 200, text: '{"a":1}\n{"b":2}\n' });
});

test("what changes something or shows logs is not for pages in a browser, whichever name they found us by", async (t) => {
  const { level, ask } = await start(t);
  const body = '{"level":"trace"}';
  for (const headers of [
    { origin: "http://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "same-origin" },
    { host: "evil.example:9000" },
    { host: "localhost.evil.example" },
  ]) {
    assert.equal((await ask("/log-level", { method: "PUT", body, headers })).status, 403);
    assert.equal((await ask("/logs", { headers })).status, 403);
    assert.equal((await ask("/alarms", { headers })).status, 200);
  }
  assert.equal(level.current, "info");
  for (const host of ["localhost:9000", "127.0.0.1", "[::1]:9000"])
    assert.equal((await ask("/logs", { headers: { host } })).status, 200);
});

test("beyond loopback, or with a token, only who presents it may see logs and change things", async (t) => {
  const { level, ask } = await start(t, "a token of sixteen or more");
  const put = (headers: Record<string, string>): Promise<Answer> =>
    ask("/log-level", { method: "PUT", body: '{"level":"debug"}', headers });
  assert.deepEqual([(await put({})).status, (await ask("/logs")).status], [401, 401]);
  assert.equal((await put({ authorization: "Bearer another token of sixteen" })).status, 401);
  assert.equal(level.current, "info");
  assert.equal((await put({ authorization: "Bearer a token of sixteen or more" })).status, 200);
  assert.equal(level.current, "debug");
  assert.equal((await ask("/alarms")).status, 200);
});
