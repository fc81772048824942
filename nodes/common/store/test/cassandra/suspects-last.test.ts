import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import cassandra, { type Host } from "cassandra-driver";
import { HedgingPolicy, NextHostPolicy } from "../../src/cassandra/hedging.ts";
import { SuspectsLastPolicy } from "../../src/cassandra/suspects-last.ts";

const [a, b, c] = ["a", "b", "c"].map((address) => ({ address }) as Host) as [Host, Host, Host];

function policy() {
  const clock = fakeClock();
  const inner = new cassandra.policies.loadBalancing.RoundRobinPolicy();
  return { clock, policy: new SuspectsLastPolicy(inner, clock) };
}

/** Asks so many hosts of a plan, each for want of an answer from the one before. */
function ask(policy: SuspectsLastPolicy, plan: readonly Host[], count: number): string {
  const asked: string[] = [];
  for (const host of policy.order(plan)) {
    asked.push(host.address);
    if (asked.length === count) break;
  }
  return asked.join("");
}

test("hosts are asked in the order of the plan", () => {
  const { policy: suspects } = policy();
  assert.equal(ask(suspects, [a, b, c], 3), "abc");
});

test("a host that let a request wait is asked last, until it answers", () => {
  const { policy: suspects } = policy();
  assert.equal(ask(suspects, [a, b, c], 2), "ab");
  assert.equal(ask(suspects, [a, b, c], 3), "bca");
  suspects.answered(a);
  assert.equal(ask(suspects, [a, b, c], 1), "a");
});

test("after three seconds one request tries a suspect first, and only one", () => {
  const { policy: suspects, clock } = policy();
  ask(suspects, [a, b, c], 2);
  clock.advance(3001);
  assert.equal(ask(suspects, [a, b, c], 1), "a");
  assert.equal(ask(suspects, [a, b, c], 1), "b");
});

test("when all are suspect they are asked all the same", () => {
  const { policy: suspects } = policy();
  for (let i = 0; i < 2; i++)
    for (const plan of [
      [a, b],
      [b, c],
      [c, a],
    ])
      ask(suspects, plan, 2);
  assert.equal(ask(suspects, [a, b, c], 3).length, 3);
});

test("a read is hedged after 40 ms, a condition after 100 ms, each twice at most", () => {
  const hedging = new HedgingPolicy();
  const read = hedging.newPlan("", "SELECT a FROM b");
  assert.deepEqual([read.nextExecution(), read.nextExecution(), read.nextExecution()], [40, 40, -1]);
  assert.equal(hedging.newPlan("", "UPDATE b SET a = ? WHERE k = ? IF version = ?").nextExecution(), 100);
  assert.equal(hedging.newPlan("", [{}]).nextExecution(), 40);
  assert.equal(hedging.hedged, 2);
});

test("a cluster that is slow as a whole gets one early hedge for ten requests once the savings are spent, and late ones", () => {
  const hedging = new HedgingPolicy();
  const hedges = { 40: 0, 500: 0 };
  for (let i = 0; i < 10_000; i++) {
    const plan = hedging.newPlan("", "SELECT a FROM b");
    for (let delay = plan.nextExecution(); delay >= 0; delay = plan.nextExecution())
      hedges[delay as 40 | 500]++;
  }
  assert.ok(hedges[40] > 500 && hedges[40] < 1400, `${hedges[40]}`);
  assert.ok(hedges[500] > 8000 && hedges[40] + hedges[500] < 12_000, `${hedges[500]}`);
});

test("a failed try goes to the next host twice, then fails", () => {
  const retry = new NextHostPolicy();
  const info = (nbRetry: number) => ({ nbRetry }) as cassandra.policies.retry.OperationInfo;
  assert.deepEqual(
    [0, 1, 2].map((tries) => retry.onRequestError(info(tries)).decision),
    [1, 1, 0],
  );
  assert.deepEqual(retry.onWriteTimeout(info(0)), {
    decision: 1,
    consistency: undefined,
    useCurrentHost: false,
  });
});
