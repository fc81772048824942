import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "@ims/runtime";
import { NodeTransportLayer } from "../../src/index.ts";
import { QueueProbe } from "../../src/overload/queue-probe.ts";

test("the probe measures what a datagram waits for in the queue of the socket, and nobody else sees it", async (t) => {
  const clock = systemClock();
  const probe = new QueueProbe(clock);
  const seen: string[] = [];
  const transport = new NodeTransportLayer({
    clock,
    handler: probe.watch({
      onMessage: (text) => {
        seen.push(text);
        // Work that takes 2 ms.
        const end = performance.now() + 2;
        while (performance.now() < end);
      },
    }),
  });
  const point = await transport.listen({ side: "access", protocol: "UDP", host: "127.0.0.1", port: 0 });
  probe.open(point);
  // Sends at once, as the probe does.
  const sender = createSocket({ type: "udp4", lookup: (host, _options, found) => found(null, host, 4) });
  t.after(async () => {
    sender.close();
    probe.close();
    await transport.stop();
  });
  await soon(async () => {
    await delay(20);
    probe.delay();
    await delay(30);
    return probe.delay() < 25;
  }, "an empty queue");

  await new Promise<void>((resolve) => sender.bind(0, "127.0.0.1", resolve));
  await delay(30);
  // 60 ms of work stand before the next probe.
  for (let count = 0; count < 30; count++) sender.send(`MESSAGE ${count}`, point.port, "127.0.0.1");
  sender.send("~not the secret 1", point.port, "127.0.0.1");
  probe.delay();
  let waited = 0;
  await soon(async () => {
    await delay(50);
    waited = Math.max(waited, probe.delay());
    return waited >= 20 && seen.length >= 31;
  }, "the queue is felt, and all of it arrives");
  assert.equal(seen.length, 31, "the other one is a message like any");
});

/** A machine that is shared may give us no processor for a while. */
async function soon(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) if (await holds()) return;
  assert.fail(what);
}
