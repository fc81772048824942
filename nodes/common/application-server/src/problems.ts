import type { Problems } from "@ims/runtime";

/** What may go wrong with application servers that run in a node: TW-1500 to TW-1599. */
export const applicationServerProblems = {
  serverFailed: {
    id: "TW-1501",
    name: "hosted-server-failed",
    kind: "event",
    type: "PROCESSING_ERROR_ALARM",
    probableCause: "softwareProgramError",
    severity: "MINOR",
    summary: "An application server inside the node threw an error",
    cause: "A mistake in the server; the line has its name and the stack.",
    effect:
      "That request went on without it or failed, as its filter criterion says; inside a dialog it went on.",
    action: "Give the stack to whoever wrote the server; take it out of --application-servers if need be.",
  },
  serverLate: {
    id: "TW-1502",
    name: "hosted-server-late",
    kind: "event",
    type: "QUALITY_OF_SERVICE_ALARM",
    probableCause: "applicationSubsystemFailure",
    severity: "MINOR",
    summary: "An application server inside the node did nothing with a request in time, or held up the node",
    cause: "It waits for something that does not come, or computes for long at a stretch.",
    effect:
      "Who calls waits, then the default handling of the criterion applies; what holds up the node holds up all calls.",
    action: "Look at what the server depends on; --application-server-timeout-ms is how long it may take.",
  },
  serverHung: {
    id: "TW-1503",
    name: "hosted-server-hung",
    kind: "alarm",
    type: "PROCESSING_ERROR_ALARM",
    probableCause: "applicationSubsystemFailure",
    severity: "MAJOR",
    summary: "An application server inside the node does nothing with any request",
    cause: "Five requests in a row were not answered in time.",
    effect: "It is asked by one request in two seconds only; the others go on without it or fail at once.",
    action:
      "Look at what the server depends on, or take it out of --application-servers and restart the node.",
  },
} as const satisfies Problems;
