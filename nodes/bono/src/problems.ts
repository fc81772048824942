import type { Problems } from "@ims/runtime";

/** What may go wrong in bono: TW-3000 to TW-3999. */
export const bonoProblems = {
  coreUnreachable: {
    id: "TW-3001",
    name: "core-unreachable",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "CRITICAL",
    summary: "No sprout answers",
    cause: "All next hops of the trusted side are down, or this machine is cut off from the core.",
    effect: "Nobody can register or call over this node.",
    action:
      "Look at the network of this machine first, then at the sprouts and at the pools file or the DNS.",
  },
  networkUnreachable: {
    id: "TW-3002",
    name: "peer-network-unreachable",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MAJOR",
    summary: "No target of another network or PBX answers",
    cause: "The other side is down, has changed its address, or does not answer OPTIONS.",
    effect: "Calls to it fail; calls from it may still come in.",
    action:
      "Ask the other side; compare its targets in the file of peers. Without keep-alives set optionsSeconds to 0.",
  },
  targetAway: {
    id: "TW-3003",
    name: "peer-target-away",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MINOR",
    summary: "A target of another network or PBX does not answer",
    cause: "As for the whole network, but others of its targets answer.",
    effect: "Calls take the other targets.",
    action: "As for the whole network.",
  },
  mediaGatewayAway: {
    id: "TW-3004",
    name: "media-gateway-away",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MAJOR",
    summary: "A media gateway does not answer",
    cause: "rtpengine is down, is hung, or its control port cannot be reached from this machine.",
    effect:
      "Calls that passed it have lost their media; new ones take another gateway. When none is left, calls between browsers and other phones are refused, or go on without being converted (media_gateway_failure).",
    action:
      "Look at rtpengine on the machine that the text names and at the network to its control port; compare media_gateway_addresses.",
  },
} as const satisfies Problems;
