import type { Dashboard } from "../dashboard.ts";
import { series } from "../promql.ts";

const lines = (title: string, unit: "s" | "bytes" | "short", expr: string) => ({
  ...{ title, unit },
  queries: [{ legend: "{{instance}}", expr }],
});

export const nodes: Dashboard = {
  id: "nodes",
  title: "nodes",
  about: "Processes: are they there, how late is their event loop, what do they take.",
  jobs: ".+",
  rows: [
    {
      title: "There",
      panels: [
        {
          title: "Share of a pool that answers",
          unit: "percentunit",
          alarmed: { below: 0.75 },
          queries: [{ legend: "{{job}}", expr: `avg by (job) (${series("up")})` }],
        },
        lines("Runs for", "s", `time() - ${series("process_start_time_seconds")}`),
        {
          title: "Alarms by severity",
          unit: "short",
          queries: [{ legend: "{{severity}}", expr: `sum by (severity) (${series("ims_alarms_active")})` }],
        },
      ],
    },
    {
      title: "Event loop",
      panels: [
        lines("Delay, 50 %", "s", series("nodejs_eventloop_delay_p50_seconds")),
        lines("Delay, 99 %", "s", series("nodejs_eventloop_delay_p99_seconds")),
        lines("Longest since the scrape before", "s", series("nodejs_eventloop_delay_max_seconds")),
      ],
    },
    {
      title: "CPU and memory",
      panels: [
        {
          title: "CPU",
          about: "Of one processor; the event loop has one.",
          unit: "short",
          queries: [
            {
              legend: "{{instance}}",
              expr: `rate(${series("process_cpu_user_seconds_total")}[$__rate_interval]) + rate(${series("process_cpu_system_seconds_total")}[$__rate_interval])`,
            },
          ],
        },
        lines("Resident memory", "bytes", series("process_resident_memory_bytes")),
        lines("Heap in use", "bytes", series("nodejs_heap_used_bytes")),
        lines("Heap reserved", "bytes", series("nodejs_heap_total_bytes")),
        lines("Outside of the heap", "bytes", series("nodejs_external_bytes")),
        {
          title: "Time that a scrape takes",
          unit: "s",
          queries: [{ legend: "{{instance}}", expr: series("scrape_duration_seconds") }],
        },
      ],
    },
  ],
};
