import assert from "node:assert/strict";
import { test } from "node:test";
import { AdmissionControl } from "@ims/runtime";
import { QueueWait } from "../../src/overload/queue-wait.ts";

const LOOK_MS = 50;

test("a probe that has not arrived says nothing new until it has waited as long as the one before would by now", () => {
  const wait = new QueueWait();
  assert.equal(wait.look(0, 0), 0);
  wait.arrived(700, 700);
  assert.equal(wait.look(0, 700), 700);
  assert.deepEqual(
    [750, 850, 950].map((now) => wait.look(now - 700, now)),
    [675, 625, 575],
    "its queue gets shorter, for all that is known",
  );
  wait.arrived(300, 1_000);
  assert.equal(wait.look(0, 1_000), 300, "it has been there for 300 ms");
  assert.deepEqual(
    [1_050, 1_150, 1_200, 1_250].map((now) => wait.look(now - 1_000, now)),
    [275, 225, 200, 250],
    "it does not get on",
  );
  wait.arrived(0, 1_260);
  assert.equal(wait.look(0, 1_310), 0);
});

test("a process that comes late has stood still, though no probe was under way", () => {
  const wait = new QueueWait();
  for (const now of [0, 50, 100]) {
    assert.equal(wait.look(0, now), 0);
    wait.arrived(0, now + 1);
  }
  assert.equal(wait.look(0, 860), 700);
  assert.equal(wait.look(50, 910), 675);
  wait.arrived(1, 911);
  assert.equal(wait.look(0, 960), 1, "there is no queue: known as soon as a probe says so");
  assert.equal(wait.look(0, 1_010), 0);
});

/**
 * A queue, first in, first out, of work of 1 ms that arrives at a share of what can be done, and a process that stands still from time to time. Returns
 * when a limit began, ms; undefined: it did not.
 */
function limitedAfter(load: number, standsStill: (ms: number) => boolean = () => false): number | undefined {
  let now = 0;
  const control = new AdmissionControl({ targetMs: 50, floor: 50, now: () => now });
  const wait = new QueueWait();
  const queue: { readonly at: number; readonly isProbe: boolean }[] = [];
  let [come, lookedAt, sentAt] = [0, 0, -1];
  for (; now < 20_000 && !control.limiting; now++) {
    for (; come < load * now; come++) queue.push({ at: now, isProbe: false });
    if (standsStill(now)) continue;
    for (let isWork = false; queue.length > 0 && !isWork; ) {
      const { at, isProbe } = queue.shift() ?? assert.fail();
      isWork = !isProbe;
      if (isWork) control.served();
      else {
        wait.arrived(now - at, now);
        sentAt = -1;
      }
    }
    if (now - lookedAt < LOOK_MS) continue;
    const late = Math.max(0, now - lookedAt - LOOK_MS - 10);
    const delay = Math.max(late, wait.look(sentAt < 0 ? 0 : now - sentAt, now));
    control.measured(delay, now - lookedAt);
    lookedAt = now;
    if (sentAt >= 0) continue;
    sentAt = now;
    queue.push({ at: now, isProbe: true });
  }
  return control.limiting ? now : undefined;
}

test("a node at three fifths of what it can do may stand still for 0.7 s every 5 s: nothing is limited", () => {
  for (const load of [0.2, 0.4, 0.6])
    assert.equal(
      limitedAfter(load, (ms) => ms % 5_000 >= 4_000 && ms % 5_000 < 4_700),
      undefined,
      `${load}`,
    );
});

test("nor when it stands still several times, as for a full collection of garbage", () => {
  const pauses = [
    [3_500, 3_620],
    [3_670, 4_370],
    [4_400, 4_480],
    [4_520, 4_600],
  ] as const;
  const several = (ms: number): boolean => pauses.some(([from, to]) => ms % 5_000 >= from && ms % 5_000 < to);
  for (const load of [0.2, 0.4, 0.55]) assert.equal(limitedAfter(load, several), undefined, `${load}`);
});

test("more than can be done is limited within a second and a half, five times as much within one", () => {
  assert.ok((limitedAfter(1.2) ?? Number.POSITIVE_INFINITY) < 1_500, `1.2: ${limitedAfter(1.2)}`);
  assert.ok((limitedAfter(2) ?? Number.POSITIVE_INFINITY) < 1_000, `2: ${limitedAfter(2)}`);
  assert.ok((limitedAfter(5) ?? Number.POSITIVE_INFINITY) < 1_000, `5: ${limitedAfter(5)}`);
});
