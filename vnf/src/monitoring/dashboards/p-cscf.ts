import type { Dashboard } from "../dashboard.ts";
import { perSecond, total } from "../promql.ts";
import { sipRows } from "./sip.ts";

export const pCscf: Dashboard = {
  id: "p-cscf",
  title: "P-CSCF (bono)",
  about: "The edge: SIP at Gm, Mw and Ici, registered flows, what the P-CSCF and the IBCF refuse themselves.",
  jobs: "bono",
  rows: [
    ...sipRows("bono"),
    {
      title: "P-CSCF",
      panels: [
        {
          title: "Registered",
          unit: "short",
          queries: [
            { legend: "sets {{instance}}", expr: total("ims_bono_registered_sets", {}, ["instance"]) },
            { legend: "flows {{instance}}", expr: total("ims_bono_registered_flows", {}, ["instance"]) },
          ],
        },
        {
          title: "Refused",
          unit: "reqps",
          queries: [{ legend: "{{reason}}", expr: perSecond("ims_bono_refused_total", {}, ["reason"]) }],
        },
        {
          title: "Transactions in memory",
          unit: "short",
          queries: [
            { legend: "server {{instance}}", expr: total("ims_bono_server_transactions", {}, ["instance"]) },
            { legend: "client {{instance}}", expr: total("ims_bono_client_transactions", {}, ["instance"]) },
          ],
        },
        {
          title: "Registrations begun and ended",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_bono_registrations_total", {}, ["outcome"]) },
            {
              legend: "events {{outcome}}",
              expr: perSecond("ims_bono_registration_events_total", {}, ["outcome"]),
            },
          ],
        },
        {
          title: "Calls ended by the network",
          about: "Their UE was deregistered.",
          unit: "reqps",
          queries: [{ legend: "released", expr: perSecond("ims_bono_released_calls_total") }],
        },
        {
          title: "Defects",
          about: "Requests answered 500 because a procedure failed; should stay 0.",
          unit: "reqps",
          queries: [{ legend: "defects", expr: perSecond("ims_bono_defects_total") }],
        },
      ],
    },
    {
      title: "IBCF",
      panels: [
        {
          title: "Requests",
          unit: "reqps",
          queries: [
            {
              legend: "{{direction}} {{outcome}}",
              expr: perSecond("ims_bono_ibcf_requests_total", {}, ["direction", "outcome"]),
            },
          ],
        },
        {
          title: "Refused",
          unit: "reqps",
          queries: [{ legend: "{{reason}}", expr: perSecond("ims_bono_ibcf_refused_total", {}, ["reason"]) }],
        },
        {
          title: "Targets out of service, fail-overs",
          unit: "short",
          queries: [
            { legend: "targets down", expr: total("ims_bono_ibcf_targets_down") },
            { legend: "fail-overs a second", expr: perSecond("ims_bono_ibcf_failovers_total") },
          ],
        },
      ],
    },
  ],
};
