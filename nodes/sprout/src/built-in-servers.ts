import type { ServiceModules } from "@ims/runtime";
import type { Uri } from "@ims/sip";
import { createCallList } from "./call-list/create-call-list.ts";
import { createCommunicationDiversion } from "./communication-diversion/create-communication-diversion.ts";
import type { SproutOptions } from "./options.ts";
import { Guard, type GuardModules } from "./routing/guard.ts";
import { createTwinning } from "./twinning/create-twinning.ts";

export interface BuiltInServers {
  /** By the side that each has on the ProxyCore; nothing listens on it. */
  readonly guards: readonly { readonly side: string; readonly guard: Guard }[];
  readonly local: readonly { accepts(uri: Uri): boolean }[];
  stop(): Promise<void>;
}

/** The application servers beside MMTEL that the options ask for; they are reached through the S-CSCF's ports. */
export function createBuiltInServers(
  options: SproutOptions,
  guard: Omit<GuardModules, "own">,
  modules: ServiceModules,
): BuiltInServers {
  const parts = { options, side: "scscf" };
  const callLists = options.callLists.length === 0 ? undefined : createCallList(parts, modules);
  const servers = [
    ...(callLists === undefined ? [] : [["call-list", callLists] as const]),
    ...(options.twinning ? [["twinning", createTwinning(parts, modules.register)] as const] : []),
    ...(options.communicationDiversion
      ? [["communication-diversion", createCommunicationDiversion(parts, modules)] as const]
      : []),
  ];
  return {
    guards: servers.map(([side, { entity, own }]) => ({ side, guard: new Guard(entity, { ...guard, own }) })),
    local: servers.map(([, { entity }]) => entity),
    stop: async () => callLists?.stop(),
  };
}
