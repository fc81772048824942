import assert from "node:assert/strict";
import { test } from "node:test";
import type { TriggerCondition } from "@ims/ims";
import type { Bench } from "../support/bench.ts";
import { SCSCF } from "../support/bench.ts";
import {
  benchWithCriteria,
  chainBench,
  fromAlice,
  ifc,
  method,
  only,
  sessionCase,
  visited,
} from "../support/chain.ts";

const presence: TriggerCondition = { kind: "sipHeader", header: "Event", content: "^presence" };
const SERVER = 7001;

function publish(b: Bench, more: readonly string[]): string {
  return b.request("PUBLISH", {
    uri: "sip:alice@example.com",
    headers: [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>", ...more],
  });
}

test("RFC 3903, TS 23.218: a PUBLISH reaches the presence server of its user, and its entity tag the user", async () => {
  const b = await chainBench({
    alice: [ifc(SERVER, { when: [method("PUBLISH"), sessionCase(0), presence] })],
  });
  const asked = only(await b.send(publish(b, ["Event: presence", "Expires: 3600"]), b.toScscf));
  assert.equal(visited(asked), String(SERVER));
  assert.equal(asked.header("P-Served-User"), "<sip:alice@example.com>;sescase=orig;regstate=reg");
  assert.deepEqual([asked.header("Event"), asked.header("Expires")], ["presence", "3600"]);
  assert.equal(asked.has("Record-Route"), false, "it makes no dialog");
  const answer = only(
    await b.send(b.answer(asked, 200, ["SIP-ETag: dx200xyz", "Expires: 1800"]), b.dialled(SERVER)),
  );
  assert.deepEqual([answer.status, answer.lines("SIP-ETag")], [200, ["dx200xyz"]]);
  // Another package is none of that server's.
  const other = await b.send(publish(b, ["Event: dialog"]), b.toScscf);
  assert.notEqual(visited(other.find(({ isRequest }) => isRequest)), String(SERVER));
});

test("RFC 3856, TS 23.218: a SUBSCRIBE reaches the presence server of who is watched, registered or not; its NOTIFYs pass", async () => {
  for (const registered of [true, false]) {
    const server = ifc(SERVER, { when: [method("SUBSCRIBE"), presence] });
    const b = registered ? await chainBench({ bob: [server] }) : benchWithCriteria({ bob: [server] });
    if (!registered) await b.registered();
    const watcher = [
      "Event: presence",
      "Contact: <sip:alice@192.0.2.1:5060>",
      "Accept: application/pidf+xml",
    ];
    const asked = only(await fromAlice(b, "SUBSCRIBE", watcher));
    assert.equal(visited(asked), String(SERVER));
    const regstate = registered ? "reg" : "unreg";
    assert.equal(asked.header("P-Served-User"), `<sip:bob@example.com>;sescase=term;regstate=${regstate}`);
    const routes = asked.values("Record-Route");
    assert.deepEqual(routes, [`<${SCSCF};lr>`], "the dialog comes back here");
    const answer = only(await b.send(b.answer(asked, 202, ["Expires: 600"]), b.dialled(SERVER)));
    assert.equal(answer.status, 202);
    const edge = "<sip:token@127.0.0.1:5058;transport=tcp;lr>";
    const notify = b.request("NOTIFY", {
      uri: "sip:alice@192.0.2.1:5060",
      from: "sip:bob@example.com",
      fromTag: "t1",
      to: "sip:alice@example.com",
      toTag: "f1",
      callId: asked.callId,
      headers: [`Route: ${[...routes, edge].join(", ")}`, "Event: presence", "Subscription-State: active"],
    });
    const passed = only(await b.send(notify, b.toScscf));
    assert.deepEqual(
      [passed.method, passed.requestUri, passed.values("Route"), passed.header("Event")],
      ["NOTIFY", "sip:alice@192.0.2.1:5060", [edge], "presence"],
    );
  }
});
