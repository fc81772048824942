import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SipMessage } from "@ims/sip";
import type { Bench } from "../support/bench.ts";
import { ifc, method } from "../support/chain.ts";
import { Members } from "../support/members.ts";
import { documentOf, notifies, subscribe, subscribed, told } from "../support/reg-event.ts";

const ALICE = { impi: "alice@example.com", impus: ["sip:alice@example.com"] };

function pool(t: TestContext): { members: Members; start(): ReturnType<Members["start"]> } {
  const members = new Members(t);
  members.cx.subscribers.push(ALICE);
  return {
    members,
    start() {
      const bench = members.start();
      bench.entities.start();
      return bench;
    },
  };
}

/** Runs the pool; every NOTIFY that leaves a member is answered. */
async function run(members: Members, seconds: number, benches: readonly Bench[]): Promise<SipMessage[]> {
  const seen: SipMessage[] = [];
  for (let second = 0; second < seconds; second++) {
    await members.clock.advanceAsync(1_000);
    for (const bench of benches)
      for (const one of notifies(await bench.settled())) {
        seen.push(one);
        await bench.send(bench.answer(one, 200), bench.dialled());
      }
  }
  return seen;
}

test("TS 24.229 §5.4.2.1: a subscription that one member took is served by another: changes, refresh, the end", async (t) => {
  const { members, start } = pool(t);
  const a = start();
  const b = start();
  await run(members, 30, [a, b]);
  await a.registered({ expires: 600, callId: "one" });
  const { ok } = await subscribed(a);
  members.kill(a);

  const challenged = await b.exchange(b.register({ expires: 900, callId: "later" }));
  const left = await b.send(
    b.register({ expires: 900, callId: "later", authorization: b.answerTo(challenged) }),
  );
  const [changed] = notifies(left);
  assert.equal(changed?.header("CSeq"), "2 NOTIFY");
  assert.match(changed?.header("From") ?? "", new RegExp(`;tag=${ok.toTag}$`));
  assert.deepEqual(told(changed), [
    "sip:alice@example.com active: sip:alice@192.0.2.1:5060 active refreshed",
  ]);
  assert.ok(changed);
  await b.send(b.answer(changed, 200), b.dialled());

  const refreshed = await b.send(subscribe(b, { inDialog: ok, cseq: 2, expires: 700 }), b.toScscf);
  assert.equal(refreshed[0]?.status, 200);
  const [third] = notifies(refreshed);
  assert.equal(documentOf(third).version, 2);
  assert.ok(third);
  await b.send(b.answer(third, 200), b.dialled());
});

test("a member dies before its NOTIFY has left: another sends the state, also the end of a registration", async (t) => {
  for (const expires of [900, 0]) {
    const { members, start } = pool(t);
    const a = start();
    const b = start();
    await run(members, 30, [a, b]);
    await a.registered({ expires: 600, callId: "one" });
    await subscribed(a);
    const fields =
      expires === 0
        ? { expires, callId: "one" }
        : { expires, callId: "two", contact: "<sip:alice@192.0.2.9>" };
    const challenged = await a.exchange(a.register(fields));
    // What leaves now is lost with the member: nobody answers it.
    await a.send(a.register({ ...fields, authorization: a.answerTo(challenged) }));
    members.kill(a);
    const [again, ...more] = await run(members, 200, [b]);
    assert.equal(more.length, 0);
    assert.equal(again?.header("CSeq"), "3 NOTIFY");
    assert.match(again?.header("Subscription-State") ?? "", expires === 0 ? /^terminated/ : /^active/);
    assert.deepEqual(
      told(again),
      expires === 0
        ? ["sip:alice@example.com terminated: sip:alice@192.0.2.1:5060 terminated unregistered"]
        : [
            "sip:alice@example.com active: sip:alice@192.0.2.1:5060 active registered, sip:alice@192.0.2.9 active registered",
          ],
    );
    // Told, the set is gone from the stores.
    const rows = await members.rows.read("sip:alice@example.com");
    const items = rows.kind === "found" ? rows.rows.map(({ item }) => item.slice(0, 2)) : [];
    assert.deepEqual(items.sort(), expires === 0 ? ["he"] : ["b\n", "b\n", "he", "s\n"]);
    await b.entities.stop();
  }
});

test("all members are killed and every memcached emptied: who subscribed hears of the lapse when they are back", async (t) => {
  const { members, start } = pool(t);
  const a = start();
  await run(members, 30, [a]);
  await a.registered({ expires: 120, callId: "one" });
  await subscribed(a);
  members.kill(a);
  members.forget();
  members.clock.advance(3_600_000);
  const b = start();
  const [notify, ...more] = await run(members, 90, [b]);
  assert.equal(more.length, 0);
  assert.match(notify?.header("Subscription-State") ?? "", /^terminated/);
  assert.deepEqual(told(notify), [
    "sip:alice@example.com terminated: sip:alice@192.0.2.1:5060 terminated expired",
  ]);
});

test("a SUBSCRIBE that comes again at another member, after the first one has died, is the same subscription", async (t) => {
  const { members, start } = pool(t);
  const a = start();
  const b = start();
  await run(members, 30, [a, b]);
  await a.registered({ expires: 600 });
  const fields = { callId: "again", expires: 600 };
  const [first] = await a.send(subscribe(a, fields), a.toScscf);
  members.kill(a);
  const [second, notify] = await b.send(subscribe(b, fields), b.toScscf);
  assert.equal(second?.status, 200);
  assert.equal(second?.toTag, first?.toTag);
  assert.equal(notify?.header("CSeq"), "2 NOTIFY");
});

test("TS 24.229 §5.4.1.5: the S-CSCF ends a registration while the HSS is away: its calendar goes on until that has heard", async (t) => {
  const { members, start } = pool(t);
  const ifcs = [ifc(7001, { when: [method("REGISTER", [1])], defaultHandling: "terminate" })];
  members.cx.subscribers.splice(0, 1, { ...ALICE, ifcs });
  const a = start();
  await run(members, 30, [a]);
  await a.registered({ expires: 600 });
  await subscribed(a);
  const challenged = await a.exchange(a.register({ expires: 600 }));
  const left = await a.send(a.register({ expires: 600, authorization: a.answerTo(challenged) }));
  const asked = left.find((one) => one.method === "REGISTER") ?? assert.fail();
  const [refreshed] = notifies(left);
  await a.send(a.answer(refreshed ?? assert.fail(), 200), a.dialled());
  members.cx.taken();
  members.cx.next.SAR.push({ kind: "unavailable", cause: "timeout" });
  await a.send(a.answer(asked, 500), a.dialled(7001));
  const seen = await run(members, 120, [a]);
  assert.deepEqual(
    members.cx.taken().filter((one) => one.startsWith("SAR")),
    ["SAR ADMINISTRATIVE_DEREGISTRATION", "SAR TIMEOUT_DEREGISTRATION"],
  );
  assert.equal(seen.length, 1);
  assert.match(seen[0]?.header("Subscription-State") ?? "", /^terminated/);
});

test("a member dies at any step of a deregistration: the UE repeats it elsewhere, and who subscribed hears of the end", async (t) => {
  const steps = await dieAt(t, -1);
  assert.ok(steps >= 8, `${steps}`);
  for (let n = 0; n < steps; n++) await dieAt(t, n);
});

/** Kills a member at its nth operation of ending a registration; how many there are, when n is -1. */
async function dieAt(t: TestContext, n: number): Promise<number> {
  const { members, start } = pool(t);
  const a = start();
  const b = start();
  await run(members, 30, [a, b]);
  await a.registered({ expires: 600, callId: "one" });
  await subscribed(a);
  const challenged = await a.exchange(a.register({ expires: 0, callId: "one", cseq: 50 }));
  const authorization = a.answerTo(challenged);
  const begun = a.life.operations.length;
  if (n >= 0) a.life.livesFor = begun + n;
  const left = await a.send(a.register({ expires: 0, callId: "one", cseq: 51, authorization }));
  const heard = notifies(left);
  const steps = a.life.operations.length - begun;
  members.kill(a);
  if (n < 0) return steps;
  // What it has sent may have arrived or not; its UE asks again.
  const again = await b.send(b.register({ expires: 0, callId: "one", cseq: 52 }));
  heard.push(...notifies(again));
  const asked = again.find(({ status }) => status === 401);
  if (asked !== undefined) {
    const accepted = await b.send(
      b.register({ expires: 0, callId: "one", cseq: 53, authorization: b.answerTo(asked) }),
    );
    const final = accepted.find(({ status }) => status > 0)?.status;
    assert.equal(final, 200, `step ${n}`);
    for (const one of notifies(accepted)) {
      heard.push(one);
      await b.send(b.answer(one, 200), b.dialled());
    }
  }
  heard.push(...(await run(members, 300, [b])));
  const last = heard.at(-1);
  assert.match(last?.header("Subscription-State") ?? "", /^terminated/, `step ${n}`);
  assert.deepEqual(
    told(last),
    ["sip:alice@example.com terminated: sip:alice@192.0.2.1:5060 terminated unregistered"],
    `step ${n}`,
  );
  assert.equal(members.cx.servers.get("sip:alice@example.com"), undefined, `step ${n}`);
  await b.entities.stop();
  return steps;
}
