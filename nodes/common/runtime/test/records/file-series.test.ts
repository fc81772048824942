import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cutTornLine, FileSeries, type FileSeriesOptions } from "@ims/runtime";
import { type FakeClock, fakeClock } from "@ims/runtime/testing";

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "file-series-"));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function series(
  t: TestContext,
  options: Partial<FileSeriesOptions> = {},
): { files: FileSeries; at: string; clock: FakeClock } {
  const clock = fakeClock();
  const at = options.folder ?? folder(t);
  const files = new FileSeries({ prefix: "x", maxBytes: 20, maxSeconds: 60, ...options, folder: at }, clock);
  return { files, at, clock };
}

const names = (at: string): string[] => readdirSync(at).sort();

test("a file has its name when it is finished, not before; what is asked of a series is done in order", async (t) => {
  const { files, at } = series(t);
  const first = files.append("one\n");
  const finished = files.finish();
  const second = files.append("two\n");
  await Promise.all([first, finished, second]);
  assert.deepEqual(names(at), ["x-20260101T000000Z-0001.jsonl", "x-20260101T000000Z-0002.jsonl.part"]);
  assert.equal(readFileSync(join(at, "x-20260101T000000Z-0001.jsonl"), "utf8"), "one\n");
  assert.equal(files.isFull, false);
  await files.append("more than sixteen octets\n");
  assert.equal(files.isFull, true);
  await files.finish();
  assert.equal(
    readFileSync(join(at, "x-20260101T000000Z-0002.jsonl"), "utf8"),
    "two\nmore than sixteen octets\n",
  );
  await files.finish(); // nothing is open
  assert.equal(names(at).length, 2);
});

test("a file is finished when its time is over, but not in the middle of what belongs to a line", async (t) => {
  const { files, at, clock } = series(t, { durable: true });
  await files.append("one\n");
  const settling = Promise.withResolvers<() => void>();
  const writing = files.append("two\n", () => new Promise<void>((settled) => settling.resolve(settled)));
  const settled = await settling.promise;
  await clock.advanceAsync(60_000);
  assert.deepEqual(names(at), ["x-20260101T000000Z-0001.jsonl.part"]);
  settled();
  await writing;
  await files.finish();
  assert.deepEqual(names(at), ["x-20260101T000000Z-0001.jsonl"]);
  assert.equal(readFileSync(join(at, "x-20260101T000000Z-0001.jsonl"), "utf8"), "one\ntwo\n");
});

test("the oldest finished files are removed, and no file of anybody else", async (t) => {
  const { files, at, clock } = series(t, { maxFiles: 2 });
  const others = ["x-y-20250101T000000Z-0001.jsonl", "x-20250101T000000Z-notes.jsonl", "y.jsonl"];
  for (const name of others) writeFileSync(join(at, name), "");
  for (let i = 0; i < 4; i++) {
    await files.append(`${i}\n`);
    await files.finish();
    clock.advance(1_000);
  }
  assert.deepEqual(
    names(at).filter((name) => !others.includes(name)),
    ["x-20260101T000002Z-0003.jsonl", "x-20260101T000003Z-0004.jsonl"],
  );
  assert.equal(names(at).length, 5);
});

test("what an earlier process left unfinished is found, its torn line cut off, its name given", async (t) => {
  const { files, at } = series(t);
  const part = join(at, "x-20250101T000000Z-0001.jsonl.part");
  writeFileSync(part, `${"a".repeat(100_000)}\n${"b".repeat(70_000)}`);
  writeFileSync(join(at, "x-y-20250101T000000Z-0001.jsonl.part"), "of another series\n");
  assert.deepEqual(await files.leftovers(), [part]);
  assert.deepEqual(await cutTornLine(part), { left: 100_001, torn: 70_000 });
  assert.deepEqual(await cutTornLine(part), { left: 100_001, torn: 0 });
  await files.publish(part);
  assert.equal(readFileSync(join(at, "x-20250101T000000Z-0001.jsonl"), "utf8").length, 100_001);
  writeFileSync(part, "no line at all");
  assert.deepEqual(await cutTornLine(part), { left: 0, torn: 14 });
});

test("a folder that is gone is said, and used again when it is back", async (t) => {
  const at = folder(t);
  const { files } = series(t, { folder: at });
  await files.append("one\n");
  renameSync(at, `${at}-gone`);
  t.after(() => rmSync(`${at}-gone`, { recursive: true, force: true }));
  await assert.rejects(files.finish(), /ENOENT/);
  await assert.rejects(files.append("two\n"), /ENOENT/);
  renameSync(`${at}-gone`, at);
  await files.append("two\n");
  await files.finish();
  assert.deepEqual(names(at), ["x-20260101T000000Z-0001.jsonl.part", "x-20260101T000000Z-0003.jsonl"]);
});
