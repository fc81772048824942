import type { Problems } from "@ims/runtime";

/** What may go wrong with Diameter peers: TW-1200 to TW-1299. */
export const diameterProblems = {
  peerLost: {
    id: "TW-1201",
    name: "diameter-peer-lost",
    kind: "alarm",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsSubsystemFailure",
    severity: "MAJOR",
    summary: "A Diameter peer is not connected",
    cause:
      "The peer is down, refuses us, has not answered the watchdog (RFC 3539), or the network between is broken.",
    effect:
      "Requests go to the other peers of its realm; without any, see the alarm of the node that needs them.",
    action:
      "Look whether the peer runs and whether address, port and its list of peers are right; the log says what was refused.",
  },
  streamBroken: {
    id: "TW-1202",
    name: "diameter-stream-broken",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsProtocolError",
    severity: "WARNING",
    summary: "What a peer sends is no Diameter",
    cause: "An error in the peer, or something else is speaking to this port.",
    effect: "The connection was closed; a peer of ours is connected to again.",
    action: "Find out by the address what is speaking there.",
  },
  capabilitiesRefused: {
    id: "TW-1203",
    name: "diameter-capabilities-refused",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "configurationOrCustomizationError",
    severity: "MAJOR",
    summary: "The exchange of capabilities with a peer failed (RFC 6733 §5.3)",
    cause: "Realm, Origin-Host or applications do not agree between both ends.",
    effect: "This peer is not used.",
    action:
      "Compare the realm and the host name of both ends; the line says which Result-Code or AVP it was.",
  },
  peerRefused: {
    id: "TW-1204",
    name: "diameter-peer-refused",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "configurationOrCustomizationError",
    severity: "WARNING",
    summary: "A peer that wanted to connect was refused",
    cause: "Its address or identity is not among those that may: --cx-peers, the pools file.",
    effect: "That peer gets no service here.",
    action: "Add it when it is yours; otherwise keep it out by the firewall.",
  },
  malformedAnswer: {
    id: "TW-1205",
    name: "diameter-answer-malformed",
    kind: "event",
    type: "COMMUNICATIONS_ALARM",
    probableCause: "communicationsProtocolError",
    severity: "MINOR",
    summary: "A peer answered with what cannot be read",
    cause: "The answer lacks an AVP that is mandatory, or has one that breaks the dictionary.",
    effect: "The request counts as failed.",
    action: "The line names command and AVP: take it to whoever runs the peer.",
  },
} as const satisfies Problems;
