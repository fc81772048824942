import type { Dashboard, Panel } from "../dashboard.ts";
import { perSecond, quantile, series, share, total } from "../promql.ts";
import { successOf } from "./success.ts";

const number = (title: string, unit: Panel["unit"], expr: string, alarmed?: Panel["alarmed"]): Panel => ({
  ...{ title, unit, kind: "number", queries: [{ expr, legend: title }] },
  ...(alarmed === undefined ? {} : { alarmed }),
});

export const overview: Dashboard = {
  id: "overview",
  title: "overview",
  about: "Is the service well: users, calls, success as TS 32.409 counts it, latencies, nodes, alarms.",
  jobs: ".+",
  rows: [
    {
      title: "Now",
      panels: [
        number("Registered users", "short", total("ims_bono_registered_sets")),
        number("Calls", "short", total("ims_bono_calls")),
        number(
          "Registrations",
          "reqps",
          perSecond("ims_sprout_procedure_attempts_total", { procedure: "~.*Registration" }),
        ),
        number(
          "Sessions",
          "reqps",
          perSecond("ims_sprout_procedure_attempts_total", { procedure: "session" }),
        ),
        number("Registration success", "percentunit", successOf("~.*Registration"), { below: 0.95 }),
        number("Session set-up success", "percentunit", successOf("session"), { below: 0.7 }),
        number("Nodes down", "short", `sum(1 - ${series("up")})`, { from: 1 }),
        number("Alarms", "short", total("ims_alarms_active", { severity: "~critical|major" }), { from: 1 }),
      ],
    },
    {
      title: "Service",
      panels: [
        {
          title: "Success",
          unit: "percentunit",
          queries: [
            { legend: "initial registration", expr: successOf("initialRegistration") },
            { legend: "re-registration", expr: successOf("reRegistration") },
            { legend: "session set-up", expr: successOf("session") },
            { legend: "message", expr: successOf("message") },
          ],
        },
        {
          title: "Registration, 99 of 100 within",
          unit: "s",
          queries: [
            {
              legend: "{{procedure}}",
              expr: quantile(
                0.99,
                "ims_sprout_procedure_seconds",
                { procedure: "~initialRegistration|reRegistration" },
                ["procedure"],
              ),
            },
          ],
        },
        {
          title: "From INVITE to ringing",
          unit: "s",
          queries: [0.5, 0.99].map((q) => ({
            legend: `${q * 100} %`,
            expr: quantile(q, "ims_bono_sip_call_setup_seconds", { side: "access", stage: "ringing" }),
          })),
        },
        {
          title: "Answers of the network with 5xx",
          about: "Share of final responses to user equipment.",
          unit: "percentunit",
          queries: [
            {
              legend: "5xx",
              expr: share(
                perSecond("ims_bono_sip_responses_total", { side: "access", class: "5xx" }),
                perSecond("ims_bono_sip_responses_total", { side: "access" }),
              ),
            },
          ],
        },
        {
          title: "Refused because of overload",
          unit: "reqps",
          queries: ["bono", "sprout"].map((node) => ({
            legend: node,
            expr: perSecond(`ims_${node}_overload_refused_total`),
          })),
        },
        {
          title: "Event-loop delay, 99 of 100 within",
          unit: "s",
          queries: [
            { legend: "{{job}}", expr: `max by (job) (${series("nodejs_eventloop_delay_p99_seconds")})` },
          ],
        },
      ],
    },
    {
      title: "Wrong now",
      panels: [
        {
          title: "Alerts",
          unit: "short",
          kind: "list",
          width: 12,
          queries: [{ legend: "", expr: 'ALERTS{alertname=~"Tidewater.+",alertstate="firing"}' }],
        },
        {
          title: "Alarms of nodes",
          unit: "short",
          kind: "list",
          width: 12,
          queries: [{ legend: "", expr: `${series("ims_alarms_active")} > 0` }],
        },
      ],
    },
  ],
};
