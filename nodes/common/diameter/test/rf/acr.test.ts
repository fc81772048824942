import assert from "node:assert/strict";
import { test } from "node:test";
import { Acr, rf } from "@ims/diameter/rf";
import { startNode } from "@ims/diameter/testing";
import type { Avp, Members } from "../../src/codec/avp.ts";

/** Table 7.2 of TS 32.299 by hand: code, name and format of what the IMS uses; vendor 10415, MV. */
const table = `
602 Server-Name UTF8String
603 Server-Capabilities Grouped
604 Mandatory-Capability Unsigned32
605 Optional-Capability Unsigned32
823 Event-Type Grouped
824 SIP-Method UTF8String
825 Event UTF8String
826 Content-Type UTF8String
827 Content-Length Unsigned32
828 Content-Disposition UTF8String
829 Role-Of-Node Enumerated
830 User-Session-Id UTF8String
831 Calling-Party-Address UTF8String
832 Called-Party-Address UTF8String
833 Time-Stamps Grouped
834 SIP-Request-Timestamp Time
835 SIP-Response-Timestamp Time
836 Application-Server UTF8String
837 Application-Provided-Called-Party-Address UTF8String
838 Inter-Operator-Identifier Grouped
839 Originating-IOI UTF8String
840 Terminating-IOI UTF8String
841 IMS-Charging-Identifier UTF8String
842 SDP-Session-Description UTF8String
843 SDP-Media-Component Grouped
844 SDP-Media-Name UTF8String
845 SDP-Media-Description UTF8String
848 Served-Party-IP-Address Address
850 Application-Server-Information Grouped
851 Trunk-Group-Id Grouped
852 Incoming-Trunk-Group-Id UTF8String
853 Outgoing-Trunk-Group-Id UTF8String
856 Associated-URI UTF8String
861 Cause-Code Integer32
862 Node-Functionality Enumerated
864 Originator Enumerated
873 Service-Information Grouped
876 IMS-Information Grouped
882 Media-Initiator-Flag Enumerated
888 Expires Unsigned32
889 Message-Body Grouped
1250 Called-Asserted-Identity UTF8String
1251 Requested-Party-Address UTF8String
1263 Access-Network-Information OctetString
2036 SDP-Type Enumerated
2301 SIP-Request-Timestamp-Fraction Unsigned32
2302 SIP-Response-Timestamp-Fraction Unsigned32
2320 Outgoing-Session-Id UTF8String
2322 IMS-Emergency-Indicator Enumerated
2701 Transit-IOI-List UTF8String
2708 From-Address UTF8String
2713 IMS-Visited-Network-Identifier UTF8String
3401 Reason-Header UTF8String`;

test("TS 32.299 Table 7.2: the AVPs of IMS-Information have the codes and formats of the table", () => {
  const seen = new Map<number, Avp>();
  const walk = (members: Members): void => {
    for (const { avp } of Object.values(members)) {
      if (avp.vendorId === 10415) seen.set(avp.code, avp);
      if (avp.members !== undefined) walk(avp.members);
    }
  };
  for (const { request, answer } of rf.commands) {
    walk(request.avps);
    walk(answer.avps);
  }
  const rows = [...seen.values()]
    .sort((a, b) => a.code - b.code)
    .map(({ code, name, format, flags }) => {
      assert.equal(flags, 0xc0, `${name}: M and V`);
      return `${code} ${name} ${format === "OctetText" ? "OctetString" : format}`;
    });
  assert.deepEqual(rows, table.trim().split("\n"));
});

const acr = {
  accountingRecordType: 2,
  accountingRecordNumber: 0,
  acctApplicationId: 3,
  eventTimestamp: new Date(1_800_000_000_000),
  serviceContextId: "32260@3gpp.org",
  serviceInformation: {
    subscriptionId: [{ subscriptionIdType: 2, subscriptionIdData: "sip:alice@example.com" }],
    imsInformation: {
      eventType: { sipMethod: "INVITE" },
      roleOfNode: 0,
      nodeFunctionality: 0,
      userSessionId: "call-1",
      callingPartyAddress: ["sip:alice@example.com", "tel:+15551234"],
      timeStamps: { sipRequestTimestamp: new Date(1_800_000_000_000), sipRequestTimestampFraction: 7 },
      interOperatorIdentifier: [{ originatingIoi: "home1.net", terminatingIoi: "home2.net" }],
      imsChargingIdentifier: "icid-1",
      sdpMediaComponent: [{ sdpMediaName: "m=audio 1 RTP/AVP 0", sdpMediaDescription: ["a=sendrecv"] }],
      causeCode: -1,
    },
  },
} as const;

test("RFC 6733 §9.7, TS 32.299 §6.2: ACR and ACA over Acct-Application-Id 3, with the caller's Session-Id and T bit", async (t) => {
  const cdf = startNode(t, "cdf.example.com", { applications: [rf] });
  const ralf = startNode(t, "ralf.example.com", { applications: [rf] });
  const seen: unknown[] = [];
  cdf.handle(Acr, ({ avps, retransmitted }) => {
    seen.push({ avps, retransmitted });
    const { accountingRecordType, accountingRecordNumber } = avps;
    return { resultCode: 2001, accountingRecordType, accountingRecordNumber, acctInterimInterval: 60 };
  });
  ralf.addPeer({ host: "127.0.0.1", port: await cdf.listen({ host: "127.0.0.1", port: 0 }) });
  ralf.start();
  assert.equal(await ralf.whenConnected(5_000), true);
  const outcome = await ralf.request(Acr, acr, {
    destinationRealm: "example.com",
    sessionId: "ralf.example.com;1;2;x",
    retransmission: true,
  });
  assert.equal(outcome.kind === "answer" && outcome.avps.acctInterimInterval, 60);
  await ralf.request(Acr, acr, { destinationRealm: "example.com" });
  const common = {
    originHost: "ralf.example.com",
    originRealm: "example.com",
    destinationRealm: "example.com",
  };
  assert.deepEqual(seen[0], {
    avps: { ...common, ...acr, sessionId: "ralf.example.com;1;2;x" },
    retransmitted: true,
  });
  assert.equal((seen[1] as { retransmitted: boolean }).retransmitted, false);
});
