import assert from "node:assert/strict";
import { test } from "node:test";
import { peerFsm, peerInputs, peerStates } from "../../src/peer/peer.fsm.ts";

/** RFC 6733 §5.6 row by row: state, event, actions, next state. Every pair that is not here is ignored. */
const rows: readonly string[] = [
  "closed start: iSndConnReq -> waitConnAck",
  "closed rConnCer: rAccept processCer rSndCea -> rOpen",
  "waitConnAck stop: cleanup -> closed",
  "waitConnAck timeout: error -> closed",
  "waitConnAck iRcvConnAck: iSndCer -> waitICea",
  "waitConnAck iRcvConnNack: cleanup -> closed",
  "waitConnAck rConnCer: rAccept processCer -> waitConnAckElect",
  "waitICea stop: cleanup -> closed",
  "waitICea timeout: error -> closed",
  "waitICea iRcvCea: processCea -> iOpen",
  "waitICea iRcvNonCea: error -> closed",
  "waitICea iPeerDisc: iDisc -> closed",
  "waitICea rConnCer: rAccept processCer elect -> waitReturns",
  "waitConnAckElect stop: cleanup -> closed",
  "waitConnAckElect timeout: error -> closed",
  "waitConnAckElect iRcvConnAck: iSndCer elect -> waitReturns",
  "waitConnAckElect iRcvConnNack: iDisc rSndCea -> rOpen",
  "waitConnAckElect rConnCer: rReject -> waitConnAckElect",
  "waitConnAckElect rPeerDisc: rDisc -> waitConnAck",
  "waitReturns stop: cleanup -> closed",
  "waitReturns timeout: error -> closed",
  "waitReturns iRcvCea: rDisc processCea -> iOpen",
  "waitReturns iRcvNonCea: iDisc rSndCea -> rOpen",
  "waitReturns iPeerDisc: iDisc rSndCea -> rOpen",
  "waitReturns rConnCer: rReject -> waitReturns",
  "waitReturns rPeerDisc: rDisc -> waitICea",
  "waitReturns winElection: iDisc rSndCea -> rOpen",
  "rOpen stop: sndDpr -> closing",
  "rOpen rConnCer: rReject -> rOpen",
  "rOpen rPeerDisc: rDisc -> closed",
  "rOpen rRcvMessage: processMessage -> rOpen",
  "rOpen rRcvDwr: processDwr -> rOpen",
  "rOpen rRcvDwa: processDwa -> rOpen",
  "rOpen rRcvDpr: sndDpa -> closing",
  "iOpen stop: sndDpr -> closing",
  "iOpen iPeerDisc: iDisc -> closed",
  "iOpen iRcvMessage: processMessage -> iOpen",
  "iOpen iRcvDwr: processDwr -> iOpen",
  "iOpen iRcvDwa: processDwa -> iOpen",
  "iOpen iRcvDpr: sndDpa -> closing",
  "iOpen rConnCer: rReject -> iOpen",
  "closing timeout: error -> closed",
  "closing iPeerDisc: iDisc -> closed",
  "closing iRcvMessage: processMessage -> closing",
  "closing iRcvDpr: sndDpa -> closing",
  "closing iRcvDpa: iDisc -> closed",
  "closing rPeerDisc: rDisc -> closed",
  "closing rRcvMessage: processMessage -> closing",
  "closing rRcvDpr: sndDpa -> closing",
  "closing rRcvDpa: rDisc -> closed",
];

test("RFC 6733 §5.6: every pair of state and event leads where the table says, or is ignored", () => {
  const walked: string[] = [];
  for (const state of peerStates) {
    for (const input of peerInputs) {
      const step = peerFsm[state][input];
      if (step !== undefined) walked.push(`${state} ${input}: ${step.actions.join(" ")} -> ${step.next}`);
    }
  }
  assert.deepEqual(walked, rows);
});

test("RFC 6733 §5.6: every state can be reached and left", () => {
  const reached = new Set(["closed"]);
  for (const state of peerStates) {
    const steps = Object.values(peerFsm[state]);
    assert.ok(
      steps.some(({ next }) => next !== state),
      `${state} is never left`,
    );
    for (const { next } of steps) reached.add(next);
  }
  assert.deepEqual([...reached].sort(), [...peerStates].sort());
});
