import assert from "node:assert/strict";
import { test } from "node:test";
import type { StrayMessage } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import { FakeTransportLayer } from "@ims/sip/testing";
import { strayResponses } from "../../src/pcscf/stray-responses.ts";

test("responses are handed over with who sent them, 200 a second at most", () => {
  const clock = fakeClock();
  const told: StrayMessage[] = [];
  const handOver = strayResponses({ tell: (one) => void told.push(one), hear: () => undefined }, clock);
  const flow = new FakeTransportLayer().connect({
    ...{ side: "access", protocol: "UDP", remoteAddress: "198.51.100.7", remotePort: 6000 },
  });
  assert.equal(handOver("SIP/2.0 200 OK", flow), true);
  assert.deepEqual(told, [{ node: "bono", text: "SIP/2.0 200 OK", address: "198.51.100.7", port: 6000 }]);
  for (let count = 1; count < 200; count++) assert.equal(handOver("x", flow), true);
  assert.equal(handOver("x", flow), false);
  clock.advance(1_000);
  assert.equal(handOver("x", flow), true);
  assert.equal(told.length, 201);
});
