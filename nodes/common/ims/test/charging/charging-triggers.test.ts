import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChargedMessage, type ChargingEvent, ChargingTriggers } from "../../src/index.ts";

function message(
  method: string,
  overrides: Partial<Omit<ChargedMessage, "header" | "values">> = {},
  headers: Readonly<Record<string, string>> = {},
): ChargedMessage {
  return {
    ...{ method, requestUri: "sip:bob@example.com", status: 0, callId: "call", fromTag: "a", toTag: "" },
    ...{ cseqNumber: 1, body: "" },
    ...overrides,
    header: (name) => headers[name],
    values: (name) => (headers[name] === undefined ? [] : [headers[name]]),
  };
}

function triggersInto(events: ChargingEvent[], methods = ["INVITE", "MESSAGE"]): ChargingTriggers {
  let now = 1_000;
  return new ChargingTriggers({
    ...{ node: "S-CSCF", nodeAddress: "127.0.0.1", methods },
    now: () => now++,
    emit: (event) => events.push(event),
  });
}

const answer = (
  status: number,
  toTag = "b",
  headers: Readonly<Record<string, string>> = {},
): ChargedMessage => message("", { status, toTag }, headers);

test("TS 32.260 Table 5.2.2.1: 200 to INVITE starts, re-INVITE and UPDATE change, BYE ends, the rest are events", () => {
  const events: ChargingEvent[] = [];
  const triggers = triggersInto(events);
  const initial = triggers.initial(message("INVITE"), "originating");
  initial?.sees(answer(180));
  assert.deepEqual(events, []);
  initial?.sees(answer(200));
  const inside = { fromTag: "a", toTag: "b" };
  triggers.inDialog(message("INVITE", { ...inside, cseqNumber: 2 }))?.sees(answer(200));
  triggers.inDialog(message("UPDATE", { ...inside, cseqNumber: 3 }))?.sees(answer(200));
  triggers.inDialog(message("INVITE", { ...inside, cseqNumber: 4 }))?.sees(answer(488));
  assert.equal(triggers.inDialog(message("BYE", { ...inside, cseqNumber: 5 })), undefined);
  triggers.initial(message("INVITE", { callId: "busy" }), "terminating")?.sees(answer(486));
  triggers.initial(message("MESSAGE"), "originating")?.sees(answer(202));
  triggers.initial(message("MESSAGE"), "originating")?.sees(answer(401));
  assert.equal(triggers.initial(message("OPTIONS"), "originating"), undefined);
  assert.equal(triggers.inDialog(message("INFO", inside)), undefined);
  assert.deepEqual(
    events.map(({ kind, method, status, role }) => [kind, method, status, role]),
    [
      ["start", "INVITE", 200, "originating"],
      ["interim", "INVITE", 200, undefined],
      ["interim", "UPDATE", 200, undefined],
      ["stop", "BYE", undefined, undefined],
      ["event", "INVITE", 486, "terminating"],
      ["event", "MESSAGE", 202, "originating"],
    ],
  );
});

test("the same transaction seen again has the same id; another role, dialog or request has another one", () => {
  const events: ChargingEvent[] = [];
  const triggers = triggersInto(events);
  const see = (role: "originating" | "terminating", toTag: string): void =>
    triggers.initial(message("INVITE"), role)?.sees(answer(200, toTag));
  see("originating", "b");
  see("originating", "b");
  see("terminating", "b");
  see("originating", "c");
  triggers.inDialog(message("BYE", { toTag: "b", cseqNumber: 2 }), "a");
  triggers.inDialog(message("BYE", { toTag: "b", cseqNumber: 2 }), "b");
  const ids = events.map(({ id }) => id);
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 5);
});

test("RFC 7315 §5.6: ICID and orig-ioi of the request, term-ioi of the answer, whatever is too long cut off", () => {
  const events: ChargingEvent[] = [];
  const request = message(
    "INVITE",
    { requestUri: `sip:${"x".repeat(5_000)}@example.com`, body: "v=0\r\n" },
    {
      "P-Charging-Vector": "icid-value=abc;icid-generated-at=127.0.0.1;orig-ioi=home1.net",
      "P-Asserted-Identity": '"A" <sip:alice@home1.net>',
      "Content-Type": "application/sdp",
      From: "<sip:alice@home1.net>;tag=a",
    },
  );
  const charged = triggersInto(events).initial(request, "originating");
  charged?.collectAt(["aaa://cdf.home1.net"]);
  charged?.sees(
    answer(200, "b", {
      "P-Charging-Vector": "icid-value=abc;term-ioi=home2.net",
      "Session-Expires": "600;refresher=uac",
      "P-Asserted-Identity": "<tel:+1555>",
    }),
  );
  const [event] = events;
  assert.deepEqual([event?.icid, event?.origIoi, event?.termIoi], ["abc", "home1.net", "home2.net"]);
  assert.deepEqual(event?.callingParty, ["sip:alice@home1.net"]);
  assert.deepEqual(event?.calledAsserted, ["tel:+1555"]);
  assert.deepEqual(
    [event?.from, event?.sessionExpires, event?.offer],
    ["sip:alice@home1.net", 600, "v=0\r\n"],
  );
  assert.deepEqual(event?.ccf, ["aaa://cdf.home1.net"]);
  assert.equal(event?.calledParty.length, 512);
});

test("TS 32.260 Table 5.2.2.1: a completed Cx query is an event of an INVITE, once, and no session follows where there are events only", () => {
  const events: ChargingEvent[] = [];
  const triggers = new ChargingTriggers({
    ...{ node: "I-CSCF", nodeAddress: "127.0.0.1", methods: ["INVITE", "MESSAGE"], eventsOnly: true },
    now: () => 1,
    emit: (event) => events.push(event),
  });
  const invite = triggers.initial(message("INVITE"), "terminating");
  invite?.queried({ serverNames: ["sip:scscf1"] });
  invite?.queried({ serverNames: ["sip:scscf2"] });
  invite?.sees(answer(200));
  const failed = triggers.initial(message("INVITE", { callId: "busy" }), "terminating");
  failed?.queried({ serverNames: [`sip:${"x".repeat(5_000)}`] });
  // No tag is no reason to take the failure for the query.
  failed?.sees(answer(486, ""));
  const sent = triggers.initial(message("MESSAGE"), "terminating");
  sent?.queried({ mandatory: [1] });
  sent?.sees(answer(200));
  assert.deepEqual(
    events.map(({ kind, method, status, servers }) => [
      kind,
      method,
      status,
      servers?.serverNames?.[0]?.length,
    ]),
    [
      ["event", "INVITE", undefined, 10],
      ["event", "INVITE", undefined, 512],
      ["event", "INVITE", 486, 512],
      ["event", "MESSAGE", 200, undefined],
    ],
  );
  assert.equal(new Set(events.map(({ id }) => id)).size, 4);
});
