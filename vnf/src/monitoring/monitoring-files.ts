import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { grafanaDashboard } from "./dashboard.ts";
import { dashboards } from "./dashboards.ts";

/** What is written by hand of it: configuration and rules of Prometheus. */
export const MONITORING_FOLDER = join(import.meta.dirname, "../../../tosca/monitoring");
/** Of Prometheus; operators change it. */
export const PROMETHEUS_FILE = "prometheus.yml";
/** Where Prometheus is told of nodes. */
export const TARGETS_FILE = "targets/tidewater.json";

/** What monitors the VNF, by path: configuration and rules of Prometheus, dashboards of Grafana. */
export function monitoringFiles(folder: string = MONITORING_FOLDER): Map<string, string> {
  const files = new Map(
    globSync([PROMETHEUS_FILE, "rules/*.yaml"], { cwd: folder })
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), "utf8")]),
  );
  for (const dashboard of dashboards)
    files.set(
      `grafana/tidewater-${dashboard.id}.json`,
      `${JSON.stringify(grafanaDashboard(dashboard), undefined, 2)}\n`,
    );
  return files;
}
