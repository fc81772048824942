import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChargingEvent } from "@ims/ims";
import { acrOf } from "../src/rf/acr.ts";

const event: ChargingEvent = {
  id: "1",
  kind: "start",
  time: 0,
  node: "E-CSCF",
  nodeAddress: "sprout",
  role: "originating",
  callId: "c",
  fromTag: "f",
  toTag: "t",
  method: "INVITE",
  callingParty: [],
  calledParty: "urn:service:sos.police",
};

test("TS 32.299 §7.2: the ACR of an emergency call has the IMS-Emergency-Indicator and the E-CSCF as its node, also without a caller", () => {
  const imsOf = (calledParty: string) =>
    acrOf({ sessionId: "s", recordType: "START", recordNumber: 0, event: { ...event, calledParty } }, 0)
      .serviceInformation?.imsInformation;
  const emergency = imsOf(event.calledParty);
  assert.deepEqual(
    [emergency?.imsEmergencyIndicator, emergency?.nodeFunctionality, emergency?.calledPartyAddress],
    [1, 11, "urn:service:sos.police"],
  );
  assert.equal(imsOf("sip:bob@example.com")?.imsEmergencyIndicator, undefined);
});
