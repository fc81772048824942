import type { Dashboard } from "../dashboard.ts";
import { perSecond, quantile, total } from "../promql.ts";

/** Counters of sprout's memcached client that should be low. */
const TROUBLES = [
  "unavailable",
  "degraded",
  "contention",
  "repairs",
  "conflicts",
  "rubbish",
  "timeouts",
  "reconnects",
];

export const stores: Dashboard = {
  id: "stores",
  title: "stores",
  about: "memcached and Cassandra as the nodes meet them, and the two copies of each registration.",
  jobs: "sprout|homestead|homer|ellis|ralf",
  rows: [
    {
      title: "memcached",
      panels: [
        {
          title: "Operations of sprout",
          unit: "reqps",
          queries: [
            {
              legend: "{{operation}} {{outcome}}",
              expr: perSecond("ims_sprout_memcached_operations_total", {}, ["operation", "outcome"]),
            },
          ],
        },
        {
          title: "Done within, 99 %",
          about: "All replicas and retries included.",
          unit: "s",
          queries: [
            {
              legend: "{{operation}}",
              expr: quantile(0.99, "ims_sprout_memcached_seconds", {}, ["operation"]),
            },
          ],
        },
        {
          title: "Servers that do not answer",
          unit: "short",
          alarmed: { from: 1 },
          queries: [
            { legend: "{{instance}}", expr: total("ims_sprout_memcached_away", {}, ["instance"]) },
            {
              legend: "exchange under way {{instance}}",
              expr: total("ims_sprout_memcached_exchange", {}, ["instance"]),
            },
          ],
        },
        {
          title: "Troubles",
          unit: "reqps",
          width: 16,
          queries: TROUBLES.map((what) => ({
            legend: what,
            expr: perSecond(`ims_sprout_memcached_${what}_total`),
          })),
        },
        {
          title: "Records of no use",
          unit: "reqps",
          queries: [{ legend: "{{kind}}", expr: perSecond("ims_sprout_bad_records_total", {}, ["kind"]) }],
        },
      ],
    },
    {
      title: "Copies of registrations",
      panels: [
        {
          title: "Treated apart",
          about: "A store was away or had lost them.",
          unit: "reqps",
          queries: [
            {
              legend: "{{outcome}}",
              expr: perSecond("ims_sprout_registration_copies_total", {}, ["outcome"]),
            },
          ],
        },
        {
          title: "Not settled",
          about: "They differ until a store is back.",
          unit: "short",
          alarmed: { from: 1 },
          queries: [
            {
              legend: "{{instance}}",
              expr: total("ims_sprout_unsettled_registrations", {}, ["instance"]),
            },
          ],
        },
        {
          title: "Durable, on one sprout's disk",
          unit: "short",
          queries: [
            { legend: "{{instance}}", expr: total("ims_sprout_registration_rows", {}, ["instance"]) },
          ],
        },
      ],
    },
    {
      title: "Cassandra",
      panels: ["sprout", "homestead", "homer"].flatMap((node) => [
        {
          title: `Statements of ${node}`,
          unit: "reqps" as const,
          width: 12,
          queries: ["requests", "unavailable", "hedged"].map((what) => ({
            legend: what,
            expr: perSecond(`ims_${node}_cassandra_${what}_total`),
          })),
        },
        {
          title: `Done within, ${node}`,
          unit: "s" as const,
          width: 12,
          queries: [0.5, 0.99].map((q) => ({
            legend: `${q * 100} % {{kind}}`,
            expr: quantile(q, `ims_${node}_cassandra_seconds`, { outcome: "rows" }, ["kind"]),
          })),
        },
      ]),
    },
  ],
};
