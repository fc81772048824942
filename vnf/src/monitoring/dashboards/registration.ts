import type { Dashboard } from "../dashboard.ts";
import { perSecond, quantile, total } from "../promql.ts";
import { successOf } from "./success.ts";

const REGISTRATIONS = { procedure: "~initialRegistration|reRegistration|deregistration" };

export const registration: Dashboard = {
  id: "registration",
  title: "registration",
  about: "Registrations as TS 32.409 clause 4.1 (UR) counts them at the S-CSCF; challenges are no attempts.",
  jobs: "bono|sprout",
  rows: [
    {
      title: "Procedures",
      panels: [
        {
          title: "Attempts",
          unit: "reqps",
          queries: [
            {
              legend: "{{procedure}}",
              expr: perSecond("ims_sprout_procedure_attempts_total", REGISTRATIONS, ["procedure"]),
            },
          ],
        },
        {
          title: "Success",
          unit: "percentunit",
          queries: [{ legend: "{{procedure}}", expr: successOf(REGISTRATIONS.procedure, ["procedure"]) }],
        },
        {
          title: "Failures",
          about: "By SIP status code; authenticationTimeout: a challenge was not answered.",
          unit: "reqps",
          queries: [
            {
              legend: "{{procedure}} {{cause}}",
              expr: perSecond("ims_sprout_procedure_failures_total", REGISTRATIONS, ["procedure", "cause"]),
            },
          ],
        },
        ...[0.5, 0.99].map((q) => ({
          title: `Duration, ${q * 100} %`,
          about: "Of the REGISTER that ends the procedure, without the time that the phone takes.",
          unit: "s" as const,
          queries: [
            {
              legend: "{{procedure}}",
              expr: quantile(q, "ims_sprout_procedure_seconds", REGISTRATIONS, ["procedure"]),
            },
          ],
        })),
        {
          title: "Authentication",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_sprout_authentications_total", {}, ["outcome"]),
            },
          ],
        },
      ],
    },
    {
      title: "Registered",
      panels: [
        {
          title: "Implicit registration sets by P-CSCF",
          unit: "short",
          queries: [{ legend: "{{instance}}", expr: total("ims_bono_registered_sets", {}, ["instance"]) }],
        },
        {
          title: "Changes at the S-CSCF",
          unit: "reqps",
          queries: [
            { legend: "{{outcome}}", expr: perSecond("ims_sprout_registrations_total", {}, ["outcome"]) },
          ],
        },
        {
          title: "Challenges not answered yet",
          unit: "short",
          queries: [
            { legend: "{{instance}}", expr: total("ims_sprout_pending_challenges", {}, ["instance"]) },
          ],
        },
      ],
    },
    {
      title: "Told to others",
      panels: [
        {
          title: "Subscriptions to registrations",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_sprout_reg_event_subscriptions_total", {}, ["outcome"]),
            },
          ],
        },
        {
          title: "Notifications",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_sprout_reg_event_notifications_total", {}, ["outcome"]),
            },
          ],
        },
        {
          title: "Third-party registration",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond(
                "ims_sprout_application_servers_total",
                { outcome: "~registered|registrationFailed|deregistering" },
                ["outcome"],
              ),
            },
          ],
        },
      ],
    },
  ],
};
