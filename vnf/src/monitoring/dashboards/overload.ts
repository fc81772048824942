import type { Dashboard } from "../dashboard.ts";
import { perSecond, series, total } from "../promql.ts";

const SIP = ["bono", "sprout"] as const;
const HTTP = ["homestead", "homer", "ellis"] as const;

export const overload: Dashboard = {
  id: "overload",
  title: "overload",
  about: "How long messages wait, what is let in and what is refused: SIP (RFC 7339) and the HTTP servers.",
  jobs: "bono|sprout|homestead|homer|ellis",
  rows: [
    {
      title: "SIP",
      panels: [
        {
          title: "Wait before they are handled",
          about: "A limit begins at 50 ms (--overload-target-ms).",
          unit: "s",
          queries: SIP.map((node) => ({
            legend: "{{instance}}",
            expr: series(`ims_${node}_overload_queue_seconds`),
          })),
        },
        {
          title: "Refused",
          unit: "reqps",
          queries: SIP.map((node) => ({
            legend: "{{instance}}",
            expr: perSecond(`ims_${node}_overload_refused_total`, {}, ["instance"]),
          })),
        },
        {
          title: "Limit of new requests",
          about: "0: none.",
          unit: "reqps",
          queries: SIP.map((node) => ({
            legend: "{{instance}}",
            expr: series(`ims_${node}_overload_admission_rate`),
          })),
        },
        {
          title: "Share told to others to keep back (oc)",
          unit: "percent",
          queries: SIP.map((node) => ({
            legend: "{{instance}}",
            expr: series(`ims_${node}_overload_loss_percent`),
          })),
        },
        {
          title: "Event-loop delay, 99 %",
          unit: "s",
          queries: [{ legend: "{{instance}}", expr: series("nodejs_eventloop_delay_p99_seconds") }],
        },
        {
          title: "Dropped because they may be stale",
          unit: "reqps",
          queries: SIP.map((node) => ({
            legend: "{{instance}}",
            expr: perSecond(`ims_${node}_sip_dropped_total`, { reason: "stale" }, ["instance"]),
          })),
        },
      ],
    },
    {
      title: "HTTP servers",
      panels: [
        {
          title: "Refused",
          unit: "reqps",
          queries: HTTP.map((node) => ({
            legend: "{{instance}}",
            expr: perSecond(`ims_${node}_http_refused_total`, {}, ["instance"]),
          })),
        },
        {
          title: "Waiting, in progress",
          unit: "short",
          queries: HTTP.flatMap((node) => [
            {
              legend: "waiting {{instance}}",
              expr: total(`ims_${node}_http_requests_waiting`, {}, ["instance"]),
            },
            {
              legend: "in progress {{instance}}",
              expr: total(`ims_${node}_http_requests_in_progress`, {}, ["instance"]),
            },
          ]),
        },
        {
          title: "Connections, cut connections",
          unit: "short",
          queries: HTTP.flatMap((node) => [
            { legend: "{{instance}}", expr: total(`ims_${node}_http_connections`, {}, ["instance"]) },
            {
              legend: "cut a second {{instance}}",
              expr: perSecond(`ims_${node}_http_connections_cut_total`, {}, ["instance"]),
            },
          ]),
        },
      ],
    },
  ],
};
