import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenStackError } from "../../src/openstack/errors.ts";
import { small, startLab } from "../../testing/lab.ts";

test("a token is used until shortly before its end, then renewed", async (t) => {
  const { cloud, nova, pace } = await startLab(t);
  await nova.servers();
  await nova.servers();
  assert.equal(cloud.tokensGiven, 1);
  pace.advance(3_545_000);
  await nova.servers();
  assert.equal(cloud.tokensGiven, 2);
});

test("a token that is refused in the middle is renewed, and what was asked is done once", async (t) => {
  const { cloud, heat, driver, run } = await startLab(t);
  await heat.stack("x");
  cloud.revokeTokens();

  assert.equal((await driver.instantiate("ims", small(), run)).kind, "done");
  cloud.revokeTokens();
  assert.ok((await driver.find("ims")) !== undefined);
  assert.equal(cloud.tokensGiven, 3);
  assert.equal(cloud.stacks.size, 1);
});

test("calls at the same time wait for one renewal", async (t) => {
  const { cloud, nova } = await startLab(t);
  await Promise.all([nova.servers(), nova.limits(), nova.zones(), nova.flavors()]);
  assert.equal(cloud.tokensGiven, 1);
});

test("credentials that are refused are told without them", async (t) => {
  const { cloud, nova } = await startLab(t);
  cloud.password = "another";
  await assert.rejects(nova.servers(), (error) => {
    assert.ok(error instanceof OpenStackError);
    assert.equal(error.detail.code, "AUTHENTICATION");
    assert.match(error.message, /refuses the credentials: .*requires authentication/);
    assert.doesNotMatch(JSON.stringify(error) + error.message + error.stack, /secret|another/);
    return true;
  });
});

test("reads are repeated after 429, 500, 502, 503, 504 and lost connections, with the pause the service asks for", async (t) => {
  const { cloud, nova, pace, retries } = await startLab(t);
  await nova.servers();
  cloud.faults.push({ on: /servers/, status: 429, headers: { "retry-after": "7" } });
  for (const status of [500, 502, 503, 0]) cloud.faults.push({ on: /servers/, status });
  await nova.servers();
  assert.deepEqual(pace.slept, [7_000, 2_000, 4_000, 8_000, 16_000]);
  assert.equal(retries.length, 5);
});

test("a service that stays broken is told after six tries", async (t) => {
  const { cloud, nova } = await startLab(t);
  cloud.faults.push({ on: /servers/, status: 503, times: 100 });
  await assert.rejects(
    nova.servers(),
    /^OpenStackError: nova answers 503 to GET \/servers\/detail: fault 503$/,
  );
  assert.equal(cloud.requests.filter((one) => one.includes("servers")).length, 6);
});

test("what changes something is not repeated when it may have been done", async (t) => {
  const { cloud, nova } = await startLab(t);
  const server = cloud.compute.boot("a-0", "core", "tidewater", "g");
  cloud.faults.push({ on: /action/, status: 500 });
  await assert.rejects(nova.stop(server.id), /nova answers 500/);
  assert.equal(cloud.requests.filter((one) => one.endsWith("/action")).length, 1);
});

test("lists are read to their last page, whatever host the link names", async (t) => {
  const { cloud, nova } = await startLab(t);
  cloud.page = 3;
  for (let at = 0; at < 8; at++) cloud.compute.boot(`a-${at}`, "core", "tidewater", `g${at}`);
  const servers = await nova.servers();
  assert.deepEqual(
    servers.map(({ name }) => name),
    Array.from({ length: 8 }, (_, at) => `a-${at}`),
  );
});

test("something else at the endpoint is told as such", async (t) => {
  const { cloud, nova } = await startLab(t);
  await nova.zones();
  cloud.faults.push({ on: /flavors/, status: 200 });
  await assert.rejects(
    nova.flavors(),
    /what answers at http:\/\/127\.0\.0\.1:\d+ is not nova: GET \/flavors\/detail: flavors: /,
  );
});

test("a service the catalogue does not have is told with those it has", async (t) => {
  const { session } = await startLab(t);
  await assert.rejects(
    session.endpoint({ type: "dns", name: "designate" }),
    /no dns service for this project; the catalogue has compute, image, network, orchestration/,
  );
});
