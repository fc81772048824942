import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { createHealth, managementServer, metricsRegister } from "@ims/runtime";

async function statusOf(request: ClientRequest): Promise<number> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode ?? 0;
}

test("a scrape storm: texts are shared, made one at a time with pauses between, and who is one of too many is refused", async (t) => {
  const register = metricsRegister();
  let made = 0;
  register.gauge({
    name: "ims_slow",
    help: "takes 10 ms",
    value: () => {
      for (const end = performance.now() + 10; performance.now() < end; );
      return ++made;
    },
  });
  const server = managementServer({ address: "127.0.0.1", port: 0 }, { register, health: createHealth() });
  await server.start();
  t.after(() => server.stop());
  const began = performance.now();
  const storm = async (): Promise<number[]> =>
    Promise.all(
      Array.from({ length: 100 }, () => statusOf(get({ port: server.port, path: "/metrics", agent: false }))),
    );
  const statuses = [...(await storm()), ...(await storm())];
  const took = performance.now() - began;
  assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
  assert.ok(statuses.filter((status) => status === 200).length >= 16);
  assert.ok(made <= 2 + took / 50, `${made} texts in ${took} ms`);
  // Whoever asks alone is served, and sees what is now.
  const before = made;
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  assert.match(text, new RegExp(`^ims_slow ${before + 1}$`, "m"));
  // And so is who asks from elsewhere while an address floods.
  let flooding = true;
  const flood = (async () => {
    let refused = 0;
    while (flooding) refused += (await storm()).filter((status) => status === 503).length;
    return refused;
  })();
  const elsewhere: number[] = [];
  while (elsewhere.length < 20)
    elsewhere.push(
      await statusOf(get({ port: server.port, path: "/metrics", agent: false, localAddress: "127.0.0.2" })),
    );
  flooding = false;
  assert.deepEqual([...new Set(elsewhere)], [200]);
  assert.ok((await flood) > 0);
});
