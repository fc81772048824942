import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { openUdp, type Wire } from "./wire.ts";

test("UEs over UDP have a port of their own each, over one address", async (t) => {
  const edge = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => edge.close());
  await once(edge, "listening");
  const remote = { host: "127.0.0.1", port: edge.address().port };
  const wires: Wire[] = [];
  t.after(() => {
    for (const wire of wires) wire.close();
  });
  const events = { message: () => undefined, lost: () => undefined };
  for (let one = 0; one < 400; one++)
    wires.push(await openUdp({ host: "127.0.100.1", port: 0 }, remote, events));
  assert.equal(new Set(wires.map(({ local }) => local.port)).size, wires.length);
});
