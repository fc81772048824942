import type { ChargingTriggers } from "@ims/ims";
import { type ServiceModules, watchFile } from "@ims/runtime";
import { hostForUri, OwnUris } from "@ims/sip";
import { checkedUri } from "../configured.ts";
import { FollowedFile } from "../routing/followed-file.ts";
import type { NumberOptions } from "../routing/number-options.ts";
import type { NumberingOptions } from "../routing/telephone-number.ts";
import { Bgcf } from "./bgcf.ts";
import { bgcfFile, makeBgcfRoutes } from "./routes.ts";

export interface BgcfParts {
  readonly options: NumberOptions & NumberingOptions & { readonly allowForeignDomains: boolean };
  readonly side: string;
  /** Its URI when the options name none. */
  readonly usualUri: string;
  /** Host in the URI by which others reach this very process. IPv6 without brackets. */
  readonly uriHost: string;
  /** Offline charging; undefined: there is none. */
  readonly charging?: ChargingTriggers | undefined;
}

/** The BGCF over the file of its routes. Throws SproutError. */
export function createBgcf(
  { options, side, usualUri, uriHost, charging }: BgcfParts,
  { clock, log, register, health }: Pick<ServiceModules, "clock" | "log" | "register" | "health">,
): { readonly bgcf: Bgcf; readonly own: OwnUris; readonly uri: string; start(): void; stop(): void } {
  const uri = checkedUri("bgcf-uri", options.bgcfUri || usualUri);
  const own = new OwnUris([uri, `sip:${hostForUri(uriHost)}:${options.bgcfPort}`]);
  const routes = new FollowedFile(
    { file: options.bgcfFile, what: "routes of the BGCF", schema: bgcfFile, make: makeBgcfRoutes },
    { clock, log },
  );
  health.addNote("bgcf", () => routes.problem);
  watchFile(health.alarms, options.bgcfFile, routes);
  const requests = register.counter({
    name: "ims_sprout_bgcf_requests_total",
    help: "Requests at the BGCF by outcome",
    labels: { outcome: ["routed", "refused"] },
  });
  const bgcf = new Bgcf({
    options: { ...options, uri, side },
    charging,
    routes,
    own,
    counters: { request: (outcome) => requests.inc({ outcome }) },
  });
  return { bgcf, own, uri, start: () => routes.start(), stop: () => routes.stop() };
}
