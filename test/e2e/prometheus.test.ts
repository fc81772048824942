import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "@ims/runtime/testing";
import { launchPools } from "../support/pools-under-test.ts";
import {
  askedMetrics,
  dashboardQueries,
  metricsOf,
  prometheusMissing,
  type RunningPrometheus,
  startPrometheus,
} from "../support/prometheus.ts";

const HOST = "127.0.0.1";

/** The same configuration in a hurry: asked and judged every second, nothing has to last. */
function hurry(folder: string): string {
  const config = join(folder, "prometheus.yml");
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replaceAll("_interval: 15s", "_interval: 1s"));
  for (const name of readdirSync(join(folder, "rules"))) {
    const file = join(folder, "rules", name);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(/\bfor: \w+/g, "for: 0s"));
  }
  return config;
}

async function until(what: string, condition: () => Promise<boolean>, said: () => string): Promise<void> {
  for (const end = Date.now() + 40_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`still waiting: ${what}\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

async function firing(prometheus: RunningPrometheus): Promise<readonly Alert[]> {
  const { alerts } = (await prometheus.api("alerts")) as { alerts: Alert[] };
  return alerts.filter(({ state }) => state === "firing");
}

interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: [number, string];
  }[];
}

test("Prometheus asks a deployment of three pools, dashboards have answers, and an alert fires when a sprout is killed", {
  skip: prometheusMissing,
  timeout: 180_000,
}, async (t) => {
  const pools = await launchPools([
    ...["--pools", "bono=2,sprout=2,homestead=1", "--stores", "memcached=1", "--no-restart"],
  ]);
  t.after(() => pools.stop());
  const folder = mkdtempSync(join(tmpdir(), "tidewater-monitoring-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { exitCode, stdout, stderr } = await pools.tidewater([
    ...["monitoring", folder, "--pools-file", pools.poolsFile],
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /: [0-9]+ files written, 5 nodes$/m);
  const prometheus = await startPrometheus(t, {
    config: hurry(folder),
    host: HOST,
    port: await freePort(HOST),
  });
  const ask = async (query: string): Promise<Vector["result"]> =>
    ((await prometheus.api("query", { query })) as Vector).result;

  await until("five nodes answer", async () => (await ask("sum(up)"))[0]?.value[1] === "5", prometheus.said);
  const members = (await ask("up")).map(
    ({ metric }) => `${metric["job"]} ${metric["instance"]} ${metric["domain"]}`,
  );
  assert.deepEqual(members.sort(), [
    ...["bono bono-1", "bono bono-2", "homestead homestead-1", "sprout sprout-1", "sprout sprout-2"].map(
      (one) => `${one} ${pools.domain}`,
    ),
  ]);
  // Where nothing has to last, a machine that is busy with something else is late enough for this one.
  const alarmed = (await firing(prometheus)).map(({ labels }) => labels["alertname"]);
  assert.deepEqual(
    alarmed.filter((name) => name !== "TidewaterEventLoopDelay"),
    [],
  );
  const rates = "count(rate(process_cpu_user_seconds_total[10s]))";
  await until("two scrapes of each", async () => (await ask(rates))[0]?.value[1] === "5", prometheus.said);
  const answered = new Set<string>();
  for (const { panel, expr } of dashboardQueries("10s"))
    if ((await ask(expr)).length > 0) answered.add(panel);
  for (const panel of [
    "overview: Registered users",
    "overview: Nodes down",
    "overview: Registrations",
    "nodes: CPU",
    "nodes: Delay, 99 %",
    "stores: Operations of sprout",
    "HSS and Diameter: Open peers",
    "P-CSCF (bono): Registered",
    "overload: Wait before they are handled",
  ])
    assert.ok(answered.has(panel), `${panel} has nothing to show`);

  const sprout = pools.nodes.find(({ name }) => name === "sprout-1");
  const metrics = await fetch(`http://${sprout?.host}:9102/metrics`);
  const there = metricsOf(await metrics.text());
  const ofStores = [...askedMetrics()].filter((name) => /^ims_sprout_memcached_/.test(name));
  assert.ok(ofStores.length > 10);
  assert.deepEqual(
    ofStores.filter((name) => !there.has(name)),
    [],
  );

  const victim = pools.nodes.find(({ name }) => name === "sprout-2");
  assert.ok(victim);
  process.kill(victim.pid, "SIGKILL");
  const find = (alerts: readonly Alert[], name: string): Alert | undefined =>
    alerts.find(({ labels }) => labels["alertname"] === name);
  let alerts: readonly Alert[] = [];
  await until(
    "the alerts fire",
    async () => {
      alerts = await firing(prometheus);
      return find(alerts, "TidewaterPoolUnderTolerance") !== undefined;
    },
    prometheus.said,
  );
  const alert = find(alerts, "TidewaterNodeDown");
  assert.deepEqual(
    [
      alert?.labels["instance"],
      alert?.labels["job"],
      alert?.labels["severity"],
      alert?.annotations["summary"],
    ],
    ["sprout-2", "sprout", "major", "sprout-2 does not answer"],
  );
  assert.equal(
    find(alerts, "TidewaterPoolUnderTolerance")?.annotations["summary"],
    "only 50% of the pool sprout answer",
  );
});
