import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { type KafkaClient, type KafkaMessage, KafkaSink } from "../../src/analytics/kafka-sink.ts";

interface Sending {
  readonly values: readonly string[];
  taken(): void;
  refused(error: Error): void;
}

function bench() {
  const clock = fakeClock();
  const sent: Sending[] = [];
  let closed = 0;
  const client: KafkaClient = {
    send: (messages: readonly KafkaMessage[]) =>
      new Promise<void>(
        (taken, refused) => void sent.push({ values: messages.map(({ value }) => value), taken, refused }),
      ),
    trouble: "connection refused",
    async close() {
      closed++;
    },
  };
  const sink = new KafkaSink<string>({
    clock,
    connect: async () => client,
    messageOf: (value) => ({ key: "call", value }),
    patienceMs: 1_000,
  });
  return { clock, sent, sink, closed: () => closed };
}

test("what is not acknowledged in time is told, but stays with the client: offered again it is not sent again", async () => {
  const { clock, sent, sink, closed } = bench();
  await sink.start();
  const first = sink.write(["a", "b"]);
  const late = assert.rejects(first, /^Error: Kafka has not acknowledged for 1 s: connection refused$/);
  await clock.advanceAsync(1_000);
  await late;
  // More has come in the meantime.
  const again = sink.write(["a", "b", "c"]);
  await clock.advanceAsync(500);
  assert.deepEqual(
    sent.map(({ values }) => values),
    [["a", "b"]],
  );
  sent[0]?.taken();
  await clock.advanceAsync(0);
  assert.deepEqual(
    sent.map(({ values }) => values),
    [["a", "b"], ["c"]],
  );
  // Two of the three are acknowledged: the third alone is waited for.
  const lateAgain = assert.rejects(again, /not acknowledged/);
  await clock.advanceAsync(1_000);
  await lateAgain;
  const third = sink.write(["a", "b", "c", "d"]);
  sent[1]?.taken();
  await clock.advanceAsync(0);
  sent[2]?.taken();
  await third;
  assert.deepEqual(
    sent.map(({ values }) => values),
    [["a", "b"], ["c"], ["d"]],
  );
  const next = sink.write(["e"]);
  sent[3]?.taken();
  await next;
  assert.deepEqual(sent[3]?.values, ["e"]);
  assert.equal(clock.pending(), 0);
  await sink.stop();
  await sink.stop();
  assert.equal(closed(), 1);
});

test("a client that does not close in time keeps nobody from ending", async () => {
  const clock = fakeClock();
  const client: KafkaClient = {
    send: async () => undefined,
    trouble: undefined,
    close: () => new Promise<void>(() => undefined),
  };
  const sink = new KafkaSink<string>({
    clock,
    connect: async () => client,
    messageOf: (value) => ({ key: "", value }),
  });
  await sink.start();
  const stopped = sink.stop();
  await clock.advanceAsync(1_000);
  await stopped;
  assert.equal(clock.pending(), 0);
});

test("what the client refuses for good is offered to it anew", async () => {
  const { sent, sink } = bench();
  await sink.start();
  const first = sink.write(["a"]);
  sent[0]?.refused(new Error("Kafka: not authorized"));
  await assert.rejects(first, /not authorized/);
  const again = sink.write(["a"]);
  sent[1]?.taken();
  await again;
  assert.equal(sent.length, 2);
});
