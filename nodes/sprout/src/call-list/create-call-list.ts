import { createSecretKey, randomBytes } from "node:crypto";
import { apiProblems, CallListClient } from "@ims/api";
import type { ApplicationServer } from "@ims/application-server";
import type { ServiceModules } from "@ims/runtime";
import { CallList } from "./call-list.ts";
import { RecordedCalls } from "./recorded-call.ts";

export interface CallListOptions {
  /** Base URLs of homers. */
  readonly callLists: readonly string[];
  /** "": a new key for this process. */
  readonly gruuKey: string;
}

/** The application server of call lists over homer, which keeps them. */
export function createCallList(
  { callLists, gruuKey }: CallListOptions,
  { clock, log, register, health }: ServiceModules,
): ApplicationServer {
  const client = new CallListClient({
    ...{ urls: callLists, clock, log, register, metricsPrefix: "ims_sprout" },
  });
  health.addNote("callLists", () => client.problem, apiProblems.callListsUndelivered);
  const counter = register.counter({
    name: "ims_sprout_call_list_total",
    help: "What was noted of calls for call lists; forged: a dialog that names no call of ours",
    labels: { outcome: ["begin", "end", "rejected", "forged"] },
  });
  const key = gruuKey === "" ? randomBytes(16) : Buffer.from(gruuKey, "hex");
  const server = new CallList({
    calls: new RecordedCalls(createSecretKey(key)),
    clock,
    record: (fragment) => client.send(fragment),
    counters: { callList: (outcome) => counter.inc({ outcome }) },
  });
  return Object.assign(server, { stop: () => client.stop() });
}
