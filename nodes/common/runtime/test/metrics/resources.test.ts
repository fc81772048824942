import assert from "node:assert/strict";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import { createHealth, managementServer, metricsRegister, type Resource } from "@ims/runtime";

const TOKEN = "0123456789abcdef";

/** A resource that repeats what it is asked for. */
const echo: Resource = async (name) =>
  name === "gone"
    ? { kind: "notFound", detail: "it is gone" }
    : name === "away"
      ? { kind: "unavailable", detail: "come again" }
      : { kind: "found", document: { name } };

type Answer = { readonly status: number; readonly body: string; readonly type: string | undefined };

async function start(
  t: TestContext,
  { address = "127.0.0.1", token }: { address?: string; token?: string } = {},
): Promise<(path: string, headers?: Record<string, string>) => Promise<Answer>> {
  const server = managementServer(
    { address, port: 0, token },
    { register: metricsRegister(), health: createHealth() },
  );
  server.serve(new Map([["echo", echo]]));
  await server.start();
  t.after(() => server.stop());
  return (path, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: server.port, path, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body, type: response.headers["content-type"] }),
        );
      });
      sent.once("error", reject).end();
    });
}

test("a node's resources are answered as JSON by their names, decoded once; what is none is 404 or 400", async (t) => {
  const get = await start(t);
  const found = await get("/echo/sip%3Aa%2540b%2Fc?x=y");
  assert.deepEqual([found.status, JSON.parse(found.body)], [200, { name: "sip:a%40b/c" }]);
  assert.match(found.type ?? "", /^application\/json/);
  assert.deepEqual(
    await Promise.all(
      ["/echo/gone", "/echo/away", "/echo/%ff", "/echo", "/other/x", "/__proto__/x"].map(
        async (path) => (await get(path)).status,
      ),
    ),
    [404, 503, 400, 404, 404, 404],
  );
});

test("with a token only who presents it sees resources; metrics and health need none", async (t) => {
  const get = await start(t, { token: TOKEN });
  for (const authorization of [undefined, "Bearer", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, `bearer ${TOKEN}`])
    assert.equal(
      (await get("/echo/a", authorization === undefined ? {} : { authorization })).status,
      401,
      authorization,
    );
  assert.equal((await get("/echo/a", { authorization: `Bearer ${TOKEN}` })).status, 200);
  assert.equal((await get("/metrics")).status, 200);
});

test("beyond loopback a token is needed, and the refusal says how to give one", async (t) => {
  const get = await start(t, { address: "0.0.0.0" });
  const refused = await get("/echo/a");
  assert.equal(refused.status, 403);
  assert.match(refused.body, /--management-token-file/);
  assert.equal((await get("/metrics")).status, 200);
});

test("pages in a browser of this machine see no resources: not by their origin, nor by a name that leads here", async (t) => {
  const get = await start(t);
  for (const headers of [
    { origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { host: "evil.example:9102" },
    { host: "127.0.0.1.evil.example" },
  ])
    assert.equal(
      (await get("/echo/a", headers as Record<string, string>)).status,
      403,
      JSON.stringify(headers),
    );
  for (const headers of [{ host: "localhost:9102" }, { host: "[::1]:9102" }, { "sec-fetch-site": "none" }])
    assert.equal(
      (await get("/echo/a", headers as Record<string, string>)).status,
      200,
      JSON.stringify(headers),
    );
});
