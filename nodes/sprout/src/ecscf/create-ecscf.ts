import type { ChargingTriggers } from "@ims/ims";
import { type ServiceModules, watchFile } from "@ims/runtime";
import { OwnUris } from "@ims/sip";
import { checkedUri } from "../configured.ts";
import { FollowedFile } from "../routing/followed-file.ts";
import { Ecscf } from "./ecscf.ts";
import type { EmergencyOptions } from "./options.ts";
import { emergencyFile, makePsapRoutes } from "./psap-routes.ts";

export interface EcscfParts {
  readonly options: EmergencyOptions;
  readonly side: string;
  /** Its SIP URI, where the options have none. */
  readonly usualUri: string;
  /** SIP URI of the BGCF; "": there is none. */
  readonly bgcfUri: string;
  readonly charging: ChargingTriggers | undefined;
}

/** The E-CSCF over the file of its PSAPs. Throws SproutError. */
export function createEcscf(
  { options, side, usualUri, bgcfUri, charging }: EcscfParts,
  { clock, log, register, health }: Pick<ServiceModules, "clock" | "log" | "register" | "health">,
): { readonly ecscf: Ecscf; readonly own: OwnUris; readonly uri: string; start(): void; stop(): void } {
  const uri = checkedUri("ecscf-uri", options.ecscfUri || usualUri);
  const own = new OwnUris([uri]);
  const routes = new FollowedFile(
    {
      file: options.emergencyFile,
      what: "routes to PSAPs",
      schema: emergencyFile,
      make: makePsapRoutes(bgcfUri !== ""),
    },
    { clock, log },
    "SPROUT_EMERGENCY_FILE",
  );
  health.addNote("ecscf", () => routes.problem);
  watchFile(health.alarms, options.emergencyFile, routes);
  const requests = register.counter({
    name: "ims_sprout_ecscf_requests_total",
    help: "Emergency requests at the E-CSCF: routed by location or to the default, sent to the next PSAP, refused",
    labels: { outcome: ["routed", "default", "rerouted", "refused"] },
  });
  const ecscf = new Ecscf({
    options: { uri, bgcfUri, side, psapTimeoutMs: options.psapTimeoutMs },
    routes,
    own,
    charging,
    counters: { request: (outcome) => requests.inc({ outcome }) },
  });
  return { ecscf, own, uri, start: () => routes.start(), stop: () => routes.stop() };
}
