import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { metricsRegister, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { CALL_FRAGMENTS_PATH, type CallFragment, CallListClient, callFragmentsSchema } from "../src/index.ts";

/** A homer as far as its clients can tell. */
async function fakeHomer(t: TestContext, answer: (turn: number) => number | "silent" | "nonsense") {
  const taken: CallFragment[] = [];
  let turn = 0;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { fragments } = callFragmentsSchema.parse(JSON.parse(text));
      const status = request.url === CALL_FRAGMENTS_PATH ? answer(turn++) : 404;
      if (status === "silent") return void request.socket.destroy();
      if (status === "nonsense") return void response.writeHead(200).end("{}");
      if (status === 200) taken.push(...fragments);
      response.writeHead(status).end(JSON.stringify({ written: fragments.length, unknown: 0 }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken, turns: () => turn };
}

function clientOf(urls: readonly string[], maxQueued?: number) {
  const register = metricsRegister();
  const client = new CallListClient({
    ...{ urls, clock: systemClock(), log: memoryLogger("silent"), random: () => 0, register },
    metricsPrefix: "ims_test",
    ...(maxQueued === undefined ? {} : { maxQueued }),
  });
  const lost = async (): Promise<string | undefined> =>
    /ims_test_call_fragments_lost_total (\d+)/.exec(await register.scrape())?.[1];
  return { client, lost };
}

const fragment = (at: number): CallFragment => ({
  ...{ kind: "end", impu: "sip:alice@example.com", call: "000000000000", startedAt: at, endedAt: at },
});

test("fragments go in order, many of them together, and all are there at the end", async (t) => {
  const homer = await fakeHomer(t, () => 200);
  const { client } = clientOf([homer.url]);
  for (let at = 0; at < 250; at++) client.send(fragment(at));
  await client.stop(5_000);
  assert.deepEqual(
    homer.taken.map(({ startedAt }) => startedAt),
    [...Array(250).keys()],
  );
  assert.equal(homer.turns(), 3);
});

test("a homer that is full, dies or talks nonsense is passed over, and none is lost", async (t) => {
  for (const failure of [503, "silent", "nonsense"] as const) {
    const ill = await fakeHomer(t, () => failure);
    const well = await fakeHomer(t, () => 200);
    const { client } = clientOf([ill.url, well.url]);
    client.send(fragment(1));
    await client.stop(5_000);
    assert.equal(well.taken.length, 1, String(failure));
    assert.equal(client.problem, undefined);
  }
});

test("while no homer answers fragments wait, in bounds, and the problem is told", async (t) => {
  const homer = await fakeHomer(t, () => "silent");
  const { client, lost } = clientOf([homer.url], 10);
  for (let at = 0; at < 15; at++) client.send(fragment(at));
  await client.stop(300);
  assert.match(client.problem ?? "", /^no homer takes call lists/);
  assert.equal(await lost(), "15");
});

test("what a homer does not understand is not sent for ever", async (t) => {
  const homer = await fakeHomer(t, (turn) => (turn === 0 ? 400 : 200));
  const { client, lost } = clientOf([homer.url]);
  client.send(fragment(1));
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.send(fragment(2));
  await client.stop(5_000);
  assert.deepEqual(
    homer.taken.map(({ startedAt }) => startedAt),
    [2],
  );
  assert.equal(await lost(), "1");
});
