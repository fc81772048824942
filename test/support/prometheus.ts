import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { dashboards, monitoringFiles } from "@ims/vnf";
import { endProgram } from "./program.ts";

/** False where Prometheus is; where tests must not be skipped in silence a missing one makes them fail. */
export const prometheusMissing =
  spawnSync("promtool", ["--version"], { stdio: "ignore" }).status === 0 || process.env["CI"] !== undefined
    ? false
    : "no Prometheus here: sh scripts/install-test-tools installs it";

/** What promtool says of files; the status is 0 when it finds nothing wrong. */
export function promtool(args: readonly string[], cwd?: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8", cwd });
  return { status, said: `${stdout}${stderr}` };
}

/** What dashboards ask for, with their variables set: all domains and nodes, a range. */
export function dashboardQueries(range: string): { readonly panel: string; readonly expr: string }[] {
  return dashboards.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({
          panel: `${title}: ${panel.title}`,
          expr: expr.replaceAll(/\$(?:domain|instance)\b/g, ".*").replaceAll("$__rate_interval", range),
        })),
      ),
    ),
  );
}

/** Metrics of ours that an expression names, histograms by their own name. */
export function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:ims|process|nodejs)_[a-z0-9_]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ""),
  );
}

/** Metrics that dashboards and alert rules name. */
export function askedMetrics(): ReadonlySet<string> {
  const rules = [...monitoringFiles()].filter(([path]) => path.startsWith("rules/")).map(([, text]) => text);
  return new Set([...dashboardQueries("5m").map(({ expr }) => expr), ...rules].flatMap(metricsIn));
}

/** Metrics in the text of a management port. */
export function metricsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name));
}

export interface RunningPrometheus {
  /** An answer of its HTTP API. */
  api(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
  said(): string;
}

/** Runs Prometheus with a configuration until the test ends. */
export async function startPrometheus(
  t: TestContext,
  { config, host, port }: { readonly config: string; readonly host: string; readonly port: number },
): Promise<RunningPrometheus> {
  const data = mkdtempSync(join(tmpdir(), "tidewater-prometheus-"));
  const listen = `${host}:${port}`;
  const child: ChildProcess = spawn(
    "prometheus",
    [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${listen}`],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  t.after(async () => {
    await endProgram(child, 10_000);
    rmSync(data, { recursive: true, force: true });
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  const running: RunningPrometheus = {
    said: () => said,
    async api(path, query = {}) {
      const response = await fetch(`http://${listen}/api/v1/${path}`, {
        method: Object.keys(query).length === 0 ? "GET" : "POST",
        ...(Object.keys(query).length === 0 ? {} : { body: new URLSearchParams(query) }),
      });
      const answer = (await response.json()) as { status: string; data: unknown; error?: string };
      if (answer.status !== "success") throw new Error(`${path} ${JSON.stringify(query)}: ${answer.error}`);
      return answer.data;
    },
  };
  for (const end = Date.now() + 30_000; ; ) {
    const isReady = await fetch(`http://${listen}/-/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) return running;
    if (child.exitCode !== null || Date.now() > end) throw new Error(`Prometheus is not ready\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
