import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createHealth, metricsRegister, RecordStream, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { KafkaSink, kafkaClient, sproutProblems } from "@ims/sprout";
import { makeCertificate } from "../../support/certificate.ts";
import { launchKafka, whyNoKafka } from "../../support/kafka.ts";
import { readTopic } from "../../support/kafka-topic.ts";

interface Event {
  readonly id: string;
  readonly callId: string;
  readonly number: number;
}

const EVENTS = 6_000;
/** --analytics-queue by default. */
const MOST_WAITING = 100_000;
const TOPIC = "tidewater.analytics";

describe("analytics events to Kafka", { skip: whyNoKafka() ?? false }, () => {
  test("a broker killed in the middle and started again: no event is lost, none is there twice, each call's in order; operators hear of it meanwhile", async (t) => {
    const certificate = makeCertificate(t, ["localhost"]);
    const kafka = await launchKafka({ ...certificate, user: "sprout", password: "geheim" });
    t.after(() => kafka.stop());
    const clock = systemClock();
    const register = metricsRegister();
    const health = createHealth();
    const sink = new KafkaSink<Event>({
      clock,
      connect: () => kafkaClient({ brokers: [kafka.broker], topic: TOPIC, clientId: "sprout-1" }),
      messageOf: (event) => ({ key: event.callId, value: JSON.stringify(event) }),
      patienceMs: 1_000,
    });
    const stream = new RecordStream<Event>(
      {
        what: "analytics events for Kafka",
        metricsPrefix: "ims_test_events",
        maxQueued: EVENTS,
        problemId: sproutProblems.analyticsNotPublished.id,
      },
      { sink, clock, log: memoryLogger("silent"), register },
    );
    t.after(async () => {
      await stream.stop();
      await sink.stop();
    });
    health.addNote("analytics-kafka", () => stream.problem, sproutProblems.analyticsNotPublished);
    stream.start();

    let offered = 0;
    const offer = (count: number): void => {
      for (const end = offered + count; offered < end; offered++)
        stream.offer({ id: `event-${offered}`, callId: `call-${offered % 100}`, number: offered });
    };
    const written = async (): Promise<number> =>
      Number(/^ims_test_events_written_total (\d+)/m.exec(await register.scrape())?.[1]);
    offer(EVENTS / 6);
    await until("the first events are there", async () => (await written()) > 0);
    // Batches are on their way while it dies.
    for (let i = 0; i < 10; i++) {
      offer(EVENTS / 60);
      await new Promise((resolve) => setImmediate(resolve));
      if (i === 5) void kafka.kill();
    }
    offer(EVENTS / 3);
    await until("the alarm", () => stream.problem !== undefined);
    assert.match(
      stream.problem ?? "",
      /Kafka has not acknowledged for 1 s: .+; \d+ analytics events for Kafka wait, 0 were dropped/,
    );
    assert.match(health.notes().join(), /analytics-kafka: /);
    await kafka.start();
    offer(EVENTS / 3);
    await until("all events are acknowledged", async () => (await written()) === EVENTS);
    assert.equal(stream.problem, undefined);

    const { records, ids, values } = await readTopic(
      kafka.broker,
      TOPIC,
      (value) => (JSON.parse(value) as Event).id,
    );
    assert.equal(records, EVENTS, "what the broker counts");
    assert.equal(ids.size, EVENTS);
    for (const partition of values) {
      const last = new Map<string, number>();
      for (const value of partition) {
        const { callId, number } = JSON.parse(value) as Event;
        assert.ok(number > (last.get(callId) ?? -1), `${callId}: ${number} after ${last.get(callId)}`);
        last.set(callId, number);
      }
    }

    // The other door of the same broker: TLS and SCRAM-SHA-512.
    const folder = mkdtempSync(join(tmpdir(), "kafka-test-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const [right, wrong] = ["geheim", "falsch"].map((password) => {
      const file = join(folder, password);
      writeFileSync(file, `${password}\n`);
      return file;
    });
    const secure = async (passwordFile = "", caFile = certificate.certFile): Promise<void> => {
      const client = await kafkaClient({
        ...{ brokers: [kafka.secureBroker], topic: "secure", clientId: "sprout-1" },
        tls: { caFile },
        sasl: { mechanism: "SCRAM-SHA-512", user: "sprout", passwordFile },
      });
      try {
        let done = false;
        const sent = client.send([{ key: "call", value: "one" }]).finally(() => {
          done = true;
        });
        await Promise.race([sent, until("an end", () => done || /authenticat/i.test(client.trouble ?? ""))]);
        if (!done) throw new Error(client.trouble);
        await sent;
      } finally {
        await client.close();
      }
    };
    await assert.rejects(secure(wrong), (error: Error) => {
      assert.match(error.message, /[Aa]uthenticat/);
      assert.doesNotMatch(error.message, /falsch/);
      return true;
    });
    await secure(right);
    assert.equal((await readTopic(kafka.broker, "secure", (value) => value)).records, 1);
  });

  test("a broker that is away for the events of an hour: the first 100,000 wait in bounded memory and are there once each afterwards, the others are counted", async (t) => {
    const kafka = await launchKafka();
    t.after(() => kafka.stop());
    const register = metricsRegister();
    const clock = systemClock();
    const sink = new KafkaSink<Event>({
      clock,
      connect: () => kafkaClient({ brokers: [kafka.broker], topic: TOPIC, clientId: "sprout-1" }),
      messageOf: (event) => ({ key: event.callId, value: JSON.stringify(event) }),
      patienceMs: 1_000,
    });
    const stream = new RecordStream<Event>(
      { what: "events", metricsPrefix: "ims_test_events", problemId: "TW-0", maxQueued: MOST_WAITING },
      { sink, clock, log: memoryLogger("silent"), register },
    );
    t.after(() => stream.stop());
    const metric = async (name: string): Promise<number> =>
      Number(new RegExp(`^ims_test_events_${name} (\\d+)$`, "m").exec(await register.scrape())?.[1]);
    let told = 0;
    /** What 100 calls a second tell of in a second, as large as real ones. */
    const second = (): void => {
      for (const end = told + 300; told < end; told++)
        stream.offer({ id: `event-${told}`, callId: `call-${told % 100}-${"x".repeat(400)}`, number: told });
    };
    stream.start();
    second();
    await until("the first events are there", async () => (await metric("written_total")) === told);
    await kafka.kill();
    const before = process.memoryUsage().rss;
    const began = performance.now();
    for (let at = 0; at < 3_600; at++) {
      second();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const took = performance.now() - began;
    const grown = process.memoryUsage().rss - before;
    await until("the alarm", () => stream.problem !== undefined);
    assert.match(
      stream.problem ?? "",
      /Kafka has not acknowledged for 1 s: .+; 100000 events wait, 980000 were dropped/,
    );
    t.diagnostic(
      `an hour of events was told within ${(took / 1_000).toFixed(1)} s, ${((took * 1_000) / 1_080_000).toFixed(1)} us each; memory has grown by ${Math.round(grown / 1_048_576)} MiB`,
    );
    assert.ok(grown < 400 * 1_048_576, `${grown} octets`);
    await kafka.start();
    await until("all that waited is acknowledged", async () => (await metric("queued")) === 0);
    second();
    await until("new ones follow", async () => (await metric("queued")) === 0);
    assert.equal(stream.problem, undefined);
    const { records, ids } = await readTopic(kafka.broker, TOPIC, (value) => (JSON.parse(value) as Event).id);
    assert.equal(records, 300 + MOST_WAITING + 300);
    assert.equal(ids.size, records, "none twice");
    assert.ok(
      ids.has(`event-${300 + MOST_WAITING - 1}`) && !ids.has(`event-${300 + MOST_WAITING}`),
      "the first ones",
    );
    assert.equal(await metric("dropped_total"), 1_080_000 - MOST_WAITING);
  });
});

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
