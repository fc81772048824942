import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { ChargingEvent } from "@ims/ims";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { ChargingClient } from "../src/index.ts";

interface Batch {
  readonly resent: boolean;
  readonly events: readonly { readonly id: string }[];
}

/** A ralf as far as its clients can tell. */
async function fakeRalf(t: TestContext, answer: (batch: Batch) => number | "silent") {
  const batches: Batch[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const batch = JSON.parse(text) as Batch;
      const status = answer(batch);
      if (status === "silent") return void request.socket.destroy();
      if (status === 202) batches.push(batch);
      response.writeHead(status).end(JSON.stringify({ accepted: batch.events.length, refused: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, batches };
}

const event = (id: string): ChargingEvent => ({
  ...{ id, kind: "event", time: 1, node: "S-CSCF", nodeAddress: "", callId: id, fromTag: "", toTag: "" },
  ...{ method: "MESSAGE", callingParty: [], calledParty: "" },
});

function clientOf(urls: readonly string[], maxQueued?: number): ChargingClient {
  return new ChargingClient({
    ...{ urls, clock: systemClock(), log: memoryLogger("silent"), random: () => 0 },
    ...(maxQueued === undefined ? {} : { maxQueued }),
  });
}

test("events go in order, those of one turn together", async (t) => {
  const ralf = await fakeRalf(t, () => 202);
  const client = clientOf([ralf.url]);
  for (let i = 0; i < 1_200; i++) client.send(event(`${i}`));
  await client.stop(5_000);
  assert.deepEqual(
    ralf.batches.map(({ events }) => events.length),
    [500, 500, 200],
  );
  assert.deepEqual(
    ralf.batches.flatMap(({ events }) => events.map(({ id }) => Number(id))),
    [...Array(1_200).keys()],
  );
  assert.deepEqual(client.counters, { taken: 1_200, refused: 0, lost: 0, failures: 0 });
});

test("a ralf that does not answer is passed over for the next one, which is told that the batch may be known", async (t) => {
  const dead = await fakeRalf(t, () => "silent");
  const live = await fakeRalf(t, () => 202);
  const client = clientOf([dead.url, live.url]);
  client.send(event("one"));
  await client.flush(AbortSignal.timeout(5_000));
  client.send(event("two"));
  await client.stop(5_000);
  assert.deepEqual(
    live.batches.map(({ resent, events }) => [resent, events[0]?.id]),
    [
      [true, "one"],
      [false, "two"],
    ],
  );
});

test("while no ralf takes them events wait, and an operator is told; beyond the limit they are counted as lost", async (t) => {
  let status = 503;
  const ralf = await fakeRalf(t, () => status);
  const client = clientOf([ralf.url], 3);
  for (const id of ["1", "2", "3", "4"]) client.send(event(id));
  for (const end = Date.now() + 5_000; client.problem === undefined && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(client.problem ?? "", /no ralf takes charging events, 3 wait/);
  status = 202;
  await client.stop(5_000);
  assert.equal(ralf.batches.flatMap(({ events }) => events).length, 3);
  assert.equal(client.counters.lost, 1);
  assert.equal(client.problem, undefined);
});

test("a batch that is too large comes again in halves; one event that is too large costs only itself", async (t) => {
  const ralf = await fakeRalf(t, ({ events }) =>
    events.length > 2 || events.some(({ id }) => id === "huge") ? 413 : 202,
  );
  const client = clientOf([ralf.url]);
  for (const id of ["1", "2", "huge", "3", "4"]) client.send(event(id));
  await client.stop(5_000);
  assert.deepEqual(
    ralf.batches.flatMap(({ events }) => events.map(({ id }) => id)),
    ["1", "2", "3", "4"],
  );
  assert.equal(client.counters.refused, 1);
});
