import type { Row } from "../dashboard.ts";
import { perSecond, quantile, total } from "../promql.ts";

/** What every SIP node shows of itself. */
export function sipRows(node: "bono" | "sprout"): Row[] {
  const name = (what: string): string => `ims_${node}_sip_${what}`;
  return [
    {
      title: "SIP",
      panels: [
        {
          title: "Requests by method",
          unit: "reqps",
          queries: [
            {
              legend: "{{side}} {{method}}",
              expr: perSecond(name("requests_total"), {}, ["side", "method"]),
            },
          ],
        },
        {
          title: "Final responses by class",
          unit: "reqps",
          queries: [
            { legend: "{{side}} {{class}}", expr: perSecond(name("responses_total"), {}, ["side", "class"]) },
          ],
        },
        {
          title: "Failures by status",
          about: "401 and 407 are challenges.",
          unit: "reqps",
          queries: [
            {
              legend: "{{method}} {{status}}",
              expr: perSecond(name("failures_total"), {}, ["method", "status"]),
            },
          ],
        },
        {
          title: "Answered within, 99 %",
          about: "But INVITE, which waits for people.",
          unit: "s",
          queries: [
            {
              legend: "{{side}} {{method}}",
              expr: quantile(
                0.99,
                name("request_seconds"),
                { method: "~REGISTER|MESSAGE|SUBSCRIBE|BYE|OPTIONS" },
                ["side", "method"],
              ),
            },
          ],
        },
        {
          title: "In progress",
          about: "Without a final response; calls that ring among them.",
          unit: "short",
          queries: [{ legend: "{{instance}}", expr: total(name("requests_in_progress"), {}, ["instance"]) }],
        },
        {
          title: "Dropped",
          unit: "reqps",
          queries: [
            { legend: "{{side}} {{reason}}", expr: perSecond(name("dropped_total"), {}, ["side", "reason"]) },
          ],
        },
      ],
    },
    {
      title: "Next hops",
      panels: [
        {
          title: "Next hops",
          unit: "short",
          queries: [{ legend: "{{instance}}", expr: total(name("next_hops"), {}, ["instance"]) }],
        },
        {
          title: "Out of service",
          unit: "short",
          alarmed: { from: 1 },
          queries: [{ legend: "{{instance}}", expr: total(name("next_hops_down"), {}, ["instance"]) }],
        },
        {
          title: "Circuit breakers not closed",
          unit: "short",
          alarmed: { from: 1 },
          queries: [{ legend: "{{instance}}", expr: total(name("breakers_open"), {}, ["instance"]) }],
        },
      ],
    },
  ];
}
