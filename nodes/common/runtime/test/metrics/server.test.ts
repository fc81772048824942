import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createHealth, type Health, managementServer, metricsRegister } from "@ims/runtime";

async function start(
  t: TestContext,
): Promise<{ health: Health; get: (path: string, method?: string) => Promise<Response> }> {
  const health = createHealth();
  const register = metricsRegister();
  register.gauge({ name: "one", help: "1", value: () => 1 });
  const server = managementServer({ address: "127.0.0.1", port: 0 }, { register, health });
  await server.start();
  t.after(() => server.stop());
  return {
    health,
    get: (path, method = "GET") => fetch(`http://127.0.0.1:${server.port}${path}`, { method }),
  };
}

test("readiness follows the state and the checks; liveness only fails with the process", async (t) => {
  const { health, get } = await start(t);
  const seen = async (): Promise<[number, number, string]> => {
    const ready = await get("/health/ready");
    return [(await get("/health/live")).status, ready.status, (await ready.text()).trim()];
  };
  assert.deepEqual(await seen(), [200, 503, "starting"]);
  health.set("ready");
  assert.deepEqual(await seen(), [200, 200, "ready"]);
  const remove = health.addCheck("diameter", () => "no peer is open");
  assert.deepEqual(await seen(), [200, 503, "diameter: no peer is open"]);
  remove();
  health.set("quiescing");
  assert.deepEqual(await seen(), [200, 503, "quiescing"]);
  health.set("failed");
  health.set("ready");
  assert.deepEqual(await seen(), [503, 503, "failed"]);
});

test("metrics are served as Prometheus text", async (t) => {
  const { get } = await start(t);
  const response = await get("/metrics?x=y");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(await response.text(), /^one 1$/m);
});

test("other paths are 404, other methods 405", async (t) => {
  const { get } = await start(t);
  assert.equal((await get("/__proto__")).status, 404);
  assert.equal((await get("/metrics", "POST")).status, 405);
});

test("a port in use rejects start", async (t) => {
  const modules = { register: metricsRegister(), health: createHealth() };
  const first = managementServer({ address: "127.0.0.1", port: 0 }, modules);
  await first.start();
  t.after(() => first.stop());
  const second = managementServer({ address: "127.0.0.1", port: first.port }, modules);
  await assert.rejects(second.start(), { code: "EADDRINUSE" });
  await second.stop();
});
