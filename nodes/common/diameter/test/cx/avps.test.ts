import assert from "node:assert/strict";
import { test } from "node:test";
import type { Avp, Members } from "../../src/codec/avp.ts";
import { cx } from "../../src/cx/application.ts";

/** Table 6.3.0.1 by hand: code, name, format, and MV or V. Time, Address and DiameterURI as the clauses say. */
const table = `
600 Visited-Network-Identifier OctetString MV
601 Public-Identity UTF8String MV
602 Server-Name UTF8String MV
603 Server-Capabilities Grouped MV
604 Mandatory-Capability Unsigned32 MV
605 Optional-Capability Unsigned32 MV
606 User-Data OctetString MV
607 SIP-Number-Auth-Items Unsigned32 MV
608 SIP-Authentication-Scheme UTF8String MV
609 SIP-Authenticate OctetString MV
610 SIP-Authorization OctetString MV
611 SIP-Authentication-Context OctetString MV
612 SIP-Auth-Data-Item Grouped MV
613 SIP-Item-Number Unsigned32 MV
614 Server-Assignment-Type Enumerated MV
615 Deregistration-Reason Grouped MV
616 Reason-Code Enumerated MV
617 Reason-Info UTF8String MV
618 Charging-Information Grouped MV
619 Primary-Event-Charging-Function-Name DiameterURI MV
620 Secondary-Event-Charging-Function-Name DiameterURI MV
621 Primary-Charging-Collection-Function-Name DiameterURI MV
622 Secondary-Charging-Collection-Function-Name DiameterURI MV
623 User-Authorization-Type Enumerated MV
624 User-Data-Already-Available Enumerated MV
625 Confidentiality-Key OctetString MV
626 Integrity-Key OctetString MV
628 Supported-Features Grouped V
629 Feature-List-ID Unsigned32 V
630 Feature-List Unsigned32 V
632 Associated-Identities Grouped V
633 Originating-Request Enumerated MV
634 Wildcarded-Public-Identity UTF8String V
635 SIP-Digest-Authenticate Grouped V
637 UAR-Flags Unsigned32 V
638 Loose-Route-Indication Enumerated V
639 SCSCF-Restoration-Info Grouped V
640 Path OctetString V
641 Contact OctetString V
642 Subscription-Info Grouped V
643 Call-ID-SIP-Header OctetString V
644 From-SIP-Header OctetString V
645 To-SIP-Header OctetString V
646 Record-Route OctetString V
647 Associated-Registered-Identities Grouped V
648 Multiple-Registration-Indication Enumerated V
649 Restoration-Info Grouped V
650 Session-Priority Enumerated V
651 Identity-with-Emergency-Registration Grouped V
652 Priviledged-Sender-Indication Enumerated V
653 LIA-Flags Unsigned32 V
654 Initial-CSeq-Sequence-Number Unsigned32 V
655 SAR-Flags Unsigned32 V
656 Allowed-WAF-WWSF-Identities Grouped V
657 WebRTC-Authentication-Function-Name UTF8String V
658 WebRTC-Web-Server-Function-Name UTF8String V
659 RTR-Flags Unsigned32 V
660 P-CSCF-Subscription-Info Grouped V
661 Registration-Time-Out Time V
662 Alternate-Digest-Algorithm UTF8String V
663 Alternate-Digest-HA1 UTF8String V
664 Failed-PCSCF Grouped V
665 PCSCF-FQDN DiameterIdentity V
666 PCSCF-IP-Address Address V
`;

function collect(members: Members, into: Map<number, Avp>): void {
  for (const { avp } of Object.values(members)) {
    if (avp.vendorId === 10415) into.set(avp.code, avp);
    if (avp.members !== undefined) collect(avp.members, into);
  }
}

test("TS 29.229 Table 6.3.0.1: the commands reach every Cx AVP, with its name, format and flags", () => {
  const reached = new Map<number, Avp>();
  for (const { request, answer } of cx.commands) {
    collect(request.avps, reached);
    collect(answer.avps, reached);
  }
  const lines = [...reached.values()]
    .sort((a, b) => a.code - b.code)
    .map(({ code, name, format, flags }) => {
      const kind = format === "OctetText" ? "OctetString" : format;
      return `${code} ${name} ${kind} ${(flags & 0x40) === 0 ? "" : "M"}${(flags & 0x80) === 0 ? "" : "V"}`;
    });
  assert.deepEqual(lines, table.trim().split("\n"));
});

test("TS 29.229 §6.1: the commands have their codes, and the request's answer is its own", () => {
  assert.deepEqual(
    cx.commands.map(({ request, answer }) => `${request.code} ${request.name} ${answer.code} ${answer.name}`),
    [
      "300 UAR 300 UAA",
      "301 SAR 301 SAA",
      "302 LIR 302 LIA",
      "303 MAR 303 MAA",
      "304 RTR 304 RTA",
      "305 PPR 305 PPA",
    ],
  );
  for (const { request, answer } of cx.commands) {
    assert.deepEqual([request.applicationId, answer.applicationId], [16_777_216, 16_777_216]);
    assert.ok(request.request && !answer.request && request.proxiable);
  }
});
