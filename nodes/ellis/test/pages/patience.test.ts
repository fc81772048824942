import assert from "node:assert/strict";
import { test } from "node:test";
import { pageModule } from "../phone/modules.ts";

interface Wait {
  readonly isBusy: boolean;
  readonly ms: number;
}

const { patiently, retryAfterMs, waitBefore } = await pageModule<{
  retryAfterMs(value: string | null | undefined, now?: number): number | undefined;
  waitBefore(
    again: number,
    given?: { spentMs?: number; wantedMs?: number | undefined; random?: number },
  ): number | undefined;
  patiently(
    send: () => Promise<Response>,
    told: {
      waiting(wait: Wait): void;
      sleep(ms: number): Promise<void>;
      now(): number;
      random(): number;
    },
  ): Promise<Response>;
}>("../patience.js");

/** Runs it on a clock that waits make go; `answers` come in order, the last for ever. */
async function asked(answers: readonly (Response | Error)[]) {
  let now = 0;
  let sent = 0;
  const waits: Wait[] = [];
  const ended = await patiently(
    async () => {
      const answer = answers[Math.min(sent++, answers.length - 1)] ?? assert.fail();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    {
      waiting: (wait) => void waits.push(wait),
      sleep: async (ms) => {
        now += ms;
      },
      now: () => now,
      random: () => 1,
    },
  ).catch((error: unknown) => error);
  return { ended, waits, sent, now };
}

const busy = (retryAfter?: string): Response =>
  new Response("", {
    status: 503,
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
  });

test("RFC 9110 §10.2.3: Retry-After is seconds or a date, and nothing else is believed", () => {
  assert.equal(retryAfterMs("3"), 3_000);
  assert.equal(retryAfterMs(" 0 "), 0);
  const now = Date.UTC(2026, 0, 1);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
  assert.equal(retryAfterMs("Wed, 31 Dec 2025 23:00:00 GMT", now), 0);
  for (const value of [null, undefined, "", "soon", "-1"]) assert.equal(retryAfterMs(value, now), undefined);
});

test("waits double up to a longest one, are spread, and are never shorter than what the server wants", () => {
  const least = [0, 1, 2, 3, 4, 5].map((again) => waitBefore(again, { random: 0 }));
  assert.deepEqual(least, [250, 500, 1_000, 2_000, 4_000, 4_000]);
  const most = [0, 1, 2, 3, 4, 5].map((again) => waitBefore(again, { random: 1 }));
  assert.deepEqual(most, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
  assert.equal(waitBefore(6, { random: 0 }), undefined);
  assert.equal(waitBefore(0, { wantedMs: 5_000, random: 0 }), 5_000);
  assert.equal(waitBefore(0, { wantedMs: 5_000, random: 1 }), 5_250);
  assert.equal(waitBefore(0, { wantedMs: 3_600_000, random: 0 }), undefined);
  assert.equal(waitBefore(1, { wantedMs: 60_000, spentMs: 61_000, random: 0 }), undefined);
});

test("RFC 9110 §15.6.4: who is told 503, or nothing, asks again, and gets the first answer that is another one", async () => {
  const good = new Response("{}");
  const lost = new TypeError("Failed to fetch");
  const { ended, waits, sent } = await asked([busy("2"), lost, busy(), good]);
  assert.equal(ended, good);
  assert.equal(sent, 4);
  assert.deepEqual(waits, [
    { isBusy: true, ms: 2_250 },
    { isBusy: false, ms: 1_000 },
    { isBusy: true, ms: 2_000 },
  ]);
  const refused = new Response("", { status: 403 });
  assert.deepEqual(await asked([refused, good]), { ended: refused, waits: [], sent: 1, now: 0 });
});

test("it has an end: the last answer, or the last failure", async () => {
  const last = busy();
  const answered = await asked([last]);
  assert.deepEqual([answered.ended, answered.sent, answered.now], [last, 7, 23_500]);
  const lost = new TypeError("Failed to fetch");
  assert.deepEqual([(await asked([lost])).ended, (await asked([lost])).sent], [lost, 7]);
  const far = busy("3600");
  assert.deepEqual(await asked([far]), { ended: far, waits: [], sent: 1, now: 0 });
});
