import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { optionsOf, withServiceOptions } from "@ims/runtime";
import { configurationPage, PAGE, SCHEMAS } from "../../scripts/configuration-page.ts";

const ROOT = join(import.meta.dirname, "../..");

test("docs/reference/configuration.md is what the option schemas say", () => {
  const write = "sh scripts/node scripts/configuration-page.ts --write";
  assert.equal(readFileSync(join(ROOT, PAGE), "utf8"), configurationPage(), `run: ${write}`);
});

test("every option has words; what goes with another names one that there is", () => {
  const wrong: string[] = [];
  for (const [name, schema] of SCHEMAS) {
    const options = optionsOf(name, withServiceOptions(schema));
    const keys = new Set(options.map(({ key }) => key));
    for (const { key, description, needs } of options) {
      if (description === "") wrong.push(`${name}.${key} has no description`);
      for (const other of needs)
        if (!keys.has(other)) wrong.push(`${name}.${key} goes with ${other}, which is no option`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("every option that a running node takes at once is followed in its code", () => {
  const unfollowed: string[] = [];
  const source = (folder: string): string =>
    globSync(`${folder}/src/**/*.ts`, { cwd: ROOT })
      .map((file) => readFileSync(join(ROOT, file), "utf8"))
      .join("\n");
  const runtime = source("nodes/common/runtime");
  for (const [name, schema] of SCHEMAS) {
    const code = `${runtime}\n${name.startsWith("e") && name !== "ellis" ? "" : source(`nodes/${name}`)}`;
    for (const { key, hot } of optionsOf(name, withServiceOptions(schema)))
      if (hot && !new RegExp(`\\bfollow<[^>]+>\\("${key}"`).test(code)) unfollowed.push(`${name}.${key}`);
  }
  assert.deepEqual(unfollowed, []);
});

test("log level and grace period are taken at once by every process: what hosts a node follows them", () => {
  const cold: string[] = [];
  for (const [name, schema] of SCHEMAS)
    for (const { key, hot } of optionsOf(name, withServiceOptions(schema)))
      if ((key === "logLevel" || key === "quiesceSeconds") && !hot) cold.push(`${name}.${key}`);
  assert.deepEqual(cold, []);
});
