import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { RequestTurns, type Turn } from "../../src/http/request-turns.ts";
import { fakeClock } from "../../testing/index.ts";

const request = (socket = { destroyed: false }): IncomingMessage =>
  ({ socket }) as unknown as IncomingMessage;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function underTest(atOnce: number, waiting: number) {
  const clock = fakeClock();
  const turns = new RequestTurns({ clock, atOnce, waiting, longestMs: 2_000 });
  const order: string[] = [];
  const running = new Map<string, Turn>();
  const ask = (client: string, name: string, raw = request()): void => {
    void turns.take(client, raw).then((turn) => {
      order.push(turn === undefined ? `${name} refused` : name);
      if (turn !== undefined) running.set(name, turn);
    });
  };
  const end = (name: string): Promise<void> => {
    running.get(name)?.end();
    return settled();
  };
  return { clock, turns, order, ask, end };
}

test("so many are worked on at once; of those that wait each client has its turn, whoever asked for more", async () => {
  const { turns, order, ask, end } = underTest(2, 100);
  for (const name of ["a1", "a2", "a3", "a4", "a5"]) ask("a", name);
  ask("b", "b1");
  ask("c", "c1");
  ask("b", "b2");
  await settled();
  assert.deepEqual([order, turns.working, turns.waiting], [["a1", "a2"], 2, 6]);
  for (const name of ["a1", "a2", "a3", "b1", "c1", "a4"]) await end(name);
  assert.deepEqual(order, ["a1", "a2", "a3", "b1", "c1", "a4", "b2", "a5"]);
  // Ending twice gives no second place.
  await end("a4");
  assert.deepEqual([turns.working, turns.waiting], [2, 0]);
});

test("one client fills half of the places at most, and when all are taken nobody else waits", async () => {
  const { turns, order, ask } = underTest(1, 4);
  for (const name of ["a1", "a2", "a3", "a4"]) ask("a", name);
  assert.deepEqual([turns.isFull("a"), turns.isFull("b")], [true, false]);
  for (const name of ["b1", "b2"]) ask("b", name);
  assert.equal(turns.isFull("c"), true);
  ask("c", "c1");
  await settled();
  assert.deepEqual(order, ["a1", "a4 refused", "c1 refused"]);
});

test("who has waited too long is refused, who has gone is not worked on, and the longest wait is told", async () => {
  const { clock, turns, order, ask, end } = underTest(1, 10);
  const gone = { destroyed: false };
  ask("a", "a1");
  ask("b", "b1", request(gone));
  ask("a", "a2");
  clock.advance(500);
  ask("b", "b2");
  assert.equal(turns.longestWait(), 500);
  gone.destroyed = true;
  await settled();
  await end("a1");
  assert.deepEqual(order, ["a1", "b1 refused", "a2"]);
  clock.advance(1_000);
  ask("c", "c1");
  clock.advance(1_000);
  await settled();
  assert.deepEqual(order.slice(3), ["b2 refused"]);
  await end("a2");
  assert.deepEqual(order.slice(4), ["c1"]);
  assert.equal(turns.longestWait(), 0);
  assert.equal(clock.pending(), 0);
});

test("work that fills a turn of the event loop lets others run before the next request begins", async () => {
  const { clock, order, ask } = underTest(64, 10);
  ask("a", "a1");
  clock.advance(6);
  for (const name of ["a2", "a3"]) ask("a", name);
  // What has arrived meanwhile at other sockets is handled in between.
  setImmediate(() => order.push("Diameter"));
  for (let turn = 0; turn < 3; turn++) await settled();
  assert.deepEqual(order, ["a1", "a2", "Diameter", "a3"]);
});
