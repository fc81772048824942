import type { Dashboard } from "../dashboard.ts";
import { perSecond, quantile, total } from "../promql.ts";

export const diameter: Dashboard = {
  id: "diameter",
  title: "HSS and Diameter",
  about:
    "Cx as sprout asks it and as homestead answers it, Rf of ralf. Results by the names of RFC 6733 and TS 29.229.",
  jobs: "sprout|homestead|ralf",
  rows: [
    {
      title: "Cx, asked by sprout",
      panels: [
        {
          title: "Requests",
          unit: "reqps",
          queries: [
            {
              legend: "{{command}}",
              expr: perSecond("ims_sprout_diameter_requests_sent_total", {}, ["command"]),
            },
          ],
        },
        {
          title: "Without an answer",
          unit: "reqps",
          queries: [
            {
              legend: "{{command}} {{outcome}}",
              expr: perSecond(
                "ims_sprout_diameter_requests_sent_total",
                { outcome: "~timeout|unavailable" },
                ["command", "outcome"],
              ),
            },
          ],
        },
        {
          title: "Results",
          unit: "reqps",
          queries: [
            {
              legend: "{{command}} {{result}}",
              expr: perSecond("ims_sprout_diameter_results_received_total", {}, ["command", "result"]),
            },
          ],
        },
        ...[0.5, 0.99].map((q) => ({
          title: `Answered within, ${q * 100} %`,
          about: "Tries at other peers included.",
          unit: "s" as const,
          queries: [
            {
              legend: "{{command}}",
              expr: quantile(q, "ims_sprout_diameter_request_seconds", {}, ["command"]),
            },
          ],
        })),
        {
          title: "Open peers",
          unit: "short",
          queries: [
            { legend: "{{instance}}", expr: total("ims_sprout_diameter_open_peers", {}, ["instance"]) },
          ],
        },
        {
          title: "Sent again, messages of no use",
          unit: "reqps",
          queries: [
            {
              legend: "again {{command}}",
              expr: perSecond("ims_sprout_diameter_retransmissions_total", {}, ["command"]),
            },
            {
              legend: "dropped {{reason}}",
              expr: perSecond("ims_sprout_diameter_messages_dropped_total", {}, ["reason"]),
            },
          ],
        },
        {
          title: "Asked of sprout (RTR, PPR)",
          unit: "reqps",
          queries: [
            {
              legend: "{{command}} {{result}}",
              expr: perSecond("ims_sprout_diameter_results_sent_total", {}, ["command", "result"]),
            },
          ],
        },
      ],
    },
    {
      title: "Cx, answered by homestead",
      panels: [
        {
          title: "Results",
          unit: "reqps",
          queries: [
            {
              legend: "{{command}} {{result}}",
              expr: perSecond("ims_diameter_results_sent_total", {}, ["command", "result"]),
            },
          ],
        },
        {
          title: "Work, 99 %",
          unit: "s",
          queries: [
            { legend: "{{command}}", expr: quantile(0.99, "ims_diameter_service_seconds", {}, ["command"]) },
          ],
        },
        {
          title: "Peers and subscribers",
          unit: "short",
          queries: [
            { legend: "peers {{instance}}", expr: total("ims_diameter_open_peers", {}, ["instance"]) },
            {
              legend: "provisioned {{instance}}",
              expr: total("ims_homestead_subscribers", {}, ["instance"]),
            },
          ],
        },
      ],
    },
    {
      title: "Rf, asked by ralf",
      panels: [
        {
          title: "ACR by result",
          unit: "reqps",
          queries: [
            {
              legend: "{{result}}",
              expr: perSecond("ims_ralf_diameter_results_received_total", {}, ["result"]),
            },
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_ralf_diameter_requests_sent_total", { outcome: "~timeout|unavailable" }, [
                "outcome",
              ]),
            },
          ],
        },
        {
          title: "Answered within, 99 %",
          unit: "s",
          queries: [{ legend: "ACR", expr: quantile(0.99, "ims_ralf_diameter_request_seconds") }],
        },
        {
          title: "Open peers",
          unit: "short",
          queries: [
            { legend: "{{instance}}", expr: total("ims_ralf_diameter_open_peers", {}, ["instance"]) },
          ],
        },
      ],
    },
  ],
};
