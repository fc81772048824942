import {
  type ApplicationServer,
  applicationServerProblems,
  HostedServer,
  type HostedServerModules,
  hostedServerReports,
} from "@ims/application-server";
import type { ServiceModules } from "@ims/runtime";
import type { Own, RequestOriginator } from "@ims/sip";
import type { KvStore } from "@ims/store";
import { loadedServers } from "./loaded-servers.ts";
import type { SproutOptions } from "./options.ts";
import { ownServers } from "./own-servers.ts";
import { Guard, type GuardModules } from "./routing/guard.ts";

/** Application servers of this process. */
export interface HostedServers {
  /** Their sides of the ProxyCore; without a port they are reached over the S-CSCF's. */
  readonly sides: readonly { readonly name: string; readonly guard: Guard; readonly port?: number }[];
  readonly local: readonly HostedServer[];
  stop(): Promise<void>;
}

export interface HostedServerParts {
  readonly options: SproutOptions;
  /** Side (trust zone) that requests leave on. */
  readonly side: string;
  /** Host in the URI by which other processes reach us. IPv6 without brackets. */
  readonly uriHost: string;
  readonly store: KvStore;
  readonly originate: RequestOriginator["originate"];
  /** From when on requests can be sent. */
  readonly isServing: () => boolean;
  readonly guard: Omit<GuardModules, "own">;
}

/** A server, and how it is reached. */
export interface ReachedServer {
  readonly name: string;
  readonly server: ApplicationServer;
  /** By which it names itself. */
  readonly uri: string;
  readonly own: Own;
  /** How long it may do nothing with a request, ms. */
  readonly timeoutMs: number;
  readonly port?: number;
}

/** Those of ours that the options ask for, and those of others. Throws SproutError and ApplicationServerError. */
export async function createHostedServers(
  parts: HostedServerParts,
  modules: ServiceModules,
): Promise<HostedServers> {
  const { side, guard } = parts;
  const ours = ownServers(parts, modules);
  let reports: HostedServerModules | undefined;
  const onFailure = (server: string, error: unknown): void => {
    if (reports === undefined)
      modules.log.error(
        { err: error, server, problemId: applicationServerProblems.serverFailed.id },
        "application server failed",
      );
    else reports.onFailure(server, error, undefined);
  };
  const all = [...ours, ...(await loadedServers({ ...parts, ours, onFailure }, modules))];
  if (all.length === 0) return { sides: [], local: [], stop: () => Promise.resolve() };
  const names = all.map(({ name }) => name);
  const told = hostedServerReports({ ...modules, metricsPrefix: "ims_sprout", names });
  reports = told;
  const hosted = all.map(({ server, port, ...reached }) => ({
    port,
    server: new HostedServer(server, { ...reached, side }, told),
  }));
  modules.health.addNote(
    "hostedServers",
    () => {
      const hung = hosted.filter(({ server }) => server.isHung).map(({ server }) => server.name);
      return hung.length === 0 ? undefined : `${hung.join(", ")} hung`;
    },
    applicationServerProblems.serverHung,
  );
  return {
    sides: hosted.map(({ server, port }) => ({
      name: server.name,
      guard: new Guard(server, { ...guard, own: server.own }),
      ...(port === undefined ? {} : { port }),
    })),
    local: hosted.map(({ server }) => server),
    stop: async () => {
      await Promise.all(hosted.map(({ server }) => server.stop()));
    },
  };
}
