import { SimservsClient } from "@ims/api";
import type { ServiceModules } from "@ims/runtime";
import { hostForUri, OwnUris, parseUri, type RequestOriginator } from "@ims/sip";
import type { KvStore } from "@ims/store";
import { checkedUri } from "../configured.ts";
import { sproutProblems } from "../problems.ts";
import { HomeNetwork } from "./home-network.ts";
import { Locations } from "./locations.ts";
import { mmtelMetrics } from "./metrics.ts";
import { Mmtel } from "./mmtel.ts";
import type { MmtelOptions } from "./options.ts";
import { SimservsCache } from "./simservs-cache.ts";

export interface MmtelParts {
  readonly options: MmtelOptions & { readonly homeDomain: string };
  /** Trust zone that requests of its own leave on. */
  readonly side: string;
  /** Host in the URI by which other processes reach it. IPv6 without brackets. */
  readonly uriHost: string;
  readonly metricsPrefix: string;
  /** Where it is kept where users are; default: nobody knows. */
  readonly locations?: KvStore;
  /** Sends requests of its own; default: served users are not notified. */
  readonly originate?: RequestOriginator["originate"];
}

/** The MMTEL application server over homer; its problems are notes of the health and lines of the log. Throws SproutError. */
export function createMmtel(
  parts: MmtelParts,
  { clock, log, register, health }: ServiceModules,
): { readonly server: Mmtel; readonly own: OwnUris; readonly uri: string } {
  const { options } = parts;
  const uri = checkedUri("mmtel-uri", options.mmtelUri || `sip:mmtel.${options.homeDomain}`);
  const { host = "" } = parseUri(uri) ?? {};
  if (options.mrfUri !== "") checkedUri("mrf-uri", options.mrfUri);
  const { mmtelPort } = options;
  const own = new OwnUris([
    uri,
    `sip:${hostForUri(host)}:${mmtelPort}`,
    `sip:${hostForUri(parts.uriHost)}:${mmtelPort}`,
  ]);
  const simservs = new SimservsCache(new SimservsClient({ urls: options.homer, clock }), (problem) => {
    if (problem === undefined) log.info({}, "simservs documents can be read again");
    else
      log.error(
        { problem, calls: options.mmtelUnreadable, problemId: sproutProblems.simservsUnreadable.id },
        "simservs documents cannot be read",
      );
  });
  health.addNote("simservs", () => simservs.problem, sproutProblems.simservsUnreadable);
  const server = new Mmtel({
    options: {
      uri,
      side: parts.side,
      unreadable: options.mmtelUnreadable,
      noReplySeconds: options.mmtelNoReplySeconds,
      maxDiversions: options.mmtelMaxDiversions,
      conferenceUris: options.conferenceUris,
      mrfUri: options.mrfUri,
    },
    clock,
    simservs,
    home: new HomeNetwork({
      countryCode: options.mmtelCountryCode,
      internationalPrefix: options.mmtelInternationalPrefix,
      networks: options.mmtelHomeNetworks,
      homeDomain: options.homeDomain,
    }),
    locations: new Locations(parts.locations),
    counters: mmtelMetrics(register, parts.metricsPrefix),
    ...(parts.originate === undefined ? {} : { originate: parts.originate }),
  });
  return { server, own, uri };
}
