import type { FakeClock } from "@ims/runtime/testing";
import type { TransactionUser } from "@ims/sip";
import { ServiceUris } from "../../src/routing/service-uris.ts";
import type { Bench } from "./bench.ts";
import { type ChainOptions, chainBench, ifc } from "./chain.ts";

export const HOME = { homeDomain: "example.com", port: 5054 } as const;

export function ownUris(service: string): ServiceUris {
  return new ServiceUris(service, HOME);
}

export interface BuiltInOptions extends Pick<ChainOptions, "alice" | "bob"> {
  /** Name of the server in the criteria of users. */
  readonly serverName: string;
  /** Who has the criterion. */
  readonly of: "bob" | "both";
  readonly entity: (clock: FakeClock) => TransactionUser;
}

/** Alice and Bob, registered, with a criterion for an application server of this sprout. */
export async function builtInBench({ serverName, of, entity }: BuiltInOptions): Promise<Bench> {
  const criterion = ifc(7001, { serverName, defaultHandling: "terminate" });
  return chainBench({
    alice: of === "both" ? [criterion] : [],
    bob: [criterion],
    sides: (clock) => [{ name: "built-in", entity: entity(clock), strict: false }],
  });
}
