import type { Dashboard } from "../dashboard.ts";
import { perSecond, series, total } from "../promql.ts";
import { sipRows } from "./sip.ts";

export const sCscf: Dashboard = {
  id: "s-cscf",
  title: "I-CSCF and S-CSCF (sprout)",
  about:
    "The core of the core: routing, filter criteria, application servers, the copies of registrations and their expiry.",
  jobs: "sprout",
  rows: [
    ...sipRows("sprout"),
    {
      title: "Routing",
      panels: [
        {
          title: "I-CSCF",
          unit: "reqps",
          queries: [
            {
              legend: "{{kind}} {{outcome}}",
              expr: perSecond("ims_sprout_icscf_requests_total", {}, ["kind", "outcome"]),
            },
          ],
        },
        {
          title: "S-CSCF",
          unit: "reqps",
          queries: [
            {
              legend: "{{session_case}} {{outcome}}",
              expr: perSecond("ims_sprout_scscf_requests_total", {}, ["session_case", "outcome"]),
            },
          ],
        },
        {
          title: "Refused, defects",
          about: "Defects should stay 0.",
          unit: "reqps",
          queries: [
            { legend: "{{reason}}", expr: perSecond("ims_sprout_refused_total", {}, ["reason"]) },
            { legend: "defects", expr: perSecond("ims_sprout_defects_total") },
          ],
        },
      ],
    },
    {
      title: "Application servers",
      panels: [
        {
          title: "What became of requests",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_sprout_application_servers_total", {}, ["outcome"]),
            },
          ],
        },
        {
          title: "Passed over",
          about: "They do not answer.",
          unit: "short",
          alarmed: { from: 1 },
          queries: [
            { legend: "{{instance}}", expr: total("ims_sprout_application_servers_away", {}, ["instance"]) },
          ],
        },
        {
          title: "Telephony services",
          unit: "reqps",
          queries: [{ legend: "{{outcome}}", expr: perSecond("ims_sprout_mmtel_total", {}, ["outcome"]) }],
        },
      ],
    },
    {
      title: "Registrations kept",
      panels: [
        {
          title: "Lapse watched by",
          unit: "short",
          queries: [
            {
              legend: "{{instance}}",
              expr: total("ims_sprout_watched_registrations", {}, ["instance"]),
            },
          ],
        },
        {
          title: "Expiry calendar",
          unit: "short",
          queries: [
            { legend: "shards {{instance}}", expr: total("ims_sprout_calendar_shards", {}, ["instance"]) },
            {
              legend: "minutes behind {{instance}}",
              expr: total("ims_sprout_calendar_lag_minutes", {}, ["instance"]),
            },
          ],
        },
        {
          title: "Clock correction",
          about: "How far the clock of a machine is from those of the stores.",
          unit: "s",
          queries: [{ legend: "{{instance}}", expr: series("ims_sprout_clock_correction_seconds") }],
        },
      ],
    },
  ],
};
