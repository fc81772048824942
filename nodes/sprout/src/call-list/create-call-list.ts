import { createSecretKey, randomBytes } from "node:crypto";
import { apiProblems, CallListClient } from "@ims/api";
import type { ServiceModules } from "@ims/runtime";
import { ServiceUris } from "../routing/service-uris.ts";
import { CallList } from "./call-list.ts";
import { DialogTokens } from "./dialog-token.ts";

export interface CallListParts {
  readonly options: {
    /** Base URLs of homers. */
    readonly callLists: readonly string[];
    readonly homeDomain: string;
    readonly scscfPort: number;
    /** "": a new key for this process. */
    readonly gruuKey: string;
  };
  /** Trust zone that it sends on. */
  readonly side: string;
}

/** The application server of call lists over homer, which keeps them. */
export function createCallList(
  { options, side }: CallListParts,
  { clock, log, register, health }: ServiceModules,
): { readonly entity: CallList; readonly own: ServiceUris; stop(): Promise<void> } {
  const { homeDomain, scscfPort, gruuKey } = options;
  const own = new ServiceUris("memento", { homeDomain, port: scscfPort });
  const client = new CallListClient({
    ...{ urls: options.callLists, clock, log, register, metricsPrefix: "ims_sprout" },
  });
  health.addNote("callLists", () => client.problem, apiProblems.callListsUndelivered);
  const counter = register.counter({
    name: "ims_sprout_call_list_total",
    help: "What was noted of calls for call lists; forged: a dialog that names no call of ours",
    labels: { outcome: ["begin", "end", "rejected", "forged"] },
  });
  const key = gruuKey === "" ? randomBytes(16) : Buffer.from(gruuKey, "hex");
  const entity = new CallList({
    own,
    side,
    tokens: new DialogTokens(createSecretKey(key)),
    clock,
    record: (fragment) => client.send(fragment),
    counters: { callList: (outcome) => counter.inc({ outcome }) },
  });
  return { entity, own, stop: () => client.stop() };
}
