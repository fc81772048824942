import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const STATES = ["done", "better", "not applicable", "not yet"];
const DOCUMENT = readFileSync(join(ROOT, "docs/features.md"), "utf8");

interface Row {
  readonly line: number;
  readonly section: string;
  readonly cells: readonly string[];
}

/** Table rows below the numbered headings, without header and rule. */
function rowsOf(document: string): readonly Row[] {
  const rows: Row[] = [];
  let section = "";
  for (const [index, line] of document.split("\n").entries()) {
    section = /^## (\d+)\. /.exec(line)?.[1] ?? section;
    if (!line.startsWith("|") || line.startsWith("| feature |") || line.startsWith("|---")) continue;
    const cells = line.slice(1, -1).split("|");
    rows.push({ line: index + 1, section, cells: cells.map((cell) => cell.trim()) });
  }
  return rows;
}

/** What is wrong with a document, a line each; `read` gives the text of a file of the project, undefined where there is none. */
function staleIn(document: string, read: (file: string) => string | undefined): readonly string[] {
  const stale: string[] = [];
  const counts = new Map(STATES.map((state) => [state, 0]));
  const rows = rowsOf(document);
  for (const { line, cells } of rows) {
    const [feature = "", state = "", here = "", proof = ""] = cells;
    const say = (what: string): void => void stale.push(`docs/features.md:${line}: ${what}`);
    if (cells.length !== 4 || feature === "") {
      say(`${cells.length} cells, four are wanted, the first one a feature`);
      continue;
    }
    const count = counts.get(state);
    if (count === undefined) say(`state ${state}`);
    else counts.set(state, count + 1);
    const links = [...proof.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g)];
    if (proof.split("<br>").filter((one) => one !== "").length !== links.length)
      say("a proof that is no link");
    if ((state === "done" || state === "better") && links.length === 0) say(`${state} without a test`);
    if (state !== "done" && here === "") say(`${state} without a word on what is here`);
    for (const [, title = "", file = ""] of links) {
      const text = read(file);
      if (text === undefined) say(`no file ${file}`);
      else if (!hasTest(text, title)) say(`${file} has no test "${title}"`);
    }
  }
  const summary = `${rows.length} rows: ${STATES.map((state) => `${counts.get(state)} ${state}`).join(", ")}.`;
  if (!document.includes(summary)) stale.push(`docs/features.md: the summary is not "${summary}"`);
  return stale;
}

/** A test that is not skipped, or the title of a scenario in a table of them, by its whole title. */
function hasTest(text: string, title: string): boolean {
  const titles =
    /^[ \t]*(?:await )?(?:t\.)?test\(\s*("(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)|\btitle:\s*("(?:[^"\\]|\\.)*")/gm;
  for (const [, called, listed] of text.matchAll(titles)) {
    const literal = called ?? listed ?? "";
    if (literal.startsWith('"') ? JSON.parse(literal) === title : fits(literal.slice(1, -1), title))
      return true;
  }
  return false;
}

/** Whether a template makes that title; one that is all placeholders makes none. */
function fits(template: string, title: string): boolean {
  const parts = template.split(/\$\{[^}]*\}/);
  if (parts.join("").length < 20) return false;
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".+")}$`).test(
    title,
  );
}

function readFromProject(file: string): string | undefined {
  const path = join(ROOT, file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

test("the table of features has rows of every part of Clearwater", () => {
  const sections = new Set(rowsOf(DOCUMENT).map(({ section }) => section));
  assert.deepEqual(
    [...sections],
    Array.from({ length: 14 }, (_, index) => String(index + 1)),
  );
});

test("the table of features names tests that are there, and each feature that is done has one", () => {
  assert.deepEqual(staleIn(DOCUMENT, readFromProject), []);
});

test("a row that is stale, without proof or without a reason is refuted", () => {
  const files = new Map([
    [
      "a.test.ts",
      'test("it works", () => {});\n// test("it did", () => {});\ntest.skip("it may", () => {});\n',
    ],
    [
      "b.test.ts",
      `  test(\n    \`a call over \${protocol} is set up\`, () => {});\n  test(\`\${what}\`, () => {});\n`,
    ],
  ]);
  const refuted = (row: string, done = 0, missing = 0): readonly string[] => {
    const summary = `1 rows: ${done} done, 0 better, 0 not applicable, ${missing} not yet.`;
    return staleIn(`${summary}\n## 1. P-CSCF\n| ${row} |`, (file) => files.get(file)).map((one) =>
      one.replace(/^docs\/features\.md(?::\d+)?: /, ""),
    );
  };
  assert.deepEqual(refuted("calls | done | | [it works](../a.test.ts)", 1), []);
  assert.deepEqual(refuted("calls | done | | [a call over UDP is set up](../b.test.ts)", 1), []);
  assert.deepEqual(refuted("calls | not yet | nothing of it |", 0, 1), []);
  for (const title of ["it", "it works too", "it did", "it may"])
    assert.deepEqual(refuted(`calls | done | | [${title}](../a.test.ts)`, 1), [
      `a.test.ts has no test "${title}"`,
    ]);
  assert.deepEqual(refuted("calls | done | | [anything](../b.test.ts)", 1), [
    'b.test.ts has no test "anything"',
  ]);
  assert.deepEqual(refuted("calls | done | | [it works](../c.test.ts)", 1), ["no file c.test.ts"]);
  assert.deepEqual(refuted("calls | done | |", 1), ["done without a test"]);
  assert.deepEqual(refuted("calls | done | | it works", 1), [
    "a proof that is no link",
    "done without a test",
  ]);
  assert.deepEqual(refuted("calls | not yet | |", 0, 1), ["not yet without a word on what is here"]);
  assert.match(refuted("calls | nearly | most of it |")[0] ?? "", /^state nearly$/);
  assert.match(
    refuted("calls | done | | [it works](../a.test.ts)")[0] ?? "",
    /^the summary is not "1 rows: 1 done/,
  );
  assert.match(refuted("calls | done | ", 1)[0] ?? "", /^\d cells, four/);
});
