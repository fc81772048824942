import assert from "node:assert/strict";
import { test } from "node:test";
import { LossFeedback } from "../../src/overload/loss-feedback.ts";
import {
  lossReport,
  OFFER,
  offersLoss,
  reportText,
  withoutOverloadControl,
  withReport,
} from "../../src/overload/loss-parameters.ts";
import { LossReduction } from "../../src/overload/loss-reduction.ts";

const via = "SIP/2.0/TCP 127.0.0.1:5058;branch=z9hG4bKx.1";

test("RFC 7339 §4, §6: the example of the RFC is read, with its order and spaces", () => {
  const value =
    'SIP/2.0/TLS p1.example.net; branch=z9hG4bK2d4790.3;received=192.0.2.111;oc=20;oc-algo="loss";oc-validity=500; oc-seq=1282321615.782';
  assert.deepEqual(lossReport(value), { percent: 20, validityMs: 500, seq: [1282321615, 78200] });
});

test("RFC 7339 §4.3: a report without validity stands for 500 ms", () => {
  assert.equal(lossReport(`${via};oc=10;oc-algo="loss";oc-seq=5.1`)?.validityMs, 500);
});

test("RFC 7339 §7.1: a report that is not between 0 and 100, of another algorithm or without sequence is none", () => {
  for (const bad of [
    ';oc;oc-algo="loss"',
    ";oc=101;oc-seq=1.1",
    ";oc=-1;oc-seq=1.1",
    ";oc=1e1;oc-seq=1.1",
    ";oc=10",
    ";oc=10;oc-seq=1.1;oc-validity=x",
    ';oc=10;oc-algo="rate";oc-seq=1.1',
    ";oc=10;oc-seq=1234567890123.1",
  ])
    assert.equal(lossReport(`${via}${bad}`), undefined, bad);
});

test("RFC 7339 §5.1, §5.2: an offer is answered in its place, one without our algorithm is not", () => {
  const report = reportText(20, 1000, "7.00100");
  assert.equal(offersLoss(`${via}${OFFER}`), true);
  assert.equal(withReport(`${via}${OFFER};rport=1`, report), `${via}${report};rport=1`);
  const spaced = `${via}; oc ; oc-algo = "A, loss"`;
  assert.equal(offersLoss(spaced), true);
  assert.equal(withReport(spaced, report), `${via}${report}`);
  assert.equal(offersLoss(`${via};oc;oc-algo="rate"`), false);
  assert.equal(offersLoss(`${via};oc=10;oc-algo="loss"`), false);
  assert.equal(offersLoss(via), false);
});

test("RFC 7339 §5.4: parameters are taken off and nothing else", () => {
  assert.equal(
    withoutOverloadControl(`${via};oc=1;oc-algo="loss,A";oc-validity=5;oc-seq=1.2;ocean=3;rport`),
    `${via};ocean=3;rport`,
  );
});

function clock() {
  const state = { ms: 1_000_000 };
  return { state, now: () => state.ms };
}

test("RFC 7339 §5.2, §5.7: without overload oc=0 and validity 0; in overload a share; then the end, each with a higher sequence number", () => {
  const { state, now } = clock();
  const feedback = new LossFeedback(now);
  const read = () => lossReport(`${via}${feedback.report}`);
  assert.deepEqual({ ...read(), seq: [] }, { percent: 0, validityMs: 0, seq: [] });
  let last = read()?.seq ?? [0, 0];
  const step = (arrivals: Parameters<LossFeedback["measured"]>[0]) => {
    state.ms += 50;
    feedback.measured(arrivals);
    const seq = read()?.seq ?? [0, 0];
    assert(seq[0] > last[0] || (seq[0] === last[0] && seq[1] > last[1]), "sequence number grows");
    last = seq;
  };
  // 2,000 a second offered, 1,000 can be taken: clients that obey send less and less of it.
  let kept = 1;
  for (let tick = 0; tick < 30; tick++) {
    step({ sheddable: 100 * kept, exempt: 0, rate: 1000, elapsedMs: 50 });
    kept = 1 - feedback.percent / 100;
  }
  assert(feedback.percent >= 42 && feedback.percent <= 52, `oc=${feedback.percent}`);
  for (let tick = 0; tick < 10; tick++) {
    state.ms += 50;
    feedback.measured({ sheddable: 10, exempt: 0, rate: undefined, elapsedMs: 50 });
  }
  assert.equal(feedback.percent, 0);
  assert.equal(read()?.validityMs, 0);
});

test("RFC 7339 §5.3: the share counts of all requests, those inside dialogs too", () => {
  const { now } = clock();
  const feedback = new LossFeedback(now);
  let kept = 1;
  for (let tick = 0; tick < 40; tick++) {
    feedback.measured({ sheddable: 100 * kept, exempt: 300, rate: 1000, elapsedMs: 50 });
    // The client takes the share of all from the quarter that may be shed (§7.2).
    kept = 1 - Math.min(1, (feedback.percent / 100) * 4);
  }
  assert(feedback.percent >= 9 && feedback.percent <= 14, `oc=${feedback.percent}`);
});

function reduction() {
  const { state, now } = clock();
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return { state, loss: new LossReduction({ now, random }) };
}

function share(loss: LossReduction, server: string, kind: "normal" | "privileged" | "exempt"): number {
  let kept = 0;
  for (let request = 0; request < 2_000; request++) if (!loss.admits(server, kind)) kept++;
  return kept / 2_000;
}

test("RFC 7339 §5.5, §7.2: that share of new work is kept back, of what is never shed nothing", () => {
  const { loss } = reduction();
  assert.equal(share(loss, "s:1", "normal"), 0);
  loss.report("s:1", { percent: 40, validityMs: 500, seq: [1, 0] });
  const normal = share(loss, "s:1", "normal");
  assert(Math.abs(normal - 0.4) < 0.05, `${normal}`);
  assert.equal(share(loss, "s:1", "exempt"), 0);
  assert.equal(share(loss, "s:2", "normal"), 0, "another server");
});

test("RFC 7339 §7.2: with half of the requests exempt, new work bears the whole share; what is shed last only the rest", () => {
  const { loss } = reduction();
  loss.report("s:1", { percent: 30, validityMs: 500, seq: [1, 0] });
  for (let request = 0; request < 2_000; request++) {
    loss.admits("s:1", "exempt");
    loss.admits("s:1", "normal");
  }
  let kept = 0;
  for (let request = 0; request < 2_000; request++) {
    if (!loss.admits("s:1", "normal")) kept++;
    assert.equal(loss.admits("s:1", "privileged"), true);
  }
  assert(Math.abs(kept / 2_000 - 0.6) < 0.06, `${kept / 2_000}`);
});

test("RFC 7339 §5.4, §5.7: it ends when the validity does, when the server says so, and late responses change nothing", () => {
  const { state, loss } = reduction();
  loss.report("s:1", { percent: 50, validityMs: 500, seq: [100, 5] });
  assert.equal(loss.active, true);
  assert(Math.abs(loss.common - 0.5) < 0.01);
  loss.report("s:1", { percent: 90, validityMs: 500, seq: [100, 4] });
  loss.report("s:1", { percent: 90, validityMs: 500, seq: [100, 5] });
  assert(Math.abs(loss.common - 0.5) < 0.01, "neither an older nor the same number counts");
  state.ms += 499;
  loss.expire();
  assert.equal(loss.active, true);
  state.ms += 1;
  loss.expire();
  assert.deepEqual([loss.active, loss.common, share(loss, "s:1", "normal")], [false, 0, 0]);

  loss.report("s:1", { percent: 50, validityMs: 500, seq: [101, 0] });
  loss.report("s:1", { percent: 80, validityMs: 0, seq: [102, 0] });
  assert.deepEqual([loss.active, loss.common], [false, 0], "validity 0: the percentage is disregarded");
});

test("RFC 7339 §4.4: a sequence number that is much lower is a server that began anew", () => {
  const { loss } = reduction();
  loss.report("s:1", { percent: 0, validityMs: 0, seq: [900_000, 0] });
  loss.report("s:1", { percent: 50, validityMs: 500, seq: [10, 0] });
  assert.equal(loss.active, true);
});

test("at the door only what no server wants is refused: one that takes everything is enough", () => {
  const { state, loss } = reduction();
  loss.report("s:1", { percent: 50, validityMs: 10_000, seq: [1, 0] });
  loss.report("s:2", { percent: 0, validityMs: 0, seq: [1, 0] });
  assert.equal(loss.common, 0);
  loss.report("s:2", { percent: 20, validityMs: 10_000, seq: [2, 0] });
  assert(Math.abs(loss.common - 0.2) < 0.01);
  // One that was not heard of for long has no say.
  state.ms += 6_000;
  loss.report("s:1", { percent: 60, validityMs: 10_000, seq: [3, 0] });
  state.ms += 4_500;
  loss.expire();
  assert(Math.abs(loss.common - 0.6) < 0.01, `${loss.common}`);
});
