import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { establish, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, startCore } from "../support/core-under-test.ts";
import { startFlood } from "../support/flood.ts";
import { SipUe } from "../support/sip-ue.ts";

/** Of bono, sprout and homestead. */
const MANAGEMENT = [9_101, 9_102, 9_103] as const;
const CALLS = 100;
const SCRAPERS = 40;
/** RFC 3261 §17.1.1.2: later, UEs would send their requests again. */
const T1_MS = 500;

/** Takes connections and reads nothing. */
async function hang(t: TestContext): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.pause()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A sum over all labels that fit. Who scrapes now and then is answered whoever else storms. */
async function metric({ host }: CoreUnderTest, port: number, pattern: RegExp): Promise<number> {
  const response = await fetch(`http://${host}:${port}/metrics`);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text
    .split("\n")
    .reduce((sum, line) => sum + (pattern.test(line) ? Number(line.split(" ").at(-1)) : 0), 0);
}

/**
 * Calls one after the other: from the INVITE to the end of its BYE, ms, ascending. After each a rest of `rest` times
 * what it took: without, the core is busy, and a busy core leaves calls out before a queue is full.
 */
async function calls(caller: SipUe, callee: SipUe, count: number, rest = 0): Promise<number[]> {
  const took: number[] = [];
  for (let at = 0; at < count; at++) {
    const began = performance.now();
    const callId = randomUUID();
    const call = await establish(caller, callee, callee.impu, { callId });
    caller.send(call.inDialog("caller", "BYE"));
    reply(callee, await callee.expect((one) => one.method === "BYE" && one.callId === callId, "BYE"), 200);
    const ended = await caller.expect(
      (one) => one.status >= 200 && one.cseqMethod === "BYE" && one.callId === callId,
      "answer to BYE",
    );
    assert.equal(ended.status, 200);
    const lasted = performance.now() - began;
    took.push(lasted);
    if (rest > 0) await sleep(rest * lasted);
  }
  return took.sort((one, other) => one - other);
}

test("collectors of HEP3 and of spans that hang, a Kafka that is not there, a storm of scrapes: every call is set up, nobody waits for who watches", {
  timeout: 180_000,
}, async (t) => {
  const hung = await hang(t);
  const watched = ["bono", "sprout", "homestead"].flatMap((node) => [
    ...["--set", `${node}.hep-collector=tcp:${hung}`, "--set", `${node}.hep-rate=1000000`],
    ...["--set", `${node}.otlp-endpoint=http://${hung}/v1/traces`],
  ]);
  const core = await startCore(t, { args: [...watched, "--set", "sprout.analytics-kafka=127.0.0.1:9"] });
  const [alice, bob] = [
    await SipUe.open(t, core, { user: "6505550000" }),
    await SipUe.open(t, core, { user: "6505550001" }),
  ];
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  const dropped = (): Promise<number> =>
    metric(core, 9_102, /^ims_hep_messages_dropped_total\{.*reason="queue"/);
  const began = performance.now();
  let made = 0;
  while ((await dropped()) === 0) {
    assert.ok(made < 5_000, "what waits for the collector has no bound");
    made += (await calls(alice, bob, CALLS, 1)).length;
  }
  t.diagnostic(
    `the collector's queue was full after ${made} calls, ${((performance.now() - began) / made).toFixed(1)} ms each with their rest`,
  );
  const quiet = await calls(alice, bob, CALLS);
  const storms = MANAGEMENT.map((port) => startFlood(t, `http://${core.host}:${port}/metrics`, SCRAPERS));
  const stormy = await calls(alice, bob, CALLS);
  const [queued, lost] = [
    await metric(core, 9_102, /^ims_sprout_analytics_kafka_events_queued /),
    await dropped(),
  ];
  const scraped: Record<string, number> = {};
  for (const stop of storms)
    for (const [status, count] of Object.entries(await stop()))
      scraped[status] = (scraped[status] ?? 0) + count;
  const at = (times: readonly number[], share: number): string =>
    (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(1);
  t.diagnostic(
    `a call, ms, 50 and 99 of 100: ${at(quiet, 0.5)} and ${at(quiet, 0.99)}; in a storm of ${JSON.stringify(scraped)} answers ${at(stormy, 0.5)} and ${at(stormy, 0.99)}; ${queued} events wait for Kafka, ${lost} messages were not told`,
  );
  assert.ok(Number(at(stormy, 0.5)) < T1_MS, "half of the calls are slow");
  assert.ok((scraped["200"] ?? 0) > 0 && (scraped["503"] ?? 0) > 0, JSON.stringify(scraped));
  assert.ok(queued > 3 * CALLS, `${queued} events`);
  assert.ok(lost > 0);
});
