import type { ServiceModules } from "@ims/runtime";
import { sproutProblems } from "../problems.ts";
import { ServiceUris } from "../routing/service-uris.ts";
import { CommunicationDiversionServer } from "./communication-diversion.ts";

/** The application server that diverts as its URI says; it keeps nothing. */
export function createCommunicationDiversion(
  {
    options,
    side,
  }: {
    readonly options: {
      readonly homeDomain: string;
      readonly scscfPort: number;
      readonly mmtelNoReplySeconds: number;
      readonly mmtelMaxDiversions: number;
    };
    readonly side: string;
  },
  { clock, log, register }: ServiceModules,
): { readonly entity: CommunicationDiversionServer; readonly own: ServiceUris } {
  const { homeDomain, scscfPort: port } = options;
  const own = new ServiceUris("communication-diversion", { homeDomain, port });
  const counter = register.counter({
    name: "ims_sprout_communication_diversion_total",
    help: "Calls at the communication diversion server; misconfigured: its URI says nothing that can be done",
    labels: { outcome: ["served", "diverted", "diversionLimit", "misconfigured"] },
  });
  const entity = new CommunicationDiversionServer({
    own,
    options: {
      side,
      noReplySeconds: options.mmtelNoReplySeconds,
      maxDiversions: options.mmtelMaxDiversions,
    },
    clock,
    counters: { diversion: (outcome) => counter.inc({ outcome }) },
    onMisconfigured: (uri, problem) =>
      log.error(
        { uri, problem, problemId: sproutProblems.criterionWrong.id },
        "a filter criterion names a diversion that cannot be",
      ),
  });
  return { entity, own };
}
