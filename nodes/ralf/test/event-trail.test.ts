import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChargingEvent } from "@ims/ims";
import { Trail } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import { noteEvent } from "../src/event-trail.ts";

test("a charging event is a step of its call, found by Call-ID and by both parties", async () => {
  const trail = new Trail({ bytes: 10_000, steps: 10, clock: fakeClock(), origin: () => 0 });
  const event: ChargingEvent = {
    ...{ id: "1", kind: "start", time: 0, node: "S-CSCF", nodeAddress: "sprout-1", role: "originating" },
    ...{ callId: "call-1", fromTag: "a", toTag: "b", method: "INVITE", status: 200, icid: "icid-1" },
    ...{
      callingParty: ["sip:alice@example.com"],
      calledParty: "tel:+4930123",
      offer: "a=crypto:1 X inline:KEY",
    },
  };
  noteEvent(trail, event);
  for (const key of ["call-1", "sip:alice@example.com", "+4930123"]) {
    const { steps } = await trail.find({ keys: [key], limit: 9, text: true });
    assert.deepEqual(
      steps.map(({ kind, title }) => `${kind} ${title}`),
      [
        "charging start: node S-CSCF, nodeAddress sprout-1, role originating, method INVITE, status 200, icid icid-1",
      ],
    );
    assert.ok(!JSON.stringify(steps).includes("KEY"));
  }
});
