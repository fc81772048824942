import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChargingEvent } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { type Bench, SCSCF } from "../support/bench.ts";
import { BGCF, numbersBench } from "../support/numbers.ts";

const ROUTES = [{ number: "+1", route: ["sip:192.0.2.70:5070;transport=tcp"] }];
const NUMBER = "tel:+15559999";
const CCF = "aaa://ccf.example.com:3868";

interface Call {
  readonly b: Bench;
  readonly events: ChargingEvent[];
  readonly sent: SipMessage;
}

/** Alice calls a number in the PSTN. */
async function call(charges: boolean, method = "INVITE"): Promise<Call> {
  const events: ChargingEvent[] = [];
  const { bench: b } = await numbersBench({
    routes: ROUTES,
    ...(charges ? { charge: (event) => void (event.node === "BGCF" && events.push(event)) } : {}),
  });
  const headers = [
    `Route: <${SCSCF};lr;orig>`,
    "P-Asserted-Identity: <sip:alice@example.com>",
    `P-Charging-Function-Addresses: ccf="${CCF}"`,
    "Contact: <sip:alice@192.0.2.1:5060>",
  ];
  const asked = b.request(method, { uri: NUMBER, callId: "pstn", headers });
  return { b, events, sent: await b.exchange(asked, b.toScscf) };
}

const brief = ({ kind, node, role, status }: ChargingEvent): unknown[] => [kind, node, role, status];

test("TS 32.260 §5.2.2.1: the BGCF charges a call, its change and its end, with the collection functions that came", async () => {
  const { b, events, sent } = await call(true);
  assert.deepEqual(sent.values("Record-Route"), [`<${BGCF};lr>`, `<${SCSCF};lr>`]);
  assert.equal(sent.has("P-Charging-Function-Addresses"), false);
  const [answer] = await b.send(b.answer(sent, 200, ["Contact: <sip:gw@192.0.2.70:5070>"]), b.dialled(5070));
  const routes = answer?.values("Record-Route").reverse() ?? [];
  assert.deepEqual(events.map(brief), [["start", "BGCF", "originating", 200]]);
  assert.deepEqual(events[0]?.ccf, [CCF]);
  assert.equal(events[0]?.icid, "abc");
  const inside = { uri: "sip:gw@192.0.2.70:5070;transport=tcp", to: NUMBER, toTag: "t1", callId: "pstn" };
  const headers = routes.map((route) => `Route: ${route}`);
  const ack = await b.exchange(b.request("ACK", { ...inside, headers }), b.toScscf);
  assert.deepEqual([ack.method, ack.values("Route")], ["ACK", []]);
  const again = await b.exchange(b.request("INVITE", { ...inside, cseq: 2, headers }), b.toScscf);
  assert.deepEqual(again.values("Route"), []);
  await b.send(b.answer(again, 200), b.dialled(5070));
  const bye = await b.exchange(b.request("BYE", { ...inside, cseq: 3, headers }), b.toScscf);
  assert.equal(bye.requestUri, inside.uri);
  assert.deepEqual(events.slice(1).map(brief), [
    ["interim", "BGCF", undefined, 200],
    ["stop", "BGCF", undefined, undefined],
  ]);
});

test("TS 32.260 §5.2.2.1: the BGCF charges a call that fails and a message as events; a challenge is none", async () => {
  for (const [method, status, wanted] of [
    ["INVITE", 486, [["event", "BGCF", "originating", 486]]],
    ["MESSAGE", 202, [["event", "BGCF", "originating", 202]]],
    ["MESSAGE", 407, []],
  ] as const) {
    const { b, events, sent } = await call(true, method);
    assert.equal(sent.values("Record-Route").includes(`<${BGCF};lr>`), method === "INVITE");
    await b.send(b.answer(sent, status), b.dialled(5070));
    assert.deepEqual(events.map(brief), wanted, method);
  }
});

test("TS 24.229 §5.6.2: a BGCF that does not charge stays in no dialog; one that did before a restart still lets the BYE through", async () => {
  const { b, sent } = await call(false);
  assert.deepEqual(sent.values("Record-Route"), [`<${SCSCF};lr>`]);
  await b.send(b.answer(sent, 200), b.dialled(5070));
  const inside = { uri: "sip:gw@192.0.2.70:5070;transport=tcp", to: NUMBER, toTag: "t1", callId: "pstn" };
  const route = (uri: string): string => `Route: <${uri};lr>`;
  const bye = b.request("BYE", { ...inside, cseq: 2, headers: [route(SCSCF), route(BGCF)] });
  assert.equal((await b.exchange(bye, b.toScscf)).requestUri, inside.uri);
  const lost = b.request("BYE", { ...inside, uri: BGCF, cseq: 3, headers: [route(SCSCF), route(BGCF)] });
  assert.equal((await b.exchange(lost, b.toScscf)).status, 404);
});
