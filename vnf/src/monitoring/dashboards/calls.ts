import type { Dashboard } from "../dashboard.ts";
import { perSecond, quantile, total } from "../promql.ts";
import { successOf } from "./success.ts";

const SESSION = { procedure: "session" };

export const calls: Dashboard = {
  id: "calls",
  title: "calls",
  about:
    "Sessions and messages as TS 32.409 clause 4.2 (SC) counts them at the S-CSCF: a session is set up with its 180 or 2xx. A call between two users of one network is a session of each.",
  jobs: "bono|sprout",
  rows: [
    {
      title: "Sessions",
      panels: [
        {
          title: "Attempts",
          unit: "reqps",
          queries: [
            {
              legend: "{{role}}",
              expr: perSecond("ims_sprout_procedure_attempts_total", SESSION, ["role"]),
            },
          ],
        },
        {
          title: "Set-up success",
          unit: "percentunit",
          queries: [{ legend: "{{role}}", expr: successOf("session", ["role"]) }],
        },
        {
          title: "Failures by SIP status",
          unit: "reqps",
          queries: [
            {
              legend: "{{role}} {{cause}}",
              expr: perSecond("ims_sprout_procedure_failures_total", SESSION, ["role", "cause"]),
            },
          ],
        },
        {
          title: "Calls by P-CSCF",
          about: "Answered and not ended; a call between UEs of two of them counts at both.",
          unit: "short",
          queries: [{ legend: "{{instance}}", expr: total("ims_bono_calls", {}, ["instance"]) }],
        },
        {
          title: "Answered",
          unit: "reqps",
          queries: [
            { legend: "{{role}}", expr: perSecond("ims_sprout_sessions_answered_total", {}, ["role"]) },
          ],
        },
        {
          title: "Rang and were not answered",
          unit: "reqps",
          queries: [
            {
              legend: "{{role}} {{cause}}",
              expr: perSecond("ims_sprout_sessions_unanswered_total", {}, ["role", "cause"]),
            },
          ],
        },
      ],
    },
    {
      title: "Times",
      panels: [
        ...(["ringing", "answered"] as const).map((stage) => ({
          title: `From INVITE to ${stage}`,
          unit: "s" as const,
          queries: [0.5, 0.99].map((q) => ({
            legend: `${q * 100} %`,
            expr: quantile(q, "ims_bono_sip_call_setup_seconds", { side: "access", stage }),
          })),
        })),
        {
          title: "Answer at the S-CSCF, 50 %",
          unit: "s",
          queries: [
            { legend: "{{role}}", expr: quantile(0.5, "ims_sprout_session_answer_seconds", {}, ["role"]) },
          ],
        },
      ],
    },
    {
      title: "Numbers, other networks, emergency",
      panels: [
        {
          title: "Dialled numbers",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_sprout_dialled_total", {}, ["outcome"]) },
            { legend: "ENUM {{outcome}}", expr: perSecond("ims_sprout_enum_total", {}, ["outcome"]) },
          ],
        },
        {
          title: "BGCF",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_sprout_bgcf_requests_total", {}, ["outcome"]) },
          ],
        },
        {
          title: "Emergency calls",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_sprout_ecscf_requests_total", {}, ["outcome"]) },
          ],
        },
      ],
    },
    {
      title: "Messages",
      panels: [
        {
          title: "Attempts",
          unit: "reqps",
          queries: [
            {
              legend: "{{role}}",
              expr: perSecond("ims_sprout_procedure_attempts_total", { procedure: "message" }, ["role"]),
            },
          ],
        },
        {
          title: "Success",
          unit: "percentunit",
          queries: [{ legend: "{{role}}", expr: successOf("message", ["role"]) }],
        },
        {
          title: "Failures by SIP status",
          unit: "reqps",
          queries: [
            {
              legend: "{{role}} {{cause}}",
              expr: perSecond("ims_sprout_procedure_failures_total", { procedure: "message" }, [
                "role",
                "cause",
              ]),
            },
          ],
        },
      ],
    },
  ],
};
