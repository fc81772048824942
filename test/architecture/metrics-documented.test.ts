import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");

interface Metric {
  readonly file: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** As a regular expression: what is put in when the program runs is `[a-z_]+`. */
  readonly name: string;
}

/** Metrics as sources register them: by a literal name or by one that a prefix, or a list, completes. */
function metricsIn(file: string, text: string): Metric[] {
  const found: Metric[] = [];
  const registered = /\.(counter|gauge|histogram)\(\{\s*name: ["`]([^"`]+)["`](?:[^{}]|\{[^{}]*\})*?\}/g;
  for (const [whole = "", kind = "", name = ""] of text.matchAll(registered)) {
    const isCounter = kind === "counter" || whole.includes('type: "counter"');
    const pattern = name.replace(/\$\{[^}]*\}/g, "[a-z_]+");
    found.push({ file, kind: isCounter ? "counter" : (kind as "gauge" | "histogram"), name: pattern });
  }
  for (const [, name = ""] of text.matchAll(/\bconst NAME = "(ims_[a-z_]+)"/g))
    found.push({ file, kind: "gauge", name });
  // Those of the process have a function each of their own.
  for (const [, name = ""] of text.matchAll(/(?:gauge|cpuCounter)\(\s*(?:register,\s*)?"([a-z0-9_]+)"/g))
    found.push({ file, kind: name.endsWith("_total") ? "counter" : "gauge", name });
  return found;
}

const metrics = globSync(["nodes/*/src/**/*.ts", "nodes/common/*/src/**/*.ts"], { cwd: ROOT })
  .sort()
  .flatMap((file) => metricsIn(file, readFileSync(join(ROOT, file), "utf8")));

/** Names in the first column of the tables of the page. */
const documented = readFileSync(join(ROOT, "docs/operations/metrics.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));

const NODES = "bono|sprout|homestead|homer|ellis|ralf|mmtel";

test("metrics are found where they are registered", () => {
  assert.ok(metrics.length > 90, `${metrics.length} metrics`);
  for (const name of ["ims_bono_calls", "[a-z_]+_sip_request_seconds", "process_resident_memory_bytes"])
    assert.ok(
      metrics.some((metric) => metric.name === name),
      name,
    );
});

test("every metric has a row in docs/operations/metrics.md", () => {
  const missing = metrics.filter(({ name }) => {
    const pattern = new RegExp(`^${name}$`);
    return !documented.some((one) => pattern.test(one.replace("<node>", "sprout")));
  });
  assert.deepEqual(missing, []);
});

test("every row of docs/operations/metrics.md is of a metric that is there", () => {
  assert.ok(documented.length > 100);
  const patterns = metrics.map(({ name }) => new RegExp(`^${name}$`));
  const stale = documented.filter((one) => {
    const names = one.includes("<node>")
      ? NODES.split("|").map((node) => one.replace("<node>", node))
      : [one];
    return !names.some((name) => patterns.some((pattern) => pattern.test(name)));
  });
  assert.deepEqual(stale, []);
  assert.deepEqual(
    documented.filter((one, index) => documented.indexOf(one) !== index),
    [],
    "twice",
  );
});

test("the unit is last in the name: counters end in _total, histograms in their unit, and nothing else in _total", () => {
  const wrong = metrics.filter(({ kind, name }) =>
    kind === "counter"
      ? !name.endsWith("_total")
      : name.endsWith("_total") || (kind === "histogram" && !/_(?:seconds|bytes)$/.test(name)),
  );
  assert.deepEqual(wrong, []);
});
