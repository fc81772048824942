import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker } from "../../src/failover/breaker.ts";
import { DEFAULT_POLICIES, pauseBefore, policyFor } from "../../src/failover/policy.ts";

test("a breaker opens after its failures in its time, lets one trial through after a second, and closes with a success", () => {
  const breaker = new Breaker({ failures: 5, windowMs: 30_000 });
  for (let at = 0; at < 4; at++) breaker.failed(at * 1_000);
  assert.equal(breaker.blocks(4_000), false);
  breaker.failed(4_000);
  assert.equal(breaker.state, "open");
  assert.equal(breaker.blocks(4_999), true);
  assert.equal(breaker.blocks(5_000), false, "a trial is due");
  breaker.sent(5_000);
  assert.equal(breaker.state, "halfOpen");
  assert.equal(breaker.blocks(5_001), true, "one trial at a time");
  breaker.failed(5_100);
  assert.equal(breaker.blocks(7_099), true, "twice as long after a failed trial");
  assert.equal(breaker.blocks(7_100), false);
  breaker.sent(7_100);
  breaker.succeeded();
  assert.equal(breaker.state, "closed");
  assert.equal(breaker.blocks(7_101), false);
});

test("failures that lie far apart, or with a success between them, open nothing", () => {
  const breaker = new Breaker({ failures: 3, windowMs: 1_000 });
  for (let at = 0; at < 20; at++) breaker.failed(at * 600);
  assert.equal(breaker.state, "closed");
  for (let at = 0; at < 20; at++) {
    breaker.failed(50_000 + at);
    breaker.failed(50_000 + at);
    breaker.succeeded();
  }
  assert.equal(breaker.state, "closed");
});

test("a trial of which nothing is heard is followed by another", () => {
  const breaker = new Breaker({ failures: 1, windowMs: 1_000 });
  breaker.failed(0);
  breaker.sent(1_000);
  assert.equal(breaker.blocks(10_999), true);
  assert.equal(breaker.blocks(11_000), false);
});

test("design §4: the table of time-outs, retries, breakers and balancing", () => {
  const row = (method: string) => {
    const { timeoutMs, inDialogTimeoutMs, retries, pause, breaker, balancing } = policyFor(
      DEFAULT_POLICIES,
      method,
    );
    const opens = breaker === undefined ? "never" : `${breaker.failures}/${breaker.windowMs / 1000}`;
    return [timeoutMs / 1000, inDialogTimeoutMs / 1000, retries, pause, opens, balancing].join(" ");
  };
  assert.equal(row("INVITE"), "32 4 3 exponential 5/30 affinity");
  assert.equal(row("REGISTER"), "10 10 2 fixed 10/60 roundRobin");
  assert.equal(row("OPTIONS"), "2 2 0 none 20/10 leastConnections");
  assert.equal(row("MESSAGE"), "5 5 2 linear 15/30 consistentHash");
  assert.equal(row("BYE"), "4 4 3 fixed 5/30 affinity");
  assert.equal(row("CANCEL"), "4 4 2 fixed 5/30 affinity");
  assert.equal(row("ACK"), "32 32 0 none never affinity");
});

test("pauses between rounds grow as the policy says", () => {
  const pauses = (method: string) =>
    [1, 2, 3].map((round) => pauseBefore(policyFor(DEFAULT_POLICIES, method), round));
  assert.deepEqual(pauses("INVITE"), [100, 200, 400]);
  assert.deepEqual(pauses("REGISTER"), [250, 250, 250]);
  assert.deepEqual(pauses("MESSAGE"), [200, 400, 600]);
  assert.deepEqual(pauses("OPTIONS"), [0, 0, 0]);
});
