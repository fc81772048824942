import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, ICSCF, SCSCF } from "../support/bench.ts";

const TIMERS = { sessionExpires: 600, maxSessionExpires: 1800, minSessionExpires: 120 } as const;
const FROM_ALICE = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"];

async function bench(configured = true): Promise<Bench> {
  const b = benchWithUsers(configured ? { sessionTimers: TIMERS } : {});
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  return b;
}

function call(b: Bench, headers: readonly string[] = []): string {
  return b.request("INVITE", { uri: "sip:bob@example.com", headers: [...FROM_ALICE, ...headers] });
}

test("TS 24.229 §5.4.4.1, RFC 4028 §8.1: a session is to be refreshed when neither side has asked for it", async () => {
  const b = await bench();
  const [invite] = await b.send(call(b, ["Supported: timer"]), b.toScscf);
  assert.ok(invite);
  assert.deepEqual(invite.lines("Session-Expires"), ["600"]);
  const [answer] = await b.send(b.answer(invite, 200), b.dialled());
  assert.deepEqual(
    [answer?.status, answer?.lines("Session-Expires"), answer?.values("Require")],
    [200, ["600;refresher=uac"], ["timer"]],
  );
});

test("RFC 4028 §8.2: what the callee says of the refresher stays", async () => {
  const b = await bench();
  const [invite] = await b.send(call(b, ["x: 900;refresher=uac", "k: timer"]), b.toScscf);
  assert.ok(invite);
  assert.deepEqual(invite.lines("Session-Expires"), ["900;refresher=uac"]);
  const answered = ["Session-Expires: 900;refresher=uas", "Require: timer"];
  const [answer] = await b.send(b.answer(invite, 200, answered), b.dialled());
  assert.deepEqual(answer?.lines("Session-Expires"), ["900;refresher=uas"]);
  assert.deepEqual(answer?.values("Require"), ["timer"]);
});

test("RFC 4028 §8.1: 422 with Min-SE when it is too short, of a call and of a refresh inside it; too long is shortened", async () => {
  const b = await bench();
  const refused = await b.exchange(call(b, ["Session-Expires: 100", "Supported: timer"]), b.toScscf);
  assert.deepEqual([refused.status, refused.header("Min-SE")], [422, "120"]);
  const [long] = await b.send(call(b, ["Session-Expires: 86400"]), b.toScscf);
  assert.equal(long?.header("Session-Expires"), "1800");
  const inside = {
    uri: "sip:bob@192.0.2.2:5060",
    toTag: "t1",
    headers: [`Route: <${SCSCF};lr>, <sip:token@127.0.0.1:5058;transport=tcp;lr>`],
  } as const;
  for (const method of ["INVITE", "UPDATE"]) {
    const headers = [...inside.headers, "Session-Expires: 100", "Supported: timer"];
    const again = await b.exchange(b.request(method, { ...inside, headers }), b.toScscf);
    assert.equal(again.status, 422, method);
  }
  const [update] = await b.send(b.request("UPDATE", inside), b.toScscf);
  assert.deepEqual([update?.method, update?.header("Session-Expires")], ["UPDATE", undefined]);
});

test("RFC 4028 §8: a call that another network sends is timed too", async () => {
  const b = await bench();
  const [invite] = await b.send(
    b.request("INVITE", {
      uri: "sip:bob@example.com",
      headers: [`Route: <${ICSCF};lr>`, "Supported: timer"],
    }),
  );
  assert.equal(invite?.header("Session-Expires"), "600");
  assert.ok(invite);
  const [answer] = await b.send(b.answer(invite, 200), b.dialled());
  assert.equal(answer?.header("Session-Expires"), "600;refresher=uac");
});

test("without session timers configured nothing is added or refused", async () => {
  const b = await bench(false);
  const [invite] = await b.send(call(b, ["Supported: timer", "Session-Expires: 30"]), b.toScscf);
  assert.equal(invite?.header("Session-Expires"), "30");
  assert.ok(invite);
  const [answer] = await b.send(b.answer(invite, 200), b.dialled());
  assert.equal(answer?.has("Session-Expires"), false);
});
