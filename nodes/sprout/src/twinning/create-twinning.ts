import type { ApplicationServer } from "@ims/application-server";
import type { MetricsRegister } from "@ims/runtime";
import { Twinning } from "./twinning.ts";

/** The twinning application server; it keeps nothing. */
export function createTwinning(homeDomain: string, register: MetricsRegister): ApplicationServer {
  const counter = register.counter({
    name: "ims_sprout_twinning_total",
    help: "Requests at the twinning application server by where they went; unregistered: the mobile was not to be reached",
    labels: { outcome: ["forked", "voip", "native", "unregistered"] },
  });
  return new Twinning({ homeDomain, counters: { twinning: (outcome) => counter.inc({ outcome }) } });
}
