import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { dashboards, MONITORING_FOLDER, monitoringFiles } from "@ims/vnf";
import { dump, load } from "js-yaml";
import { dashboardQueries, metricsIn, prometheusMissing, promtool } from "../../support/prometheus.ts";
import { ASKED_AT, CASES, WELL } from "./rule-cases.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const rules: readonly Rule[] = [...monitoringFiles()]
  .filter(([path]) => path.startsWith("rules/"))
  .flatMap(([, text]) =>
    (load(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules: own }) => own),
  );
const skip = prometheusMissing;

/** Runs `act` in a folder with these files. */
function inFolder(files: ReadonlyMap<string, string>, act: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "tidewater-rules-"));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every alert rule fires in the state it is for, no other does, and none where all is well", {
  skip,
}, () => {
  // Each state is a deployment of its own, all of them in one Prometheus.
  const states = [{ fires: [], when: "all is well", series: {} }, ...CASES];
  const document = {
    rule_files: [join(MONITORING_FOLDER, "rules/*.yaml")],
    evaluation_interval: "30s",
    tests: [
      {
        interval: "30s",
        input_series: states.flatMap(({ series }, index) =>
          Object.entries({ ...WELL, ...series }).map(([name, values]) => ({
            series: name.replace('domain="example.com"', `domain="state-${index}"`),
            values,
          })),
        ),
        promql_expr_test: [
          {
            expr: 'count by (domain, alertname) (count by (domain, alertname, problem) (ALERTS{alertstate="firing"}))',
            eval_time: `${ASKED_AT}m`,
            exp_samples: states.flatMap(({ fires }, index) =>
              fires.map((alertname) => ({
                labels: `{alertname="${alertname}",domain="state-${index}"}`,
                value: 1,
              })),
            ),
          },
        ],
      },
    ],
  };
  for (const { when, series } of CASES)
    for (const name of Object.keys(series))
      assert.ok(name in WELL && name.includes("domain="), `${when}: ${name}`);
  inFolder(new Map([["cases.yaml", dump(document)]]), (folder) => {
    const { status, said } = promtool(["test", "rules", "cases.yaml"], folder);
    assert.equal(status, 0, said);
  });
  const fired = new Set(CASES.flatMap(({ fires }) => fires));
  assert.deepEqual(
    rules.filter(({ alert }) => !fired.has(alert)).map(({ alert }) => alert),
    [],
    "rules without a case",
  );
});

test("rules, and what dashboards ask for, are PromQL", { skip }, () => {
  const asked = dashboardQueries("5m").map(({ expr }, index) => ({ record: `asked_${index}`, expr }));
  assert.ok(asked.length > 150, `${asked.length}`);
  inFolder(new Map([["asked.yaml", dump({ groups: [{ name: "asked", rules: asked }] })]]), (folder) => {
    for (const args of [
      ["check", "rules", "asked.yaml"],
      ["check", "config", join(MONITORING_FOLDER, "prometheus.yml")],
    ]) {
      const { status, said } = promtool(args, folder);
      assert.equal(status, 0, said);
    }
  });
});

test("every rule says how bad it is, what is wrong and what to do, by a problem that there is, and has a row in docs", () => {
  assert.ok(rules.length > 35, `${rules.length}`);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  const problems = readFileSync(join(MONITORING_FOLDER, "../../docs/reference/problems.md"), "utf8");
  const page = readFileSync(join(MONITORING_FOLDER, "../../docs/operations/monitoring.md"), "utf8");
  for (const { alert, expr, labels, annotations } of rules) {
    assert.ok(page.includes(`\`${alert}\``), `${alert}: docs/operations/monitoring.md`);
    assert.match(alert, /^Tidewater[A-Z]/);
    for (const key of ["summary", "description", "action"]) assert.ok(annotations[key], `${alert}: ${key}`);
    const fromAlarm = expr.includes("ims_alarms_active");
    const { severity } = labels ?? {};
    assert.ok(
      fromAlarm || /^(?:critical|major|minor|warning)$/.test(severity ?? ""),
      `${alert}: ${severity}`,
    );
    const { problem } = annotations;
    assert.ok(problem === undefined || problems.includes(`### ${problem} `), `${alert}: ${problem}`);
    assert.ok(metricsIn(expr).length > 0 || expr.includes("up{"), alert);
  }
});

test("dashboards are what Grafana reads: panels in 24 columns that do not overlap, one query a letter, known data source", () => {
  assert.equal(new Set(dashboards.map(({ id }) => id)).size, 10);
  for (const [path, text] of monitoringFiles()) {
    if (dirname(path) !== "grafana") continue;
    const json = JSON.parse(text) as GrafanaJson;
    assert.equal(path, `grafana/${json.uid}.json`);
    assert.deepEqual(
      json.templating.list.map(({ name }) => name),
      ["datasource", "domain", "instance"],
    );
    assert.deepEqual(
      json.panels.map(({ id }) => id),
      json.panels.map((_, index) => index + 1),
    );
    const taken = new Set<string>();
    for (const { title, type, gridPos, targets, datasource } of json.panels) {
      const { x, y, w, h } = gridPos;
      assert.ok(x >= 0 && w > 0 && x + w <= 24, `${json.uid}: ${title}`);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          assert.ok(!taken.has(`${column},${line}`), `${json.uid}: ${title} lies over another one`);
          taken.add(`${column},${line}`);
        }
      if (type === "row") continue;
      assert.equal(datasource?.uid, "$datasource");
      assert.ok(targets !== undefined && targets.length > 0 && targets.length <= 26, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
    }
  }
});

interface GrafanaJson {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly refId: string }[];
  }[];
}
