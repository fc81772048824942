import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { catalogue, type DiagnosisDefinition } from "@ims/doctor";
import { PAGE, troubleshootingPage } from "../../scripts/troubleshooting-page.ts";

const ROOT = join(import.meta.dirname, "../..");
const all: readonly (readonly [string, DiagnosisDefinition])[] = Object.entries(catalogue);

test("docs/operations/troubleshooting.md is what the doctor's catalogue says", () => {
  const write = "sh scripts/node scripts/troubleshooting-page.ts --write";
  assert.equal(readFileSync(join(ROOT, PAGE), "utf8"), troubleshootingPage(), `run: ${write}`);
});

test("every diagnosis has words for whoever reads it, a clause, and a title of its own", () => {
  assert.ok(all.length >= 25, `${all.length} diagnoses`);
  const wrong: string[] = [];
  const titles = new Set<string>();
  for (const [id, { title, symptom, cause, remedy, clauses }] of all) {
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id)) wrong.push(`${id} is no id`);
    if (titles.has(title) || !/^\S[^\n]{8,}[^.]$/.test(title)) wrong.push(`${id}: title "${title}"`);
    titles.add(title);
    for (const text of [symptom, cause])
      if (!/^\S[^\n|]{15,}\.$/.test(text)) wrong.push(`${id}: "${text}" is no sentence`);
    if (remedy.length === 0 || remedy.some((step) => step.length < 12)) wrong.push(`${id}: no remedy`);
    if (
      clauses.length === 0 ||
      clauses.some((clause) => !/^(?:RFC [0-9]{4}|TS [0-9]{2}\.[0-9]{3})\b/.test(clause))
    )
      wrong.push(`${id}: clauses ${clauses.join()}`);
  }
  assert.deepEqual(wrong, []);
});

test("every diagnosis is looked for by a rule, and produced by a wrong set-up on a running core", () => {
  const text = (pattern: string): string =>
    globSync(pattern, { cwd: ROOT })
      .map((file) => readFileSync(join(ROOT, file), "utf8"))
      .join("\n");
  const rules = text("nodes/common/doctor/src/{rules,subject}/*.ts");
  // Each of these files proves at its end that what it names was said.
  const produced = text("test/e2e/doctor*.test.ts");
  for (const file of globSync("test/e2e/doctor*.test.ts", { cwd: ROOT }))
    assert.match(
      readFileSync(join(ROOT, file), "utf8"),
      /^testsProduceWhatTheyName\(import\.meta\.filename/m,
      file,
    );
  const missing = all.flatMap(([id]) => [
    ...(rules.includes(`"${id}"`) ? [] : [`${id}: no rule`]),
    ...(produced.includes(`"${id}"`) ? [] : [`${id}: not produced`]),
  ]);
  assert.deepEqual(missing, []);
});
