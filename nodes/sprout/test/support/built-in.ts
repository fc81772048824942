import {
  type ApplicationServer,
  HostedServer,
  type HostedServerModules,
  ServiceUris,
} from "@ims/application-server";
import type { FakeClock } from "@ims/runtime/testing";
import type { Own, Side } from "@ims/sip";
import type { Bench } from "./bench.ts";
import { type ChainOptions, chainBench, ifc } from "./chain.ts";

export interface BuiltInOptions extends Pick<ChainOptions, "alice" | "bob"> {
  /** Name of the server in the criteria of users. */
  readonly serverName: string;
  /** Who has the criterion. */
  readonly of: "bob" | "both";
  /** By which it is reached: `<service>.example.com`. */
  readonly service: string;
  readonly server: (clock: FakeClock) => ApplicationServer;
}

/** Alice and Bob, registered, with a criterion for an application server of this sprout. */
export async function builtInBench({ serverName, of, service, server }: BuiltInOptions): Promise<Bench> {
  const criterion = ifc(7001, { serverName, defaultHandling: "terminate" });
  const own = new ServiceUris(service, { homeDomain: "example.com", port: 5054 });
  return chainBench({
    alice: of === "both" ? [criterion] : [],
    bob: [criterion],
    sides: (clock) => [sideOf(server(clock), own.uri, own, clock)],
  });
}

/** A server on the ProxyCore. What it throws is thrown. */
export function sideOf(server: ApplicationServer, uri: string, own: Own, clock: FakeClock): Side {
  const modules: HostedServerModules = {
    clock,
    counters: { server: () => undefined },
    onFailure: (_server, error) => {
      throw error;
    },
    onSlow: () => undefined,
  };
  const given = { name: "built-in", uri, own, side: "scscf", timeoutMs: 10_000 };
  return { name: "built-in", entity: new HostedServer(server, given, modules), strict: false };
}
