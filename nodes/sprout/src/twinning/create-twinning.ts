import type { MetricsRegister } from "@ims/runtime";
import { ServiceUris } from "../routing/service-uris.ts";
import { Twinning } from "./twinning.ts";

/** The twinning application server; it keeps nothing. */
export function createTwinning(
  {
    options,
    side,
  }: {
    readonly options: { readonly homeDomain: string; readonly scscfPort: number };
    readonly side: string;
  },
  register: MetricsRegister,
): { readonly entity: Twinning; readonly own: ServiceUris } {
  const { homeDomain, scscfPort: port } = options;
  const own = new ServiceUris("gemini", { homeDomain, port });
  const counter = register.counter({
    name: "ims_sprout_twinning_total",
    help: "Requests at the twinning application server by where they went; unregistered: the mobile was not to be reached",
    labels: { outcome: ["forked", "voip", "native", "unregistered"] },
  });
  const entity = new Twinning({
    ...{ own, homeDomain, side },
    counters: { twinning: (outcome) => counter.inc({ outcome }) },
  });
  return { entity, own };
}
