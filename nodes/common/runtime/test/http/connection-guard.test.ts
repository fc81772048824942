import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "../../testing/index.ts";
import { openConnection, startServer, until } from "./http-under-test.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";

/** Time passes second by second; what clients do meanwhile arrives. */
async function pass(clock: ReturnType<typeof fakeClock>, seconds: number, each?: () => void): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    each?.();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await clock.advanceAsync(1_000);
  }
}

test("who says nothing, or does not come to the end of a head, is cut off", async (t) => {
  const clock = fakeClock();
  const { port } = await startServer(t, { clock }, { watching: true });
  const silent = await openConnection(t, port);
  const dripping = await openConnection(t, port);
  dripping.socket.write("GET / HTTP/1.1\r\nX-Drip: ");
  const busy = await openConnection(t, port);
  let cut = 0;
  for (const { ended } of [silent, dripping]) void ended.then(() => cut++);
  await pass(clock, 8, () => {
    dripping.socket.write("X");
    busy.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  });
  assert.equal(cut, 0);
  await pass(clock, 4, () => {
    if (!dripping.socket.destroyed) dripping.socket.write("X");
  });
  await until(() => cut === 2, "both are cut off");
  assert.equal(busy.socket.destroyed, false, "who asks and is answered stays");
  // Between two requests it may wait; a head that it begins must end.
  await pass(clock, 12);
  assert.equal(busy.socket.destroyed, false);
  busy.socket.write("GET /");
  await pass(clock, 12);
  await until(() => busy.socket.destroyed, "the head that does not end");
});

test("a body that comes drop by drop is cut off, one that comes slowly is taken", async (t) => {
  const clock = fakeClock();
  const { port } = await startServer(t, { clock }, { watching: true });
  const [drop, slow] = [await openConnection(t, port), await openConnection(t, port)];
  for (const { socket } of [drop, slow]) socket.write(HEAD);
  await pass(clock, 7, () => {
    if (!drop.socket.destroyed) drop.socket.write("0123456789");
    slow.socket.write("x".repeat(4_000));
  });
  await until(() => drop.socket.destroyed, "drop by drop");
  assert.equal(slow.socket.destroyed, false);
  slow.socket.write("x".repeat(100_000 - 28_000));
  await until(() => slow.text().startsWith("HTTP/1.1 200"), "taken");
});

test("how many connections are open is known, and comes back to none", async (t) => {
  const { metricsRegister } = await import("../../src/metrics/register.ts");
  const register = metricsRegister();
  const { port } = await startServer(t, { clock: fakeClock(), register, metricsPrefix: "ims_test" });
  const open = async (): Promise<number> =>
    Number(/^ims_test_http_connections (\d+)$/m.exec(await register.scrape())?.[1]);
  const connections = await Promise.all([1, 2, 3].map(() => openConnection(t, port)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await open(), 3);
  for (const { socket } of connections) socket.destroy();
  for (let tries = 0; (await open()) > 0; tries++) {
    assert.ok(tries < 200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
