import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister, RecordStream } from "@ims/runtime";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { KafkaSink } from "../../src/analytics/kafka-sink.ts";

const HOUR_S = 3_600;
/** Of 100 calls a second, each told of by both sides and at its end. */
const EVENTS_A_SECOND = 300;
/** --analytics-queue by default. */
const MOST_WAITING = 100_000;

test("Kafka is away for an hour of 100 calls a second: what waits is bounded, the rest is counted, no timer piles up; back again it has the first ones once each and in order", async () => {
  const clock = fakeClock();
  const register = metricsRegister();
  const log = memoryLogger();
  const taken: number[] = [];
  let [isAway, sends] = [false, 0];
  const waiting: (() => void)[] = [];
  const sink = new KafkaSink<number>({
    clock,
    connect: async () => ({
      // As the client of the brokers: what it was given it keeps until they have it.
      async send(messages) {
        sends++;
        if (isAway) await new Promise<void>((back) => waiting.push(back));
        taken.push(...messages.map(({ value }) => Number(value)));
      },
      trouble: "connection refused",
      close: async () => undefined,
    }),
    messageOf: (number) => ({ key: "call", value: String(number) }),
  });
  const stream = new RecordStream<number>(
    { what: "events", metricsPrefix: "ims_test_events", problemId: "TW-0", maxQueued: MOST_WAITING },
    { sink, clock, log, register },
  );
  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^ims_test_events_${name} (\\d+)$`, "m").exec(await register.scrape())?.[1]);
  let told = 0;
  const second = async (): Promise<void> => {
    for (const end = told + EVENTS_A_SECOND; told < end; told++) stream.offer(told);
    await clock.advanceAsync(1_000);
  };

  await second();
  assert.equal(taken.length, EVENTS_A_SECOND);
  isAway = true;
  const sendsBefore = sends;
  let [mostWaiting, mostTimers] = [0, 0];
  for (let at = 0; at < HOUR_S; at++) {
    await second();
    mostTimers = Math.max(mostTimers, clock.pending());
    if (at % 60 === 0) mostWaiting = Math.max(mostWaiting, await metric("queued"));
  }
  assert.ok(mostWaiting <= MOST_WAITING, `${mostWaiting} wait`);
  assert.equal(await metric("queued"), MOST_WAITING);
  assert.equal(await metric("dropped_total"), HOUR_S * EVENTS_A_SECOND - MOST_WAITING);
  assert.ok(mostTimers <= 2, `${mostTimers} timers`);
  assert.equal(sends - sendsBefore, 1, "the same events are with the client once");
  assert.match(
    stream.problem ?? "",
    /Kafka has not acknowledged for 5 s: connection refused; 100000 events wait, 980000 were dropped/,
  );
  assert.equal(log.lines.filter(({ level }) => level === 50 || level === "error").length, 1, "said once");

  isAway = false;
  for (const back of waiting.splice(0)) back();
  await clock.advanceAsync(5_000);
  assert.ok((await metric("queued")) > MOST_WAITING / 4, "in pauses, so that calls are served meanwhile");
  await clock.advanceAsync(10_000);
  assert.equal(await metric("queued"), 0);
  assert.equal(stream.problem, undefined);
  const kept = EVENTS_A_SECOND + MOST_WAITING;
  assert.deepEqual(
    taken,
    Array.from({ length: kept }, (_, number) => number),
  );
  await second();
  assert.deepEqual(
    taken.slice(kept),
    Array.from({ length: EVENTS_A_SECOND }, (_, at) => told - EVENTS_A_SECOND + at),
  );
  assert.equal(clock.pending(), 0);
  await stream.stop();
});
