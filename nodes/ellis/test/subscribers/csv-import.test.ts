import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { ImportStopped, importCsv, type RowImporter } from "../../src/subscribers/csv-import.ts";

const rows =
  (count: number, more = "") =>
  () =>
    Readable.from([
      Buffer.from("impi,impu,password\n"),
      ...Array.from({ length: count }, (_, at) =>
        Buffer.from(`u${at}@example.com,sip:u${at}@example.com,x\n`),
      ),
      Buffer.from(more),
    ]);

/** Keeps what it is given; stops answering after so many calls that write. */
function importer(stopsAfter = Number.POSITIVE_INFINITY) {
  const kept = new Set<string>();
  const calls: { rows: number; dryRun: boolean }[] = [];
  const one: RowImporter = {
    async import(given, { dryRun }) {
      calls.push({ rows: given.length, dryRun });
      if (!dryRun && calls.filter((call) => !call.dryRun).length > stopsAfter) throw new Error("away");
      const names = given.map((each) => (each as { impi: string }).impi);
      const fresh = names.filter((name) => !kept.has(name));
      if (!dryRun) for (const name of fresh) kept.add(name);
      return { applied: dryRun ? 0 : fresh.length, unchanged: names.length - fresh.length, rows: [] };
    },
  };
  return { kept, calls, one };
}

test("a large file goes to homestead in parts, each judged before the first is written", async () => {
  const { calls, kept, one } = importer();
  const report = await importCsv(rows(2_500), one, { dryRun: false, maxRows: 10_000 });
  assert.deepEqual(report, { rows: 2_500, applied: 2_500, unchanged: 0, wrong: 0, errors: [] });
  assert.deepEqual(
    calls.map((call) => [call.rows, call.dryRun]),
    [true, false].flatMap((dryRun) => Array.from({ length: 10 }, () => [250, dryRun])),
  );
  assert.equal(kept.size, 2_500);
});

test("while a large file is read others get their turn: after 32 rows at the latest, and no call has more than 250", async () => {
  const { calls, one } = importer();
  let turns = 0;
  let ended = false;
  const look = (): void => {
    turns++;
    if (!ended) setImmediate(look);
  };
  setImmediate(look);
  await importCsv(rows(5_000), one, { dryRun: true, maxRows: 10_000 });
  ended = true;
  assert.ok(turns >= Math.floor(5_000 / 32), String(turns));
  assert.ok(calls.every((call) => call.rows <= 250));
});

test("identities that are the same in another spelling, far apart in the file, are found before anything is written", async () => {
  const { calls, kept, one } = importer();
  const again =
    "u7@EXAMPLE.com,sip:new@example.com,x\nnew2@example.com,sip:U8@example.com;a=b,x\nz@y.x,sip:u9@EXAMPLE.COM,x\n";
  const report = await importCsv(rows(1_500, again), one, { dryRun: false, maxRows: 10_000 });
  assert.equal(kept.size, 0);
  assert.ok(calls.every(({ dryRun }) => dryRun));
  assert.deepEqual(
    report.errors.map(({ row, column }) => [row, column]),
    [
      [1502, "impi"],
      [1504, "impu"],
    ],
  );
});

test("of very many wrong rows the first ones are told, and all are counted", async () => {
  const { one } = importer();
  const report = await importCsv(rows(2, "wrong\n".repeat(5_000)), one, { dryRun: true, maxRows: 10_000 });
  assert.deepEqual([report.wrong, report.errors.length], [5_000, 200]);
});

test("an importer that stops in the middle is told with what is written; the same file goes on from there", async () => {
  const stopping = importer(1);
  await assert.rejects(importCsv(rows(2_500), stopping.one, { dryRun: false, maxRows: 10_000 }), (error) => {
    assert.ok(error instanceof ImportStopped);
    assert.equal(error.applied, 250);
    return true;
  });
  const going = importer();
  for (const name of stopping.kept) going.kept.add(name);
  const report = await importCsv(rows(2_500), going.one, { dryRun: false, maxRows: 10_000 });
  assert.deepEqual([report.applied, report.unchanged], [2_250, 250]);
});
