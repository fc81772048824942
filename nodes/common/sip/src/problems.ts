import type { Problems } from "@ims/runtime";

/** What may go wrong with SIP in any node: TW-1100 to TW-1199. */
export const sipProblems = {
  overload: {
    id: "TW-1101",
    name: "overload",
    kind: "alarm",
    type: "QUALITY_OF_SERVICE_ALARM",
    probableCause: "congestion",
    severity: "MINOR",
    summary: "New work is refused because of overload",
    cause: "More requests come than this node, or the one behind it, can serve in time.",
    effect:
      "Some new registrations and calls get 503 with Retry-After; calls in progress and emergencies go on.",
    action:
      "Scale the pool out. When the load is usual, look for a slow store or HSS: answers that come late shed REGISTER too.",
  },
  nextHopDown: {
    id: "TW-1102",
    name: "next-hop-down",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MINOR",
    summary: "A next hop of the core does not answer",
    cause: "Its process or machine is down or hung, or the network between is broken.",
    effect:
      "Other members of its pool take over what was meant for it; alone in its pool, nothing gets through.",
    action:
      "Look at the alarms of that node, restart or replace it. Ten minutes after it was last wanted it is forgotten.",
  },
} as const satisfies Problems;
