/** Peer state machine: RFC 6733 §5.6. `i` is the connection this node opened, `r` the one the peer opened. */

export const peerStates = [
  "closed",
  "waitConnAck",
  "waitICea",
  "waitConnAckElect",
  "waitReturns",
  "rOpen",
  "iOpen",
  "closing",
] as const;
export type PeerState = (typeof peerStates)[number];

export const peerInputs = [
  "start",
  "stop",
  "timeout",
  "iRcvConnAck",
  "iRcvConnNack",
  "iRcvCea",
  "iRcvNonCea",
  "iPeerDisc",
  "iRcvMessage",
  "iRcvDwr",
  "iRcvDwa",
  "iRcvDpr",
  "iRcvDpa",
  "rConnCer",
  "rPeerDisc",
  "rRcvMessage",
  "rRcvDwr",
  "rRcvDwa",
  "rRcvDpr",
  "rRcvDpa",
  "winElection",
] as const;
export type PeerInput = (typeof peerInputs)[number];

export type PeerAction =
  | "iSndConnReq"
  | "iSndCer"
  | "iDisc"
  | "rAccept"
  | "rReject"
  | "rSndCea"
  | "rDisc"
  | "elect"
  | "processCea"
  | "processCer"
  | "processMessage"
  | "processDwr"
  | "processDwa"
  | "sndDpr"
  | "sndDpa"
  | "error"
  | "cleanup";

export interface PeerStep {
  readonly next: PeerState;
  readonly actions: readonly PeerAction[];
}

function step(next: PeerState, ...actions: PeerAction[]): PeerStep {
  return { next, actions };
}

/** An input that is missing from a row is ignored; a connection whose CER is ignored is closed by the driver. */
export const peerFsm: Readonly<Record<PeerState, Readonly<Partial<Record<PeerInput, PeerStep>>>>> = {
  closed: {
    start: step("waitConnAck", "iSndConnReq"),
    rConnCer: step("rOpen", "rAccept", "processCer", "rSndCea"),
  },
  waitConnAck: {
    iRcvConnAck: step("waitICea", "iSndCer"),
    iRcvConnNack: step("closed", "cleanup"),
    rConnCer: step("waitConnAckElect", "rAccept", "processCer"),
    timeout: step("closed", "error"),
    // The RFC stops open peers only; these rows are for a node that stops while it is connecting.
    stop: step("closed", "cleanup"),
  },
  waitICea: {
    iRcvCea: step("iOpen", "processCea"),
    rConnCer: step("waitReturns", "rAccept", "processCer", "elect"),
    iPeerDisc: step("closed", "iDisc"),
    iRcvNonCea: step("closed", "error"),
    timeout: step("closed", "error"),
    stop: step("closed", "cleanup"),
  },
  waitConnAckElect: {
    iRcvConnAck: step("waitReturns", "iSndCer", "elect"),
    iRcvConnNack: step("rOpen", "iDisc", "rSndCea"),
    rPeerDisc: step("waitConnAck", "rDisc"),
    rConnCer: step("waitConnAckElect", "rReject"),
    timeout: step("closed", "error"),
    stop: step("closed", "cleanup"),
  },
  waitReturns: {
    winElection: step("rOpen", "iDisc", "rSndCea"),
    iPeerDisc: step("rOpen", "iDisc", "rSndCea"),
    iRcvCea: step("iOpen", "rDisc", "processCea"),
    // The peer refused this node's connection; its own is as good as before.
    iRcvNonCea: step("rOpen", "iDisc", "rSndCea"),
    rPeerDisc: step("waitICea", "rDisc"),
    rConnCer: step("waitReturns", "rReject"),
    timeout: step("closed", "error"),
    stop: step("closed", "cleanup"),
  },
  rOpen: {
    rRcvMessage: step("rOpen", "processMessage"),
    rRcvDwr: step("rOpen", "processDwr"),
    rRcvDwa: step("rOpen", "processDwa"),
    rConnCer: step("rOpen", "rReject"),
    stop: step("closing", "sndDpr"),
    rRcvDpr: step("closing", "sndDpa"),
    rPeerDisc: step("closed", "rDisc"),
  },
  iOpen: {
    iRcvMessage: step("iOpen", "processMessage"),
    iRcvDwr: step("iOpen", "processDwr"),
    iRcvDwa: step("iOpen", "processDwa"),
    rConnCer: step("iOpen", "rReject"),
    stop: step("closing", "sndDpr"),
    iRcvDpr: step("closing", "sndDpa"),
    iPeerDisc: step("closed", "iDisc"),
  },
  closing: {
    iRcvDpa: step("closed", "iDisc"),
    rRcvDpa: step("closed", "rDisc"),
    // Both sides say DPR at once: each gets its answer, the first to disconnect ends it.
    iRcvDpr: step("closing", "sndDpa"),
    rRcvDpr: step("closing", "sndDpa"),
    // Answers to what is in flight still count until the transport goes (§5.4).
    iRcvMessage: step("closing", "processMessage"),
    rRcvMessage: step("closing", "processMessage"),
    timeout: step("closed", "error"),
    iPeerDisc: step("closed", "iDisc"),
    rPeerDisc: step("closed", "rDisc"),
  },
};
