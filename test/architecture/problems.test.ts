import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CATALOGUE, PAGE, problemsPage } from "../../scripts/problems-page.ts";

const ROOT = join(import.meta.dirname, "../..");

const all = CATALOGUE.flatMap(({ problems, ...section }) =>
  Object.entries(problems).map(([key, problem]) => ({ key, problem, section })),
);

function sources(pattern: string): readonly { readonly file: string; readonly text: string }[] {
  return globSync(pattern, { cwd: ROOT, exclude: (path) => path.includes("node_modules") })
    .filter((file) => !file.includes("/test/"))
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }));
}

const code = [...sources("nodes/**/src/**/*.ts"), ...sources("etcd-cluster/src/**/*.ts")];

test("every problem has an id and a name of its own, in the range of its package, and words for whoever reads it", () => {
  assert.ok(all.length > 60, `${all.length} problems`);
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const { problem, section } of all) {
    const { id, name, summary, cause, effect, action } = problem;
    const number = Number(/^TW-([0-9]{4})$/.exec(id)?.[1]);
    if (!(number >= section.from && number <= section.to)) wrong.push(`${id} is not one of ${section.title}`);
    if (!/^[a-z][a-z0-9-]{3,40}$/.test(name)) wrong.push(`${id}: name ${name}`);
    for (const one of [id, name]) if (seen.has(one)) wrong.push(`${one} twice`);
    seen.add(id).add(name);
    if (!/^\S[\s\S]{10,}[^.]$/.test(summary) || summary.includes("\n"))
      wrong.push(`${id}: summary "${summary}"`);
    for (const text of [cause, effect, action])
      if (!/^[A-Za-z~\S][^\n]{5,}\.$/.test(text)) wrong.push(`${id}: "${text}" is no sentence`);
  }
  assert.deepEqual(wrong, []);
});

test("docs/reference/problems.md is what the definitions say", () => {
  const write = "sh scripts/node scripts/problems-page.ts --write";
  assert.equal(readFileSync(join(ROOT, PAGE), "utf8"), problemsPage(), `run: ${write}`);
});

test("every problem is raised or logged somewhere; every alarm is watched or raised", () => {
  const elsewhere = code.filter(({ file }) => !file.endsWith("problems.ts"));
  const unused = all
    .filter(({ key }) => !elsewhere.some(({ text }) => used(text, key)))
    .map(({ problem }) => problem.id);
  assert.deepEqual(unused, []);
});

/** `hssProblems.key`, or `const { key } = hssProblems`. */
function used(text: string, key: string): boolean {
  return new RegExp(`Problems\\s*\\.\\s*${key}\\b|\\{[^{}]*\\b${key}\\b[^{}]*\\} = \\w+Problems`).test(text);
}

/** Lines written there name no problem yet; the list may only shrink. */
const UNNAMED = ["nodes/common/sip/src/transport/node-transport-layer.ts"];

test("every warning and error in the log names its problem", () => {
  const wrong: string[] = [];
  let calls = 0;
  for (const { file, text } of code) {
    for (const match of text.matchAll(/\blog\??\.(?:warn|error|fatal)\(/g)) {
      calls++;
      const call = text.slice(match.index, endOf(text, match.index + match[0].length));
      const line = text.slice(0, match.index).split("\n").length;
      if (!call.includes("problemId") && !call.includes("(fields, text)")) wrong.push(`${file}:${line}`);
    }
  }
  assert.ok(calls > 60, `${calls} calls`);
  assert.deepEqual(
    [...new Set(wrong.map((place) => place.replace(/:[0-9]+$/, "")))].sort(),
    [...UNNAMED],
    `give the fields of the line problemId: <package>Problems.<problem>.id, defined in src/problems.ts\n${wrong.join("\n")}`,
  );
});

/** After the bracket that closes a call. */
function endOf(text: string, from: number): number {
  let depth = 1;
  let at = from;
  for (; at < text.length && depth > 0; at++) depth += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
  return at;
}
