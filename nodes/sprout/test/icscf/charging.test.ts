import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChargingEvent, ChargingTriggers } from "@ims/ims";
import type { ServerCapabilities } from "../../src/cx/cx.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, SCSCF } from "../support/bench.ts";
import { numbersBench } from "../support/numbers.ts";

const SECOND = "sip:192.0.2.20:5054;transport=tcp";
const scscfs = [{ uri: SECOND, capabilities: [1, 3], priority: 1, weight: 1 }];
const capabilities: ServerCapabilities = { mandatory: [1], optional: [3], serverNames: [] };

function bench(more: Parameters<typeof benchWithUsers>[0] = {}): { b: Bench; events: ChargingEvent[] } {
  const events: ChargingEvent[] = [];
  const icscfCharging = new ChargingTriggers({
    ...{ node: "I-CSCF", nodeAddress: "here", methods: ["INVITE", "MESSAGE", "REGISTER"], now: () => 1_000 },
    ...{ emit: (event: ChargingEvent) => void events.push(event), eventsOnly: true },
  });
  return { b: benchWithUsers({ icscfCharging, ...more }), events };
}

const brief = ({ kind, node, role, method, status, servers }: ChargingEvent): unknown[] => [
  ...[kind, node, role, method, status, servers?.serverNames],
];
const invite = (b: Bench, callId = "call"): string =>
  b.request("INVITE", { uri: "sip:bob@example.com", callId, headers: ["Contact: <sip:a@192.0.2.1>"] });

test("TS 32.260 Table 5.2.2.1: the I-CSCF charges an INVITE when its Cx query is completed, and a failure after it; no session", async () => {
  const { b, events } = bench();
  await b.registered(BOB, BOB_KEYS);
  events.length = 0;
  const asked = await b.exchange(invite(b));
  const completed = ["event", "I-CSCF", "terminating", "INVITE", undefined, [SCSCF]];
  assert.deepEqual(events.map(brief), [completed]);
  await b.send(b.answer(asked, 180), b.dialled());
  await b.send(b.answer(asked, 200), b.dialled());
  assert.equal(events.length, 1, "a session is the business of those who stay in it");
  const refused = await b.exchange(invite(b, "refused"));
  await b.send(b.answer(refused, 486), b.dialled());
  assert.deepEqual(events.slice(1).map(brief), [
    completed,
    ["event", "I-CSCF", "terminating", "INVITE", 486, [SCSCF]],
  ]);
  assert.equal(new Set(events.map(({ id }) => id)).size, 3);
});

test("the same INVITE, sent again to another member of the pool, has the same ids there: it counts once", async () => {
  const ids: string[][] = [];
  for (let member = 0; member < 2; member++) {
    const { b, events } = bench();
    await b.registered(BOB, BOB_KEYS);
    events.length = 0;
    const asked = await b.exchange(invite(b));
    await b.send(b.answer(asked, 486), b.dialled());
    ids.push(events.map(({ id }) => id));
  }
  assert.equal(ids[0]?.length, 2);
  assert.deepEqual(ids[0], ids[1]);
});

test("TS 32.260 Table 5.2.2.1: a query that fails is the failure alone", async () => {
  const { b, events } = bench();
  b.cx.next.LIR.push({ kind: "rejected", reason: "userUnknown" });
  assert.equal((await b.exchange(invite(b))).status, 404);
  assert.deepEqual(events.map(brief), [["event", "I-CSCF", "terminating", "INVITE", 404, undefined]]);
});

test("TS 32.260 Table 5.2.2.1: REGISTER and MESSAGE are events by their answer, not by a challenge, with what the HSS said of S-CSCFs", async () => {
  const { b, events } = bench();
  await b.registered(BOB, BOB_KEYS);
  assert.deepEqual(events.map(brief), [["event", "I-CSCF", "originating", "REGISTER", 200, [SCSCF]]]);
  events.length = 0;
  const message = await b.exchange(b.request("MESSAGE", { uri: "sip:bob@example.com" }));
  assert.deepEqual(events, []);
  await b.send(b.answer(message, 202), b.dialled());
  assert.deepEqual(events.map(brief), [["event", "I-CSCF", "terminating", "MESSAGE", 202, [SCSCF]]]);
  const selected = bench({ scscfs });
  selected.b.cx.next.UAR.push({ kind: "capabilities", capabilities });
  const register = await selected.b.exchange(selected.b.register());
  await selected.b.send(selected.b.answer(register, 403), selected.b.dialled(5054));
  assert.deepEqual(selected.events[0]?.servers, { mandatory: [1], optional: [3], serverNames: [SECOND] });
});

test("TS 24.229 §5.3.2.1: a number that the HSS does not know has been asked about all the same", async () => {
  const events: ChargingEvent[] = [];
  const { bench: b } = await numbersBench({
    routes: [{ number: "+1", route: ["sip:192.0.2.70:5070;transport=tcp"] }],
    charge: (event) => void events.push(event),
  });
  events.length = 0;
  const headers = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"];
  await b.exchange(b.request("INVITE", { uri: "tel:+15559999", headers }), b.toScscf);
  assert.deepEqual(events.map(brief), [["event", "I-CSCF", "terminating", "INVITE", undefined, undefined]]);
});
