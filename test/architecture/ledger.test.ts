import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";

const ROOT = join(import.meta.dirname, "../..");
const STATES = ["done", "partial", "planned", "not-applicable"];

interface Row {
  readonly clause?: string;
  readonly summary?: string;
  readonly state?: string;
  readonly why?: string;
  readonly source?: { readonly file: string; readonly search: string };
  readonly tests?: readonly { readonly file: string; readonly title: string }[];
}

const files = globSync("docs/traceability/*.yaml", { cwd: ROOT }).sort();

test("there is a ledger of clauses", () => {
  assert.ok(files.length >= 5, `${files.length} ledger files`);
});

for (const file of files) {
  test(`ledger ${basename(file)}: every row names code and tests that are there`, () => {
    const rows = load(readFileSync(join(ROOT, file), "utf8")) as readonly Row[];
    assert.ok(Array.isArray(rows) && rows.length > 0);
    const stale: string[] = [];
    for (const row of rows) {
      const name = `${row.clause} ${row.summary}`;
      if (row.clause === undefined || row.summary === undefined) stale.push(`${name}: no clause or summary`);
      if (!STATES.includes(row.state ?? "")) stale.push(`${name}: state ${row.state}`);
      if (row.state !== "done" && row.why === undefined) stale.push(`${name}: ${row.state} without a why`);
      if (
        (row.state === "done" || row.state === "partial") &&
        (row.source === undefined || (row.tests ?? []).length === 0)
      )
        stale.push(`${name}: ${row.state} without source or tests`);
      if (row.source !== undefined && !holds(row.source.file, row.source.search))
        stale.push(`${name}: ${row.source.file} has no "${row.source.search}"`);
      for (const one of row.tests ?? [])
        if (!holds(one.file, one.title)) stale.push(`${name}: ${one.file} has no test "${one.title}"`);
    }
    assert.deepEqual(stale, []);
  });
}

function holds(file: string, text: string): boolean {
  const path = join(ROOT, file);
  return existsSync(path) && readFileSync(path, "utf8").includes(text);
}
