import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { scalePool } from "../../src/lcm/scale.ts";
import { openHttp } from "../../src/openstack/http.ts";
import { queryPrometheus } from "../../src/scaler/prometheus.ts";
import { Scaler } from "../../src/scaler/scaler.ts";
import { readScalerConfig } from "../../src/scaler/scaler-config.ts";
import { StateFile } from "../../src/scaler/scaler-state.ts";
import { signatureOf } from "../../src/scaler/webhook.ts";
import { openWebhook } from "../../src/scaler/webhook-server.ts";
import { type Lab, small, startLab } from "../../testing/lab.ts";

const SECRET = "0123456789abcdef";
const CONFIG = `version: 1
vnf: ims
prometheus: { url: "http://replaced" }
pools:
  sprout:
    min: 7
    max: 15
    samples: 2
    signals:
      load: { query: "avg(load)", out: 0.7, in: 0.3 }
      answer-p99: { query: "p99", out: 0.25, in: 0.1 }
  bono: { min: 7, max: 11 }
`;

interface Setting extends Lab {
  readonly scaler: Scaler;
  readonly state: StateFile;
  readonly path: string;
  readonly values: Map<string, string>;
  readonly url: string;
  readonly log: string[];
  again(more?: { readonly dryRun?: boolean; readonly signal?: AbortSignal }): Scaler;
}

/** A scaler on a fake cloud, a Prometheus that answers what `values` says, and the webhook's server. */
async function setUp(t: TestContext, dryRun = false): Promise<Setting> {
  const lab = await startLab(t);
  assert.equal((await lab.driver.instantiate("ims", small(), lab.run)).kind, "done");
  const folder = mkdtempSync(join(tmpdir(), "scaler-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const values = new Map<string, string>();
  const prometheus = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const value = values.get(new URLSearchParams(body).get("query") ?? "");
      const result = value === undefined ? [] : [{ metric: {}, value: [1, value] }];
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
    });
  });
  await new Promise<void>((resolve) => prometheus.listen(0, "127.0.0.1", resolve));
  const http = openHttp({ verify: true });
  t.after(async () => {
    await http.close();
    prometheus.closeAllConnections();
    prometheus.close();
  });
  const at = { url: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}` };
  const reading = readScalerConfig(CONFIG, "scaler.yaml");
  assert.ok(reading.kind === "config");
  const path = join(folder, "scaler.json");
  const state = new StateFile(path);
  const log: string[] = [];
  const again: Setting["again"] = (more = {}) => {
    const remembered = state.read("ims");
    assert.ok(remembered.kind === "state");
    return new Scaler(
      {
        config: reading.config,
        driver: lab.driver,
        model: lab.model,
        pace: lab.pace,
        state,
        query: (promql) => queryPrometheus(http, at, promql),
        log: (line) => log.push(line),
        dryRun,
        timeoutMs: 600_000,
        ...more,
      },
      remembered.state,
    );
  };
  const scaler = again();
  const server = await openWebhook({
    address: "127.0.0.1",
    port: 0,
    secret: SECRET,
    vnf: "ims",
    onWish: (wish) => scaler.wish(wish),
    log: (line) => log.push(line),
  });
  t.after(() => server.close());
  return { ...lab, scaler, state, path, values, log, again, url: `http://127.0.0.1:${server.port}` };
}

const sizeOf = ({ cloud }: Lab, pool = "sprout"): string | undefined =>
  cloud.stacks.get("ims")?.parameters.get(`${pool}_count`);

const alert = (type: string, more: object = {}, status = "firing"): string =>
  JSON.stringify({
    version: "4",
    groupKey: "{}",
    status,
    receiver: "tidewater",
    alerts: [
      {
        status,
        labels: {
          alertname: "SproutSlow",
          function_type: "auto_scale",
          auto_scale_type: type,
          aspect_id: "sprout",
          ...more,
        },
        annotations: {},
        startsAt: "2026-11-21T10:00:00Z",
      },
    ],
  });

const post = (url: string, body: string, token = SECRET): Promise<Response> =>
  fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
  });

test("load and response time by Prometheus: grows after two samples, holds during the cool-down, shrinks drained", async (t) => {
  const set = await setUp(t);
  const { scaler, values, pace, cloud, log } = set;
  values.set("avg(load)", "0.5").set("p99", "0.4");
  await scaler.turn();
  assert.equal(sizeOf(set), "7");
  await scaler.turn();
  assert.equal(sizeOf(set), "11");
  assert.ok(log.includes("sprout: goes from 7 to 11: answer-p99 is 0.4, above 0.25"), log.join("\n"));
  await scaler.turn();
  await scaler.turn();
  await scaler.turn();
  assert.equal(sizeOf(set), "11", "cool-down");
  assert.ok(log.some((line) => /stays at 11: .*the last change is \d+ s ago, 300 s/.test(line)));
  values.set("avg(load)", "0.1").set("p99", "0.01");
  pace.advance(1_000_000);
  cloud.requests.length = 0;
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  const stops = cloud.requests.filter((one) => /servers\/.*\/action$/.test(one)).length;
  assert.equal(stops, 4, "drained before they were deleted");
});

test("no series, not a number, a Prometheus that is away: nothing is changed, and it is said once", async (t) => {
  const set = await setUp(t);
  const { scaler, values, log } = set;
  values.set("p99", "NaN");
  for (let turn = 0; turn < 4; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  assert.equal(log.filter((line) => line === "sprout.load: there are no such series").length, 1);
  assert.equal(log.filter((line) => line === "sprout.answer-p99: no finite number").length, 1);
});

test("an alert of Alertmanager with the token scales out; resolved, foreign and unknown ones do nothing", async (t) => {
  const set = await setUp(t);
  const { scaler, url } = set;
  const answers: [string, number, object][] = [
    [alert("SCALE_OUT", {}, "resolved"), 202, { taken: 0 }],
    [alert("SCALE_OUT", { vnf: "another" }), 202, { taken: 0 }],
    [alert("SCALE_OUT", { function_type: "auto_heal" }), 202, { taken: 0 }],
    [alert("SCALE_OUT", { aspect_id: "__proto__" }), 202, { taken: 0, unknown: ["__proto__"] }],
    [alert("SCALE_OUT"), 202, { taken: 1 }],
  ];
  for (const [body, status, expected] of answers) {
    assert.equal(sizeOf(set), "7");
    const answer = await post(`${url}/alertmanager`, body);
    assert.equal(answer.status, status);
    assert.deepEqual(await answer.json(), expected);
    await scaler.turn();
  }
  assert.equal(sizeOf(set), "11");
});

test("a wrong token, a wrong signature, no JSON, too much, another path: refused, nothing is taken", async (t) => {
  const set = await setUp(t);
  const { scaler, url } = set;
  const path = "/aodh/bono/out";
  const note = JSON.stringify({
    alarm_name: "busy",
    alarm_id: "1",
    severity: "low",
    current: "alarm",
    previous: "ok",
    reason: "",
  });
  assert.equal((await post(`${url}/alertmanager`, alert("SCALE_OUT"), "wrong")).status, 401);
  assert.equal(
    (await fetch(`${url}/alertmanager`, { method: "POST", body: alert("SCALE_OUT") })).status,
    401,
  );
  assert.equal((await post(`${url}/alertmanager`, "{")).status, 400);
  assert.equal((await post(`${url}/alertmanager`, '{"version":"3","alerts":[]}')).status, 400);
  assert.equal((await post(`${url}/alertmanager`, "x".repeat(1_100_000))).status, 413);
  assert.equal((await fetch(`${url}/alertmanager`)).status, 405);
  assert.equal((await post(`${url}/elsewhere`, "{}")).status, 404);
  assert.equal((await post(`${url}${path}`, note)).status, 401, "Aodh's URL is signed");
  assert.equal(
    (await post(`${url}${path}?signature=${signatureOf("/aodh/bono/in", SECRET)}`, note)).status,
    401,
  );
  await scaler.turn();
  assert.deepEqual([sizeOf(set), sizeOf(set, "bono")], ["7", "7"]);
  assert.equal((await post(`${url}${path}?signature=${signatureOf(path, SECRET)}`, note)).status, 202);
  await scaler.turn();
  assert.equal(sizeOf(set, "bono"), "11");
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

test("a request target that is no URL, and a fault while a wish is taken, are answered; the scaler goes on", async (t) => {
  const log: string[] = [];
  const server = await openWebhook({
    address: "127.0.0.1",
    port: 0,
    secret: SECRET,
    vnf: "ims",
    onWish: () => assert.fail("disk full"),
    log: (line) => log.push(line),
  });
  t.after(() => server.close());
  const { port } = server;
  // fetch() would make an address of it.
  const statusOf = (path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, method: "POST", path }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject);
      sent.end("{}");
    });
  for (const path of ["//", "//:", "http://["]) assert.equal(await statusOf(path), 400, path);
  const url = `http://127.0.0.1:${port}`;
  assert.equal((await post(`${url}/alertmanager`, alert("SCALE_OUT"))).status, 500);
  assert.match(log.join(), /disk full/);
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

test("never two operations at once: turns at the same time are one, and a pool waits for the other", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud } = set;
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  scaler.wish({ pool: "bono", direction: "out", from: "test" });
  await Promise.all([scaler.turn(), scaler.turn(), scaler.turn()]);
  assert.deepEqual([sizeOf(set), sizeOf(set, "bono")], ["11", "7"]);
  const patches = () => cloud.requests.filter((one) => one.startsWith("PATCH /heat")).length;
  assert.equal(patches(), 1);
  await scaler.turn();
  assert.deepEqual([sizeOf(set), sizeOf(set, "bono"), patches()], ["11", "11", 2]);
});

test("a stack that is busy with something else is not touched", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud } = set;
  const stack = cloud.stacks.get("ims");
  assert.ok(stack !== undefined);
  stack.status = "UPDATE_IN_PROGRESS";
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  await scaler.turn();
  assert.equal(sizeOf(set), "7");
  stack.status = "UPDATE_COMPLETE";
  await scaler.turn();
  assert.equal(sizeOf(set), "11", "the wish was kept");
});

test("stopped in the middle and started again: it goes on with what it had begun, and remembers the cool-down", async (t) => {
  const set = await setUp(t);
  const { state, pace, path, again, log } = set;
  const stop = new AbortController();
  const first = again({ signal: stop.signal });
  first.wish({ pool: "sprout", direction: "out", from: "test" });
  pace.whileWaiting(() => stop.abort(new Error("stopped")));
  await first.turn();
  const between = state.read("ims");
  assert.ok(between.kind === "state");
  assert.deepEqual(
    [between.state.operation?.pool, between.state.operation?.to, sizeOf(set)],
    ["sprout", 11, "11"],
  );
  const second = again();
  await second.turn();
  assert.ok(log.includes("sprout: going on to 11"));
  const after = state.read("ims");
  assert.ok(after.kind === "state" && after.state.operation === undefined);
  second.wish({ pool: "sprout", direction: "out", from: "test" });
  await again().turn();
  await second.turn();
  assert.equal(sizeOf(set), "11", "the cool-down outlives the process");
  assert.ok(!existsSync(`${path}.next`));
});

test("started again after somebody else has scaled the pool: what was begun is dropped, and said", async (t) => {
  const set = await setUp(t);
  const { state, pace, again, log, driver, model, run } = set;
  const begun = (from: number, to: number): void =>
    state.write({
      version: 1,
      vnf: "ims",
      changed: {},
      operation: { pool: "sprout", from, to, begun: 0, tries: 1 },
    });
  const scaled = async (size: number): Promise<void> =>
    assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size }, run)).kind, "done");
  await scaled(15);
  begun(7, 11);
  await again().turn();
  assert.equal(sizeOf(set), "15");
  assert.match(log.join("\n"), /^sprout: has 15 members, which is not on the way from 7 to 11: .* dropped$/m);
  assert.deepEqual(state.read("ims"), {
    kind: "state",
    state: { version: 1, vnf: "ims", changed: { sprout: pace.now() } },
  });
  await scaled(7);
  begun(15, 11);
  await again().turn();
  assert.equal(sizeOf(set), "7");
  // Several steps: each of them is one it may have been stopped at.
  await scaled(11);
  begun(15, 7);
  await again().turn();
  assert.equal(sizeOf(set), "7");
});

test("a pool that somebody else scales between two tries is not brought back", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud, state, log } = set;
  for (const host of cloud.compute.hosts.get("core")?.slice(0, 5) ?? []) cloud.compute.down.add(host);
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  await scaler.turn();
  cloud.compute.down.clear();
  const { driver, model, run } = set;
  assert.equal((await scalePool(driver, model, { name: "ims", pool: "sprout", size: 15 }, run)).kind, "done");
  await scaler.turn();
  assert.equal(sizeOf(set), "15", log.join("\n"));
  const after = state.read("ims");
  assert.ok(after.kind === "state" && after.state.operation === undefined);
});

test("growth that keeps failing is given up after three turns, said with what to do, and taken back", async (t) => {
  const set = await setUp(t);
  const { scaler, cloud, log } = set;
  for (const host of cloud.compute.hosts.get("core")?.slice(0, 5) ?? []) cloud.compute.down.add(host);
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.ok(
    log.some((line) =>
      /^sprout: given up: UPDATE_FAILED: .*No valid host.*scale ims sprout=11 again/.test(line),
    ),
    log.join("\n"),
  );
  assert.ok(log.includes("sprout: back: sprout has 7 members"));
  assert.deepEqual([sizeOf(set), cloud.stacks.get("ims")?.status], ["7", "UPDATE_COMPLETE"]);
});

test("dry run: decides and says so, changes nothing, writes nothing", async (t) => {
  const set = await setUp(t, true);
  const { scaler, values, log, path } = set;
  values.set("avg(load)", "0.9").set("p99", "0.4");
  for (let turn = 0; turn < 3; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  assert.ok(log.includes("sprout: would go from 7 to 11: load is 0.9, above 0.7"), log.join("\n"));
  assert.ok(!existsSync(path));
});

test("one scaler a state file; a lock of a process that is gone is taken over; a foreign state is refused", async (t) => {
  const { state, path } = await setUp(t);
  assert.equal(state.lock(), undefined);
  writeFileSync(`${path}.lock`, String(process.ppid));
  assert.equal(state.lock(), `process ${process.ppid}`);
  writeFileSync(`${path}.lock`, "999999999");
  assert.equal(state.lock(), undefined);
  assert.equal(readFileSync(`${path}.lock`, "utf8"), String(process.pid));
  state.unlock();
  writeFileSync(path, "{}");
  const bad = state.read("ims");
  assert.match(bad.kind === "bad" ? bad.problem : "", /is no state of a scaler: .*then delete it/);
  writeFileSync(path, JSON.stringify({ version: 1, vnf: "other", changed: {} }));
  const other = state.read("ims");
  assert.match(other.kind === "bad" ? other.problem : "", /is of other, not of ims/);
});
