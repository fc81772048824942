import type { ApplicationServer } from "@ims/application-server";
import type { ServiceModules } from "@ims/runtime";
import { sproutProblems } from "../problems.ts";
import { CommunicationDiversionServer } from "./communication-diversion.ts";

export interface CommunicationDiversionOptions {
  readonly mmtelNoReplySeconds: number;
  readonly mmtelMaxDiversions: number;
}

/** The application server that diverts as its URI says; it keeps nothing. */
export function createCommunicationDiversion(
  options: CommunicationDiversionOptions,
  { clock, log, register }: Pick<ServiceModules, "clock" | "log" | "register">,
): ApplicationServer {
  const counter = register.counter({
    name: "ims_sprout_communication_diversion_total",
    help: "Calls at the communication diversion server; misconfigured: its URI says nothing that can be done",
    labels: { outcome: ["served", "diverted", "diversionLimit", "misconfigured"] },
  });
  return new CommunicationDiversionServer({
    options: { noReplySeconds: options.mmtelNoReplySeconds, maxDiversions: options.mmtelMaxDiversions },
    clock,
    counters: { diversion: (outcome) => counter.inc({ outcome }) },
    onMisconfigured: (uri, problem) =>
      log.error(
        { uri, problem, problemId: sproutProblems.criterionWrong.id },
        "a filter criterion names a diversion that cannot be",
      ),
  });
}
