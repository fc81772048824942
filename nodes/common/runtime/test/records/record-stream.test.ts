import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileSeries, JsonLinesFiles, metricsRegister, type RecordSink, RecordStream } from "@ims/runtime";
import { type FakeClock, fakeClock, memoryLogger } from "@ims/runtime/testing";

interface Event {
  readonly n: number;
}

/** A sink that takes everything unless it is told otherwise. */
class Sink implements RecordSink<Event> {
  readonly taken: number[] = [];
  readonly batches: number[] = [];
  starts = 0;
  stopped = false;
  fails: Error | undefined;
  hangs = false;

  async start(): Promise<void> {
    this.starts++;
    if (this.fails !== undefined) throw this.fails;
  }

  async write(records: readonly Event[]): Promise<void> {
    if (this.hangs) return new Promise(() => undefined);
    if (this.fails !== undefined) throw this.fails;
    this.batches.push(records.length);
    this.taken.push(...records.map(({ n }) => n));
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }
}

function streamTo(sink: RecordSink<Event>, maxQueued = 1_000, clock: FakeClock = fakeClock()) {
  const register = metricsRegister();
  const log = memoryLogger();
  const stream = new RecordStream<Event>(
    { what: "test events", metricsPrefix: "ims_test_events", problemId: "TW-0", maxQueued },
    { sink, clock, log, register },
  );
  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^ims_test_events_${name} (\\d+)$`, "m").exec(await register.scrape())?.[1]);
  return { stream, clock, log, metric };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test("records reach the sink in order and together, after the turn that made them", async () => {
  const sink = new Sink();
  const { stream, clock, metric } = streamTo(sink);
  for (const n of range(0, 500)) stream.offer({ n });
  assert.deepEqual(sink.taken, []);
  assert.equal(await metric("queued"), 500);
  await clock.advanceAsync(100);
  assert.deepEqual(sink.batches, [200], "with a pause after each, so that the loop serves others");
  await clock.advanceAsync(20);
  await clock.advanceAsync(20);
  assert.deepEqual(sink.taken, range(0, 500));
  assert.deepEqual(sink.batches, [200, 200, 100]);
  assert.equal(sink.starts, 1);
  assert.equal(await metric("written_total"), 500);
  assert.equal(clock.pending(), 0);
});

test("a sink that is away: records wait, the newest are dropped and counted, and nobody who makes them notices", async () => {
  const sink = new Sink();
  const { stream, clock, log, metric } = streamTo(sink, 10);
  sink.fails = new Error("no space left");
  for (const n of range(0, 25)) stream.offer({ n });
  await clock.advanceAsync(60_000);
  assert.equal(await metric("queued"), 10);
  assert.equal(await metric("dropped_total"), 15);
  assert.match(stream.problem ?? "", /no space left; 10 test events wait, 15 were dropped/);
  assert.equal(log.lines.filter(({ level }) => level === 50 || level === "error").length, 1, "said once");
  sink.fails = undefined;
  await clock.advanceAsync(5_000);
  assert.deepEqual(sink.taken, range(0, 10));
  assert.equal(stream.problem, undefined);
  stream.offer({ n: 99 });
  await clock.advanceAsync(100);
  assert.equal(sink.taken.at(-1), 99);
});

test("a sink that hangs holds up neither who makes records nor the end of the process", async () => {
  const sink = new Sink();
  const { stream, clock, metric } = streamTo(sink, 5);
  sink.hangs = true;
  for (const n of range(0, 8)) stream.offer({ n });
  await clock.advanceAsync(100);
  const stopping = stream.stop(1_000);
  await clock.advanceAsync(1_000);
  await stopping;
  assert.equal(await metric("dropped_total"), 8);
  stream.offer({ n: 9 });
  assert.equal(await metric("dropped_total"), 9);
});

test("the end: what waits is written, then the sink finishes", async () => {
  const sink = new Sink();
  const { stream } = streamTo(sink);
  stream.offer({ n: 1 });
  await stream.stop();
  assert.deepEqual(sink.taken, [1]);
  assert.equal(sink.stopped, true);
});

test("the end in the middle of a long queue: it is not paced any more", async () => {
  const sink = new Sink();
  const { stream, clock } = streamTo(sink, 100_000);
  for (const n of range(0, 50_000)) stream.offer({ n });
  await clock.advanceAsync(100);
  assert.deepEqual(sink.batches, [200]);
  const stopped = stream.stop();
  await clock.advanceAsync(20);
  await stopped;
  assert.equal(sink.taken.length, 50_000);
});

test("files of JSON lines: finished by size and at the end, torn ones of an earlier process put in order", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "record-stream-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = fakeClock();
  writeFileSync(join(folder, "x-20250101T000000Z-0001.jsonl.part"), '{"n":-2}\n{"n":-');
  writeFileSync(join(folder, "x-20250101T000000Z-0002.jsonl.part"), '{"n":');
  const files = new FileSeries({ folder, prefix: "x", maxBytes: 4_000, maxSeconds: 60 }, clock);
  const { stream } = streamTo(new JsonLinesFiles<Event>(files), 10_000, clock);
  stream.start();
  for (const n of range(0, 1_200)) stream.offer({ n });
  await stream.stop();
  assert.deepEqual(readdirSync(folder).sort(), [
    "x-20250101T000000Z-0001.jsonl",
    "x-20260101T000000Z-0001.jsonl",
    "x-20260101T000000Z-0002.jsonl",
    "x-20260101T000000Z-0003.jsonl",
  ]);
  const lines = readdirSync(folder)
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n"));
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as Event).n),
    [-2, ...range(0, 1_200)],
  );
});
