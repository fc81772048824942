import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { z } from "zod";
import { SproutError } from "../../src/errors.ts";
import { FollowedFile } from "../../src/routing/followed-file.ts";

const schema = z.strictObject({ word: z.string() });

function setUp(t: TestContext): {
  path: string;
  write(text: string): void;
  open(): FollowedFile<typeof schema, string>;
  look(): Promise<void>;
} {
  const folder = mkdtempSync(join(tmpdir(), "followed-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "words.json");
  const clock = fakeClock();
  return {
    path,
    // As files are replaced that others read: never half written.
    write: (text) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    },
    open: () =>
      new FollowedFile(
        {
          file: path,
          what: "words",
          schema,
          make: ({ word }) =>
            word === "bad" ? { kind: "bad", problem: "word: bad" } : { kind: "table", table: word },
        },
        { clock, log: memoryLogger("silent") },
      ),
    look: async () => {
      await clock.advanceAsync(2_000);
      // The file system answers in its own time.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

test("a file that changes is followed; one that is wrong or gone changes nothing and is named until it is right", async (t) => {
  const { write, open, look, path } = setUp(t);
  write('{"word":"one"}');
  const file = open();
  t.after(() => file.stop());
  file.start();
  assert.equal(file.table, "one");
  for (const [text, table, problem] of [
    ['{"word":"two"}', "two", undefined],
    ["{", "two", /not JSON/],
    ['{"word":3}', "two", /word: /],
    ['{"word":"bad"}', "two", /word: bad/],
    ['{"word":"x","more":1}', "two", /the whole: /],
    [`{"word":"${"x".repeat(1_000_000)}"}`, "two", /more than 1000000/],
    ['{"word":"two"}', "two", undefined],
    ['{"word":"three"}', "three", undefined],
  ] as const) {
    write(text);
    await look();
    assert.equal(file.table, table, text.slice(0, 40));
    if (problem === undefined) assert.equal(file.problem, undefined, text.slice(0, 40));
    else assert.match(file.problem ?? "none", problem);
  }
  unlinkSync(path);
  await look();
  assert.equal(file.table, "three");
  assert.match(file.problem ?? "none", /cannot be read/);
  write('{"word":"three"}');
  await look();
  assert.equal(file.problem, undefined);
});

test("at the start a file that cannot be used is a mistake with its place", (t) => {
  const { write, open, path } = setUp(t);
  const fault = (): unknown => {
    try {
      open();
    } catch (error) {
      return error instanceof SproutError ? error.detail : error;
    }
    return "accepted";
  };
  const code = "SPROUT_NUMBERS_FILE";
  assert.deepEqual(fault(), { code, file: path, problem: "cannot be read" });
  write("[");
  assert.deepEqual(fault(), { code, file: path, problem: "is not JSON" });
  write('{"word":"bad"}');
  assert.deepEqual(fault(), { code, file: path, problem: "word: bad" });
});
