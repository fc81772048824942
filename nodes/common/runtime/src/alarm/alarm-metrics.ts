import type { Metric } from "prom-client";
import type { MetricsRegister } from "../metrics/register.ts";
import type { ScrapedMetric } from "../metrics/scraped-metric.ts";
import type { AlarmList } from "./alarm-list.ts";

const NAME = "ims_alarms_active";
const HELP =
  "Active alarms by problem and severity; a problem that could be and is not has 0 at its usual severity";

/** The alarm list as a gauge, for rules and dashboards. Labels are bounded: the problems of this program times severities. */
export function registerAlarmMetrics(register: MetricsRegister, alarms: AlarmList): void {
  const scrape = (): ScrapedMetric => {
    const counts = new Map<string, { labels: Record<string, string>; value: number }>();
    const series = (id: string, name: string, severity: string): { value: number } => {
      const key = `${id} ${severity}`;
      const labels = { problem: id, name, severity: severity.toLowerCase() };
      const found = counts.get(key) ?? { labels, value: 0 };
      counts.set(key, found);
      return found;
    };
    for (const { id, name, severity } of alarms.problems) series(id, name, severity);
    for (const { problem, perceivedSeverity } of alarms.active())
      series(problem.id, problem.name, perceivedSeverity).value++;
    return { name: NAME, help: HELP, type: "gauge", values: [...counts.values()] };
  };
  // A registry asks a metric for its name and get() and for nothing else.
  register.registry.registerMetric({ name: NAME, get: async () => scrape() } as unknown as Metric);
  register.gauge({
    name: "ims_alarms_dropped_total",
    help: "Times that an alarm was not taken because the list was full",
    type: "counter",
    value: () => alarms.dropped,
  });
}
