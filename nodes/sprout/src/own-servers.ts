import { ServiceUris } from "@ims/application-server";
import type { ServiceModules } from "@ims/runtime";
import { createCallList } from "./call-list/create-call-list.ts";
import { createCommunicationDiversion } from "./communication-diversion/create-communication-diversion.ts";
import type { HostedServerParts, ReachedServer } from "./hosted-servers.ts";
import { createMmtel } from "./mmtel/create-mmtel.ts";
import { createTwinning } from "./twinning/create-twinning.ts";

/** Longer than two homers that are silent, one after the other. */
export const OWN_TIMEOUT_MS = 10_000;

/** The application servers of the project that the options ask for. Throws SproutError. */
export function ownServers(
  { options, side, uriHost, store, originate }: HostedServerParts,
  modules: ServiceModules,
): readonly ReachedServer[] {
  const { homeDomain, scscfPort: port } = options;
  const timeoutMs = OWN_TIMEOUT_MS;
  const servers: ReachedServer[] = [];
  if (options.homer.length > 0) {
    const mmtel = createMmtel(
      { options, side, uriHost, metricsPrefix: "ims_sprout", locations: store, originate },
      modules,
    );
    servers.push({ ...mmtel, name: "mmtel", timeoutMs, port: options.mmtelPort });
  }
  const named = (service: string): Pick<ReachedServer, "own" | "uri" | "timeoutMs"> => {
    const own = new ServiceUris(service, { homeDomain, port });
    return { own, uri: own.uri, timeoutMs };
  };
  if (options.callLists.length > 0)
    servers.push({ ...named("memento"), name: "call-list", server: createCallList(options, modules) });
  if (options.twinning)
    servers.push({
      ...named("gemini"),
      name: "twinning",
      server: createTwinning(homeDomain, modules.register),
    });
  if (options.communicationDiversion)
    servers.push({
      ...named("communication-diversion"),
      name: "communication-diversion",
      server: createCommunicationDiversion(options, modules),
    });
  return servers;
}
