import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnoseSubscriber, type SubscriberState } from "../src/subject/subscriber-state.ts";
import { Recorded, START } from "./recorded.ts";

const registered = new Recorded()
  .sip("in", "REGISTER sip:example.com SIP/2.0", ["Contact: <sip:alice@192.0.2.7:5071>"])
  .sip("out", "SIP/2.0 200 OK", [
    "CSeq: 1 REGISTER",
    "Contact: <sip:alice@192.0.2.7:5071>;expires=600",
  ]).exchange;
const removed = new Recorded("call-2")
  .wait(1_000)
  .sip("in", "REGISTER sip:example.com SIP/2.0", ["Contact: <sip:alice@192.0.2.7:5071>;expires=0"])
  .sip("out", "SIP/2.0 200 OK", ["CSeq: 1 REGISTER"]).exchange;
const termination = new Recorded().wait(5_000).cx("RTR").steps;

function ids(given: Partial<SubscriberState>, exchanges = [registered]): readonly string[] {
  const state = { registrations: [], pushed: [], now: START + 10_000, ...given };
  return diagnoseSubscriber(exchanges, state).map(({ id }) => id);
}

test("whose registration has lapsed is told when it ended; who is registered, or has left, is not", () => {
  assert.deepEqual(ids({ now: START + 700_000 }), ["registration-expired"]);
  assert.deepEqual(ids({ now: START + 500_000 }), []);
  assert.deepEqual(ids({ now: START + 700_000 }, [registered, removed]), []);
  const bindings = [{}] as never;
  assert.deepEqual(ids({ now: START + 700_000, registrations: [{ bindings }] as never }), []);
  assert.deepEqual(ids({}, []), []);
});

test("RTR of the HSS after the registration is its end, one before it is not", () => {
  assert.deepEqual(ids({ pushed: termination }), ["deregistered-by-network"]);
  const early = termination.map((step) => ({ ...step, time: START - 1 }));
  assert.deepEqual(ids({ pushed: early }), []);
});

test("when sprout cannot be asked the time alone speaks, and that is said", () => {
  const [only] = diagnoseSubscriber([registered], {
    registrations: undefined,
    pushed: [],
    now: START + 700_000,
  });
  assert.deepEqual([only?.id, only?.likely], ["registration-expired", true]);
});
