import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { signatureOf } from "../../src/scaler/webhook.ts";
import { openWebhook } from "../../src/scaler/webhook-server.ts";
import { alert, post, SECRET, setUp, sizeOf } from "../../testing/scaler-setting.ts";

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
