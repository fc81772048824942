import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bench, BOB, BOB_KEYS, benchWithUsers, callBob, SCSCF } from "../support/bench.ts";
import { subscribe } from "../support/reg-event.ts";

/** What has been counted: "<metric without prefix> <label values, sorted by name>" to number. */
async function counted(b: Bench, prefix: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const line of (await b.metrics.scrape()).split("\n")) {
    const [, name = "", labels = "", value] = /^ims_sprout_(\w+?)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (!name.startsWith(prefix) || /_bucket$/.test(name) || value === "0") continue;
    const values = [...labels.matchAll(/(\w+)="([^"]*)"/g)].sort().map(([, , one]) => one);
    found[[name, ...values].join(" ").trim()] = Number(value);
  }
  return found;
}

test("TS 32.409: registrations are counted as initial, re-registration and deregistration, a challenge is not", async () => {
  const b = benchWithUsers();
  await b.registered();
  await b.registered();
  await b.registered({ expires: 0 });
  await b.registered({ contact: null }); // it only asks
  assert.deepEqual(await counted(b, "procedure"), {
    "procedure_attempts_total initialRegistration": 1,
    "procedure_attempts_total reRegistration": 1,
    "procedure_attempts_total deregistration": 1,
    "procedure_successes_total initialRegistration": 1,
    "procedure_successes_total reRegistration": 1,
    "procedure_successes_total deregistration": 1,
    "procedure_seconds_count initialRegistration": 1,
    "procedure_seconds_count reRegistration": 1,
    "procedure_seconds_count deregistration": 1,
  });
});

test("TS 32.409: a registration that fails counts with its status code, one that is not answered as such", async () => {
  const b = benchWithUsers();
  const challenged = await b.exchange(b.register());
  const wrong = b.answerTo(challenged, { password: "guess" });
  assert.equal((await b.exchange(b.register({ authorization: wrong }))).status, 403);
  await b.exchange(b.register());
  await b.advance(45_000);
  await b.registered();
  const again = b.answerTo(await b.exchange(b.register()), { password: "guess" });
  assert.equal((await b.exchange(b.register({ authorization: again }))).status, 403);
  assert.deepEqual(await counted(b, "procedure_failures"), {
    "procedure_failures_total 403 initialRegistration": 1,
    "procedure_failures_total 403 reRegistration": 1,
    "procedure_failures_total authenticationTimeout initialRegistration": 1,
  });
  assert.deepEqual(await counted(b, "procedure_attempts"), {
    "procedure_attempts_total initialRegistration": 3,
    "procedure_attempts_total reRegistration": 1,
  });
});

test("TS 32.409: a session is set up with its 180, answered with its 200, of caller and called one; times are seconds", async () => {
  const b = benchWithUsers();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  const sent = await callBob(b, "answered");
  await b.advance(2_000);
  await b.exchange(b.answer(sent, 180), b.dialled());
  await b.advance(5_000);
  await b.exchange(b.answer(sent, 200, ["Contact: <sip:bob@192.0.2.2:5060>"]), b.dialled());
  for (const role of ["originating", "terminating"]) {
    const seen = { ...(await counted(b, "procedure")), ...(await counted(b, "session")) };
    assert.equal(seen[`procedure_attempts_total session ${role}`], 1);
    assert.equal(seen[`procedure_successes_total session ${role}`], 1);
    assert.equal(seen[`procedure_seconds_sum session ${role}`], 2);
    assert.equal(seen[`sessions_answered_total ${role}`], 1);
    assert.equal(seen[`session_answer_seconds_sum ${role}`], 7);
    assert.equal(seen[`procedure_failures_total session ${role}`], undefined);
  }
});

test("TS 32.409: busy before it rings is a failure, busy after that is no answer", async () => {
  const b = benchWithUsers();
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  const busy = await callBob(b, "busy");
  await b.send(b.answer(busy, 486), b.dialled());
  const declined = await callBob(b, "declined");
  await b.send(b.answer(declined, 180), b.dialled());
  await b.send(b.answer(declined, 603), b.dialled());
  assert.deepEqual(await counted(b, "procedure_failures"), {
    "procedure_failures_total 486 session originating": 1,
    "procedure_failures_total 486 session terminating": 1,
  });
  assert.deepEqual(await counted(b, "sessions_unanswered"), {
    "sessions_unanswered_total 603 originating": 1,
    "sessions_unanswered_total 603 terminating": 1,
  });
});

test("messages, subscriptions and what is neither are procedures of their own; to nobody is a 404 of the caller's", async () => {
  const b = benchWithUsers();
  await b.registered();
  const headers = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"];
  await b.send(b.request("MESSAGE", { uri: "sip:nobody@example.com", headers }), b.toScscf);
  await b.send(b.request("OPTIONS", { uri: "sip:nobody@example.com", headers }), b.toScscf);
  await b.send(subscribe(b), b.toScscf);
  assert.deepEqual(await counted(b, "procedure_failures"), {
    "procedure_failures_total 404 message originating": 1,
    "procedure_failures_total 404 other originating": 1,
  });
  const successes = await counted(b, "procedure_successes");
  assert.equal(successes["procedure_successes_total subscription originating"], 1);
});
