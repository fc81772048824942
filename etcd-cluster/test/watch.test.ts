import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import { EtcdClient, parseEndpoints, type WatchTurn } from "../src/index.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const header = (revision: number) => ({ header: { revision: String(revision) } });
const event = (revision: number) => ({
  result: {
    ...header(revision),
    events: [{ kv: { key: base64("k"), value: base64("v"), mod_revision: String(revision) } }],
  },
});

/** An etcd whose watch and whose reads the test answers. */
async function gateway(t: TestContext) {
  const reads: ServerResponse[] = [];
  const watches: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/v3/watch") {
      response.write(`${JSON.stringify({ result: { ...header(1), created: true } })}\n`);
      watches.push(response);
    } else reads.push(response);
    server.emit("asked");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const endpoints = parseEndpoints(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = new EtcdClient({ endpoints, clock: systemClock(), watchCheckMs: 10 });
  t.after(() => client.close());
  const next = async (of: ServerResponse[]): Promise<ServerResponse> => {
    for (;;) {
      const one = of.shift();
      if (one !== undefined) return one;
      await once(server, "asked");
    }
  };
  return { client, read: () => next(reads), watch: () => next(watches) };
}

test("a read that was sent before a change was told may be answered with less; one sent after it may not", async (t) => {
  const { client, read, watch } = await gateway(t);
  const abort = new AbortController();
  t.after(() => abort.abort());
  const turns = client.watch({ key: "k" }, 2, abort.signal);
  const turn = async (): Promise<WatchTurn> => (await turns.next()).value as WatchTurn;

  const first = turn();
  const stream = await watch();
  stream.write(`${JSON.stringify(event(5))}\n`);
  await first;
  const early = await read();
  stream.write(`${JSON.stringify(event(9))}\n`);
  const told = await turn();
  assert.equal(told.kind === "events" && told.revision, 9);
  const last = turn();
  const ended = last.then(() => assert.fail("the watch has ended"));
  early.end(JSON.stringify(header(5)));
  // The watch goes on: the server is looked after again.
  const late = await Promise.race([read(), ended]);
  ended.catch(() => undefined);
  late.end(JSON.stringify(header(8)));
  assert.deepEqual(await last, { kind: "restart", reason: "rewound" });
  assert.equal((await turns.next()).done, true);
});
