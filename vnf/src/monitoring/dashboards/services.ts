import type { Dashboard } from "../dashboard.ts";
import { perSecond, total } from "../promql.ts";

export const services: Dashboard = {
  id: "services",
  title: "charging and services",
  about: "Charging events on their way to ralf and the CDF, simservs documents at homer, the portal.",
  jobs: "bono|sprout|ralf|homer|ellis",
  rows: [
    {
      title: "Charging",
      panels: [
        {
          title: "Events that wait at the nodes",
          unit: "short",
          queries: ["bono", "sprout"].map((node) => ({
            legend: "{{instance}}",
            expr: total(`ims_${node}_charging_events_queued`, {}, ["instance"]),
          })),
        },
        {
          title: "Events lost, refused, not delivered",
          unit: "reqps",
          queries: ["bono", "sprout"].flatMap((node) =>
            ["lost", "refused", "failures"].map((what) => ({
              legend: `${what} {{instance}}`,
              expr: perSecond(`ims_${node}_charging_events_${what}_total`, {}, ["instance"]),
            })),
          ),
        },
        {
          title: "Events at ralf",
          unit: "reqps",
          queries: [{ legend: "{{outcome}}", expr: perSecond("ims_ralf_events_total", {}, ["outcome"]) }],
        },
        {
          title: "Accounting requests",
          unit: "reqps",
          queries: [
            {
              legend: "{{type}} {{outcome}}",
              expr: perSecond("ims_ralf_accounting_requests_total", {}, ["type", "outcome"]),
            },
          ],
        },
        {
          title: "Records that wait for the CDF, dead letters",
          unit: "short",
          queries: [
            { legend: "waiting {{instance}}", expr: total("ims_ralf_queued_records", {}, ["instance"]) },
            { legend: "dead letters {{instance}}", expr: total("ims_ralf_dead_letters", {}, ["instance"]) },
          ],
        },
        {
          title: "Sessions watched, CDRs written",
          unit: "short",
          queries: [
            { legend: "sessions {{instance}}", expr: total("ims_ralf_watched_sessions", {}, ["instance"]) },
            { legend: "CDRs a second", expr: perSecond("ims_ralf_cdrs_total") },
          ],
        },
      ],
    },
    {
      title: "Services",
      panels: [
        {
          title: "XCAP at homer",
          unit: "reqps",
          queries: [
            {
              legend: "{{point}} {{outcome}}",
              expr: perSecond("ims_homer_requests_total", {}, ["point", "outcome"]),
            },
          ],
        },
        {
          title: "Portal",
          unit: "reqps",
          queries: [{ legend: "{{outcome}}", expr: perSecond("ims_ellis_requests_total", {}, ["outcome"]) }],
        },
        {
          title: "Call lists",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_homer_call_fragments_total", {}, ["outcome"]) },
          ],
        },
      ],
    },
  ],
};
