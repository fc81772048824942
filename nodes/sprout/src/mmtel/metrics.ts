import type { MetricsRegister } from "@ims/runtime";
import type { MmtelCounters } from "./modules.ts";

/** Counters of the MMTEL application server; `prefix`: of the process. */
export function mmtelMetrics(register: MetricsRegister, prefix: string): MmtelCounters {
  const outcomes = register.counter({
    name: `${prefix}_mmtel_total`,
    help: "Requests at the MMTEL application server by whether settings could be read, and services that acted",
    labels: {
      outcome: [
        "served",
        "withoutServices",
        "lastKnown",
        "refused",
        "barred",
        "anonymousRejected",
        "diverted",
        "diversionLimit",
        "restricted",
        "conference",
        "servedUserNotified",
      ],
    },
  });
  return { mmtel: (outcome) => outcomes.inc({ outcome }) };
}
