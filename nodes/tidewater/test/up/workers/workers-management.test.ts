import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type Worker, workersManagement } from "../../../src/up/workers/workers-management.ts";

const ALARM = { alarmId: 1, problemId: "TW-1006", perceivedSeverity: "MINOR" };

/** The management port of a worker. */
async function workerPort(t: TestContext, ready: boolean): Promise<string> {
  const server = createServer(({ url }, response) => {
    if (url === "/metrics") response.end("# TYPE ims_calls gauge\nims_calls 2\n");
    else if (url === "/alarms")
      response.end(JSON.stringify({ node: "bono", active: [ALARM], cleared: [], dropped: 1, resends: 0 }));
    else {
      response.statusCode = ready ? 200 : 503;
      response.end(ready ? "ready\n" : "hss: no HSS is connected\n");
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function opened(
  t: TestContext,
  workers: readonly Worker[],
): Promise<(path: string) => Promise<Response>> {
  const management = workersManagement({
    ...{ node: "bono", address: "127.0.0.1", port: 0 },
    workers: () => workers,
  });
  const port = await management.start();
  t.after(() => management.stop());
  return (path) => fetch(`http://127.0.0.1:${port}${path}`);
}

test("all workers are ready: so is the node, and its metrics and alarms are those of all", async (t) => {
  const [one, two] = [await workerPort(t, true), await workerPort(t, true)];
  const get = await opened(t, [
    { number: 1, url: one, state: "ready", restarts: 0 },
    { number: 2, url: two, state: "ready", restarts: 3 },
  ]);
  const ready = await get("/health/ready");
  assert.deepEqual([ready.status, await ready.text()], [200, "ready\n"]);
  const metrics = await get("/metrics");
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const text = await metrics.text();
  for (const line of [
    'ims_calls{worker="1"} 2',
    'ims_calls{worker="2"} 2',
    "ims_bono_workers 2",
    "ims_bono_workers_ready 2",
    "ims_bono_worker_restarts_total 3",
  ])
    assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
  const alarms = (await (await get("/alarms")).json()) as { active: object[]; dropped: number };
  assert.deepEqual(alarms.active, [
    { ...ALARM, worker: 1 },
    { ...ALARM, worker: 2 },
  ]);
  assert.equal(alarms.dropped, 2);
  assert.equal((await get("/health/live")).status, 200);
  assert.equal((await get("/trail")).status, 404);
});

test("a worker that is not ready, does not run or does not answer is named, and the one that does not run is an alarm", async (t) => {
  const get = await opened(t, [
    { number: 1, url: await workerPort(t, false), state: "ready", restarts: 0 },
    { number: 2, url: undefined, state: "down", restarts: 1 },
    { number: 3, url: "http://127.0.0.1:9", state: "ready", restarts: 0 },
  ]);
  const ready = await get("/health/ready");
  assert.equal(ready.status, 503);
  assert.equal(
    await ready.text(),
    "worker 1: hss: no HSS is connected\nworker 2: down\nworker 3: does not answer\n",
  );
  const text = await (await get("/metrics")).text();
  assert.match(text, /^ims_bono_workers_ready 2$/m);
  assert.match(text, /^ims_calls\{worker="1"\} 2$/m);
  const { active } = (await (await get("/alarms")).json()) as { active: Record<string, unknown>[] };
  assert.deepEqual(
    active.map(({ problemId, objectInstance }) => [problemId, objectInstance]),
    [
      ["TW-9002", "worker 2"],
      ["TW-1006", undefined],
    ],
  );
});
