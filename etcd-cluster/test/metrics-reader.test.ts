import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { metricsReader } from "@ims/etcd-cluster";
import { metricsRegister } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";

test("a sprout confirms a servers file by its metrics, not before it can have read it, and never while it is away", async (t) => {
  let exchange = 1;
  const register = metricsRegister();
  register.gauge({ name: "ims_sprout_memcached_exchange", help: "as sprout has it", value: () => exchange });
  const server = createServer((_request, response) => {
    void Promise.resolve(register.scrape()).then((text) => response.end(text));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const clock = fakeClock();
  const { port } = server.address() as AddressInfo;
  const reader = metricsReader({ url: `http://127.0.0.1:${port}/metrics`, clock });
  const lists = { servers: ["a:1"], next: ["b:1"] };
  assert.equal(await reader.look(lists), "unread");
  clock.advance(2000);
  assert.equal(await reader.look(lists), "read");
  exchange = 0;
  assert.equal(await reader.look(lists), "synchronized");
  assert.equal(await reader.look({ servers: ["b:1"] }), "unread", "another file");
  clock.advance(2000);
  assert.equal(await reader.look({ servers: ["b:1"] }), "synchronized");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await reader.look({ servers: ["b:1"] }), "unread");
});
