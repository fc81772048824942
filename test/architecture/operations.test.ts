import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { alarmsOf, alertRules, catalogue, type DiagnosisId } from "@ims/doctor";
import { CATALOGUE } from "../../scripts/problems-page.ts";

const ROOT = join(import.meta.dirname, "../..");
const pages = globSync(["*.md", "docs/**/*.md", "nodes/tidewater/README.md", "heat-templates/README.md"], {
  cwd: ROOT,
}).map((page) => ({ page, text: readFileSync(join(ROOT, page), "utf8") }));
const problems = CATALOGUE.flatMap((section) => Object.values(section.problems));
const troubleshooting = readFileSync(join(ROOT, "docs/operations/troubleshooting.md"), "utf8");

/** Options and words of each command, as the program itself tells shells. */
const commands = (() => {
  const script = execFileSync(
    process.execPath,
    [join(ROOT, "nodes/tidewater/bin/tidewater.ts"), "completion", "bash"],
    { encoding: "utf8" },
  );
  const found = new Map<string, { readonly flags: readonly string[]; readonly words: readonly string[] }>();
  for (const [, path = "", flags = "", words = ""] of script.matchAll(
    /^ {4}"([^"]*)"\) flags='([^']*)' words='([^']*)' ;;$/gm,
  ))
    found.set(path, { flags: flags.split(" "), words: words.split(" ") });
  return found;
})();

/** Command lines of a page: indented or fenced ones, with those that go on behind a backslash, and spans of code. */
function commandLines(text: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, "");
  const lines = [...joined.matchAll(/^(?: {4,}|\$ )(?:npm run )?(tidewater .*)$/gm)].map(
    ([, line = ""]) => line,
  );
  const spans = [...joined.matchAll(/`(tidewater [^`\n]+)`/g)].map(([, line = ""]) => line);
  return [...lines, ...spans];
}

/** What is wrong with a command line; undefined: nothing. */
function faultOf(line: string): string | undefined {
  const [own = ""] = line.replace(/ -- (?=[a-z-])/, " ").split(/ (?:\||>|&&|-- |#|\.\.\.)|;| {2,}/);
  const words = own.split(/\s+/).slice(1);
  if (words.length === 0) return undefined;
  let path = "";
  const seen: string[] = [];
  for (const word of words) {
    const next = `${path} ${word}`.trim();
    if (commands.has(next)) path = next;
    else if (word.startsWith("--")) seen.push(word.replace(/[=,.)\]:]+.*$/, ""));
  }
  if (path === "") return words[0]?.startsWith("-") === true ? undefined : `no command ${words[0]}`;
  const flags = commands.get(path)?.flags ?? [];
  const unknown = seen.filter((flag) => flag !== "--" && !flags.includes(flag));
  return unknown.length === 0 ? undefined : `tidewater ${path} has no ${unknown.join(", ")}`;
}

test("every command line in the documents names a command that there is, with options that it has", () => {
  assert.ok(commands.size > 40, `${commands.size} commands`);
  const all = pages
    .filter(({ page }) => page !== "CHANGELOG.md")
    .flatMap(({ page, text }) => commandLines(text).map((line) => ({ page, line, fault: faultOf(line) })));
  assert.ok(all.length > 150, `${all.length} command lines`);
  assert.deepEqual(
    all.filter(({ fault }) => fault !== undefined),
    [],
  );
  assert.match(faultOf("tidewater alarms --wach") ?? "", /has no --wach/, "the test itself sees faults");
  assert.match(faultOf("tidewater alarm") ?? "", /no command alarm/);
});

test("every command that prints something prints JSON when it is asked", () => {
  const leaves = [...commands].filter(
    ([path]) => path !== "" && ![...commands.keys()].some((other) => other.startsWith(`${path} `)),
  );
  assert.deepEqual(
    leaves.filter(([, { flags }]) => !flags.includes("--json")).map(([path]) => path),
    ["vnf em", "completion"],
  );
});

test("every problem, diagnosis and alert rule that a document names is there", () => {
  const ids = new Set(problems.map(({ id }) => id));
  const rules = new Set(
    globSync("tosca/monitoring/rules/*.y*ml", { cwd: ROOT }).flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name),
    ),
  );
  const wrong = pages.flatMap(({ page, text }) => [
    ...[...text.matchAll(/\bTW-[0-9]{4}\b/g)].flatMap(([id]) => (ids.has(id) ? [] : [`${page}: ${id}`])),
    ...[...text.matchAll(/troubleshooting\.md#([a-z0-9-]+)/g)].flatMap(([, anchor = ""]) =>
      Object.hasOwn(catalogue, anchor) ? [] : [`${page}: no diagnosis ${anchor}`],
    ),
    ...[...text.matchAll(/`(Tidewater[A-Z]\w+)`/g)].flatMap(([, name = ""]) =>
      rules.has(name) ? [] : [`${page}: no alert rule ${name}`],
    ),
  ]);
  assert.deepEqual(wrong, []);
  assert.ok(rules.size > 30, `${rules.size} rules`);
  for (const rule of Object.values(alertRules).flat()) assert.ok(rules.has(rule), rule);
});

test("the troubleshooting page leads from a symptom to every diagnosis, and from there to alarms that nodes raise, and back", () => {
  const anchors = new Set([...troubleshooting.matchAll(/^### (.+)$/gm)].map(([, id = ""]) => id));
  const rows = [...troubleshooting.matchAll(/^\| .+ \| \[[^\]]+\]\(#([a-z0-9-]+)\) \|(.*)\|$/gm)];
  const led = new Map(rows.map(([, id = "", alarms = ""]) => [id, alarms]));
  const alarms = new Map(problems.map(({ id, kind, name }) => [id, { kind, name }]));
  const reference = readFileSync(join(ROOT, "docs/reference/problems.md"), "utf8");
  for (const id of Object.keys(catalogue) as DiagnosisId[]) {
    assert.ok(anchors.has(id), `${id} has a section`);
    assert.ok(led.has(id), `a symptom leads to ${id}`);
    for (const alarm of alarmsOf(id)) {
      const { kind, name } = alarms.get(alarm) ?? {};
      assert.equal(kind, "alarm", `${id}: ${alarm}`);
      assert.ok(led.get(id)?.includes(`#${alarm.toLowerCase()}-${name}`), `${id} leads to ${alarm}`);
      assert.ok(reference.includes(`### ${alarm} ${name}\n`), `${alarm} is in the reference`);
    }
  }
  assert.ok([...led.keys()].filter((id) => alarmsOf(id as DiagnosisId).length > 0).length >= 10);
  const last = troubleshooting.slice(troubleshooting.indexOf("## What an operator sees"));
  for (const { id, kind } of problems) assert.equal(last.includes(`[${id} `), kind === "alarm", id);
});
