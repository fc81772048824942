import { avp, enumerated, grouped, many, optional, required, THREE_GPP } from "../codec/avp.ts";
import { ServerCapabilities } from "../cx/avps.ts";

/** Accounting AVPs of the base protocol: RFC 6733 §9.8. */

export const AccountingRecordTypeValue = {
  EVENT_RECORD: 1,
  START_RECORD: 2,
  INTERIM_RECORD: 3,
  STOP_RECORD: 4,
} as const;
export type AccountingRecordTypeValue =
  (typeof AccountingRecordTypeValue)[keyof typeof AccountingRecordTypeValue];
export const AccountingRecordType = enumerated("Accounting-Record-Type", 480, AccountingRecordTypeValue);
export const AccountingRecordNumber = avp("Accounting-Record-Number", 485, "Unsigned32");
/** Seconds. */
export const AcctInterimInterval = avp("Acct-Interim-Interval", 85, "Unsigned32");
export const EventTimestamp = avp("Event-Timestamp", 55, "Time");
/** RFC 8506 §8.42. "32260@3gpp.org" for the IMS. */
export const ServiceContextId = avp("Service-Context-Id", 461, "UTF8String");

/** Subscription-Id: RFC 8506 §8.46 to §8.48. */
export const SubscriptionIdTypeValue = {
  END_USER_E164: 0,
  END_USER_IMSI: 1,
  END_USER_SIP_URI: 2,
  END_USER_NAI: 3,
  END_USER_PRIVATE: 4,
} as const;
export const SubscriptionId = grouped("Subscription-Id", 443, {
  subscriptionIdType: required(enumerated("Subscription-Id-Type", 450, SubscriptionIdTypeValue)),
  subscriptionIdData: required(avp("Subscription-Id-Data", 444, "UTF8String")),
});

/** AVPs of the IMS: TS 32.299 §7.2, Table 7.2. Vendor 10415, M and V set. */

export const SipMethod = avp("SIP-Method", 824, "UTF8String", THREE_GPP);
export const Event = avp("Event", 825, "UTF8String", THREE_GPP);
export const Expires = avp("Expires", 888, "Unsigned32", THREE_GPP);
export const EventType = grouped(
  "Event-Type",
  823,
  { sipMethod: optional(SipMethod), event: optional(Event), expires: optional(Expires) },
  THREE_GPP,
);
/** §7.2.158. */
export const RoleOfNodeValue = { ORIGINATING_ROLE: 0, TERMINATING_ROLE: 1, FORWARDING_ROLE: 2 } as const;
export const RoleOfNode = enumerated("Role-Of-Node", 829, RoleOfNodeValue, THREE_GPP);
/** §7.2.118. */
export const NodeFunctionalityValue = {
  "S-CSCF": 0,
  "P-CSCF": 1,
  "I-CSCF": 2,
  MRFC: 3,
  MGCF: 4,
  BGCF: 5,
  AS: 6,
  IBCF: 7,
  "S-GW": 8,
  "P-GW": 9,
  HSGW: 10,
  "E-CSCF": 11,
  MME: 12,
  TRF: 13,
  TF: 14,
  ATCF: 15,
} as const;
export const NodeFunctionality = enumerated("Node-Functionality", 862, NodeFunctionalityValue, THREE_GPP);
/** The Call-ID. */
export const UserSessionId = avp("User-Session-Id", 830, "UTF8String", THREE_GPP);
export const OutgoingSessionId = avp("Outgoing-Session-Id", 2320, "UTF8String", THREE_GPP);
export const CallingPartyAddress = avp("Calling-Party-Address", 831, "UTF8String", THREE_GPP);
export const CalledPartyAddress = avp("Called-Party-Address", 832, "UTF8String", THREE_GPP);
export const CalledAssertedIdentity = avp("Called-Asserted-Identity", 1250, "UTF8String", THREE_GPP);
/** Whom the calling party asked for, before anything was translated. */
export const RequestedPartyAddress = avp("Requested-Party-Address", 1251, "UTF8String", THREE_GPP);
export const AssociatedUri = avp("Associated-URI", 856, "UTF8String", THREE_GPP);
export const TimeStamps = grouped(
  "Time-Stamps",
  833,
  {
    sipRequestTimestamp: optional(avp("SIP-Request-Timestamp", 834, "Time", THREE_GPP)),
    sipResponseTimestamp: optional(avp("SIP-Response-Timestamp", 835, "Time", THREE_GPP)),
    /** Milliseconds. */
    sipRequestTimestampFraction: optional(
      avp("SIP-Request-Timestamp-Fraction", 2301, "Unsigned32", THREE_GPP),
    ),
    sipResponseTimestampFraction: optional(
      avp("SIP-Response-Timestamp-Fraction", 2302, "Unsigned32", THREE_GPP),
    ),
  },
  THREE_GPP,
);
export const ApplicationServerInformation = grouped(
  "Application-Server-Information",
  850,
  {
    applicationServer: optional(avp("Application-Server", 836, "UTF8String", THREE_GPP)),
    applicationProvidedCalledPartyAddress: many(
      avp("Application-Provided-Called-Party-Address", 837, "UTF8String", THREE_GPP),
    ),
  },
  THREE_GPP,
);
export const InterOperatorIdentifier = grouped(
  "Inter-Operator-Identifier",
  838,
  {
    originatingIoi: optional(avp("Originating-IOI", 839, "UTF8String", THREE_GPP)),
    terminatingIoi: optional(avp("Terminating-IOI", 840, "UTF8String", THREE_GPP)),
  },
  THREE_GPP,
);
export const TransitIoiList = avp("Transit-IOI-List", 2701, "UTF8String", THREE_GPP);
export const ImsChargingIdentifier = avp("IMS-Charging-Identifier", 841, "UTF8String", THREE_GPP);
export const SdpSessionDescription = avp("SDP-Session-Description", 842, "UTF8String", THREE_GPP);
export const MediaInitiatorFlagValue = { CALLED_PARTY: 0, CALLING_PARTY: 1, UNKNOWN: 2 } as const;
export const SdpTypeValue = { SDP_OFFER: 0, SDP_ANSWER: 1 } as const;
export const SdpMediaComponent = grouped(
  "SDP-Media-Component",
  843,
  {
    sdpMediaName: optional(avp("SDP-Media-Name", 844, "UTF8String", THREE_GPP)),
    sdpMediaDescription: many(avp("SDP-Media-Description", 845, "UTF8String", THREE_GPP)),
    mediaInitiatorFlag: optional(enumerated("Media-Initiator-Flag", 882, MediaInitiatorFlagValue, THREE_GPP)),
    sdpType: optional(enumerated("SDP-Type", 2036, SdpTypeValue, THREE_GPP)),
  },
  THREE_GPP,
);
export const ServedPartyIpAddress = avp("Served-Party-IP-Address", 848, "Address", THREE_GPP);
export const TrunkGroupId = grouped(
  "Trunk-Group-Id",
  851,
  {
    incomingTrunkGroupId: optional(avp("Incoming-Trunk-Group-Id", 852, "UTF8String", THREE_GPP)),
    outgoingTrunkGroupId: optional(avp("Outgoing-Trunk-Group-Id", 853, "UTF8String", THREE_GPP)),
  },
  THREE_GPP,
);
export const MessageBody = grouped(
  "Message-Body",
  889,
  {
    contentType: required(avp("Content-Type", 826, "UTF8String", THREE_GPP)),
    contentLength: required(avp("Content-Length", 827, "Unsigned32", THREE_GPP)),
    contentDisposition: optional(avp("Content-Disposition", 828, "UTF8String", THREE_GPP)),
    originator: optional(
      enumerated("Originator", 864, { CALLING_PARTY: 0, CALLED_PARTY: 1 } as const, THREE_GPP),
    ),
  },
  THREE_GPP,
);
/** §7.2.35: 0 end of a session, negative for what went well, 4xx to 6xx as the SIP answer said. */
export const CauseCode = avp("Cause-Code", 861, "Integer32", THREE_GPP);
export const ReasonHeader = avp("Reason-Header", 3401, "UTF8String", THREE_GPP);
/** OctetString filled with the value of P-Access-Network-Info. */
export const AccessNetworkInformation = avp("Access-Network-Information", 1263, "OctetText", THREE_GPP);
export const FromAddress = avp("From-Address", 2708, "UTF8String", THREE_GPP);
export const ImsVisitedNetworkIdentifier = avp(
  "IMS-Visited-Network-Identifier",
  2713,
  "UTF8String",
  THREE_GPP,
);
export const ImsEmergencyIndicatorValue = { NON_EMERGENCY: 0, EMERGENCY: 1 } as const;
export const ImsEmergencyIndicator = enumerated(
  "IMS-Emergency-Indicator",
  2322,
  ImsEmergencyIndicatorValue,
  THREE_GPP,
);

/** §7.2.77: those of its members that a CSCF has something to say in. */
export const ImsInformation = grouped(
  "IMS-Information",
  876,
  {
    eventType: optional(EventType),
    roleOfNode: optional(RoleOfNode),
    nodeFunctionality: required(NodeFunctionality),
    userSessionId: optional(UserSessionId),
    outgoingSessionId: optional(OutgoingSessionId),
    callingPartyAddress: many(CallingPartyAddress),
    calledPartyAddress: optional(CalledPartyAddress),
    calledAssertedIdentity: many(CalledAssertedIdentity),
    requestedPartyAddress: many(RequestedPartyAddress),
    associatedUri: many(AssociatedUri),
    timeStamps: optional(TimeStamps),
    applicationServerInformation: many(ApplicationServerInformation),
    interOperatorIdentifier: many(InterOperatorIdentifier),
    transitIoiList: many(TransitIoiList),
    imsChargingIdentifier: optional(ImsChargingIdentifier),
    sdpSessionDescription: many(SdpSessionDescription),
    sdpMediaComponent: many(SdpMediaComponent),
    servedPartyIpAddress: optional(ServedPartyIpAddress),
    trunkGroupId: optional(TrunkGroupId),
    messageBody: many(MessageBody),
    causeCode: optional(CauseCode),
    reasonHeader: many(ReasonHeader),
    accessNetworkInformation: many(AccessNetworkInformation),
    fromAddress: optional(FromAddress),
    serverCapabilities: optional(ServerCapabilities),
    imsVisitedNetworkIdentifier: optional(ImsVisitedNetworkIdentifier),
    imsEmergencyIndicator: optional(ImsEmergencyIndicator),
  },
  THREE_GPP,
);
/** §7.2.192. */
export const ServiceInformation = grouped(
  "Service-Information",
  873,
  { subscriptionId: many(SubscriptionId), imsInformation: optional(ImsInformation) },
  THREE_GPP,
);
