import {
  AcctApplicationId,
  AuthApplicationId,
  UserName,
  VendorId,
  VendorSpecificApplicationId,
} from "../base/avps.ts";
import { avp, enumerated, grouped, many, optional, required, some, THREE_GPP } from "../codec/avp.ts";

/** Cx/Dx AVPs: TS 29.229 §6.3 (Release 17), Table 6.3.0.1. Digest AVPs: RFC 4740 §9.5.6 by way of RFC 5090. */

/** OctetString, but the clause fills it with text. */
export const VisitedNetworkIdentifier = avp("Visited-Network-Identifier", 600, "OctetText", THREE_GPP);
export const PublicIdentity = avp("Public-Identity", 601, "UTF8String", THREE_GPP);
export const ServerName = avp("Server-Name", 602, "UTF8String", THREE_GPP);
export const MandatoryCapability = avp("Mandatory-Capability", 604, "Unsigned32", THREE_GPP);
export const OptionalCapability = avp("Optional-Capability", 605, "Unsigned32", THREE_GPP);
export const ServerCapabilities = grouped(
  "Server-Capabilities",
  603,
  {
    mandatoryCapability: many(MandatoryCapability),
    optionalCapability: many(OptionalCapability),
    serverName: many(ServerName),
  },
  THREE_GPP,
);
/** The user profile document of TS 29.228 annex E, as text. */
export const UserData = avp("User-Data", 606, "OctetText", THREE_GPP);
export const SipNumberAuthItems = avp("SIP-Number-Auth-Items", 607, "Unsigned32", THREE_GPP);
/** "Digest-AKAv1-MD5", "Digest-AKAv2-SHA-256", "SIP Digest", "NASS-Bundled", "Early-IMS-Security", "Unknown". */
export const SipAuthenticationScheme = avp("SIP-Authentication-Scheme", 608, "UTF8String", THREE_GPP);
/** Binary RAND and AUTN for AKA. */
export const SipAuthenticate = avp("SIP-Authenticate", 609, "OctetString", THREE_GPP);
/** Binary XRES in an answer; RAND and AUTS in a request that synchronises. */
export const SipAuthorization = avp("SIP-Authorization", 610, "OctetString", THREE_GPP);
export const SipAuthenticationContext = avp("SIP-Authentication-Context", 611, "OctetString", THREE_GPP);
export const SipItemNumber = avp("SIP-Item-Number", 613, "Unsigned32", THREE_GPP);
export const ConfidentialityKey = avp("Confidentiality-Key", 625, "OctetString", THREE_GPP);
export const IntegrityKey = avp("Integrity-Key", 626, "OctetString", THREE_GPP);
export const DigestRealm = avp("Digest-Realm", 104, "UTF8String");
export const DigestQop = avp("Digest-QoP", 110, "UTF8String");
export const DigestAlgorithm = avp("Digest-Algorithm", 111, "UTF8String");
export const DigestHa1 = avp("Digest-HA1", 121, "UTF8String");
export const AlternateDigestAlgorithm = avp("Alternate-Digest-Algorithm", 662, "UTF8String", THREE_GPP, "");
export const AlternateDigestHa1 = avp("Alternate-Digest-HA1", 663, "UTF8String", THREE_GPP, "");
export const SipDigestAuthenticate = grouped(
  "SIP-Digest-Authenticate",
  635,
  {
    digestRealm: required(DigestRealm),
    digestAlgorithm: optional(DigestAlgorithm),
    digestQop: required(DigestQop),
    digestHa1: required(DigestHa1),
    alternateDigestAlgorithm: optional(AlternateDigestAlgorithm),
    alternateDigestHa1: optional(AlternateDigestHa1),
  },
  THREE_GPP,
  "",
);
export const FramedIpAddress = avp("Framed-IP-Address", 8, "OctetString");
export const FramedIpv6Prefix = avp("Framed-IPv6-Prefix", 97, "OctetString");
export const FramedInterfaceId = avp("Framed-Interface-Id", 96, "Unsigned64");
/** ETSI ES 283 035 §7.3.5, vendor 13019. */
export const LineIdentifier = avp("Line-Identifier", 500, "OctetString", 13019, "");
export const SipAuthDataItem = grouped(
  "SIP-Auth-Data-Item",
  612,
  {
    sipItemNumber: optional(SipItemNumber),
    sipAuthenticationScheme: optional(SipAuthenticationScheme),
    sipAuthenticate: optional(SipAuthenticate),
    sipAuthorization: optional(SipAuthorization),
    sipAuthenticationContext: optional(SipAuthenticationContext),
    confidentialityKey: optional(ConfidentialityKey),
    integrityKey: optional(IntegrityKey),
    sipDigestAuthenticate: optional(SipDigestAuthenticate),
    framedIpAddress: optional(FramedIpAddress),
    framedIpv6Prefix: optional(FramedIpv6Prefix),
    framedInterfaceId: optional(FramedInterfaceId),
    lineIdentifier: many(LineIdentifier),
  },
  THREE_GPP,
);

export const ServerAssignmentTypeValue = {
  NO_ASSIGNMENT: 0,
  REGISTRATION: 1,
  RE_REGISTRATION: 2,
  UNREGISTERED_USER: 3,
  TIMEOUT_DEREGISTRATION: 4,
  USER_DEREGISTRATION: 5,
  TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME: 6,
  USER_DEREGISTRATION_STORE_SERVER_NAME: 7,
  ADMINISTRATIVE_DEREGISTRATION: 8,
  AUTHENTICATION_FAILURE: 9,
  AUTHENTICATION_TIMEOUT: 10,
  DEREGISTRATION_TOO_MUCH_DATA: 11,
  AAA_USER_DATA_REQUEST: 12,
  PGW_UPDATE: 13,
  RESTORATION: 14,
} as const;
export type ServerAssignmentTypeValue =
  (typeof ServerAssignmentTypeValue)[keyof typeof ServerAssignmentTypeValue];
export const ServerAssignmentType = enumerated(
  "Server-Assignment-Type",
  614,
  ServerAssignmentTypeValue,
  THREE_GPP,
);

export const ReasonCodeValue = {
  PERMANENT_TERMINATION: 0,
  NEW_SERVER_ASSIGNED: 1,
  SERVER_CHANGE: 2,
  REMOVE_S_CSCF: 3,
} as const;
export type ReasonCodeValue = (typeof ReasonCodeValue)[keyof typeof ReasonCodeValue];
export const ReasonCode = enumerated("Reason-Code", 616, ReasonCodeValue, THREE_GPP);
export const ReasonInfo = avp("Reason-Info", 617, "UTF8String", THREE_GPP);
export const DeregistrationReason = grouped(
  "Deregistration-Reason",
  615,
  { reasonCode: required(ReasonCode), reasonInfo: optional(ReasonInfo) },
  THREE_GPP,
);

export const ChargingInformation = grouped(
  "Charging-Information",
  618,
  {
    primaryEventChargingFunctionName: optional(
      avp("Primary-Event-Charging-Function-Name", 619, "DiameterURI", THREE_GPP),
    ),
    secondaryEventChargingFunctionName: optional(
      avp("Secondary-Event-Charging-Function-Name", 620, "DiameterURI", THREE_GPP),
    ),
    primaryChargingCollectionFunctionName: optional(
      avp("Primary-Charging-Collection-Function-Name", 621, "DiameterURI", THREE_GPP),
    ),
    secondaryChargingCollectionFunctionName: optional(
      avp("Secondary-Charging-Collection-Function-Name", 622, "DiameterURI", THREE_GPP),
    ),
  },
  THREE_GPP,
);

export const UserAuthorizationTypeValue = {
  REGISTRATION: 0,
  DE_REGISTRATION: 1,
  REGISTRATION_AND_CAPABILITIES: 2,
} as const;
export type UserAuthorizationTypeValue =
  (typeof UserAuthorizationTypeValue)[keyof typeof UserAuthorizationTypeValue];
export const UserAuthorizationType = enumerated(
  "User-Authorization-Type",
  623,
  UserAuthorizationTypeValue,
  THREE_GPP,
);

export const UserDataAlreadyAvailableValue = {
  USER_DATA_NOT_AVAILABLE: 0,
  USER_DATA_ALREADY_AVAILABLE: 1,
} as const;
export const UserDataAlreadyAvailable = enumerated(
  "User-Data-Already-Available",
  624,
  UserDataAlreadyAvailableValue,
  THREE_GPP,
);

/** TS 29.229 §7.1: the M bit says "required", so a node that sets it must know why; this one only indicates. */
export const FeatureListId = avp("Feature-List-ID", 629, "Unsigned32", THREE_GPP, "");
export const FeatureList = avp("Feature-List", 630, "Unsigned32", THREE_GPP, "");
export const SupportedFeatures = grouped(
  "Supported-Features",
  628,
  {
    vendorId: required(VendorId),
    featureListId: required(FeatureListId),
    featureList: required(FeatureList),
  },
  THREE_GPP,
  "",
);
export const SupportedApplications = grouped(
  "Supported-Applications",
  631,
  {
    authApplicationId: many(AuthApplicationId),
    acctApplicationId: many(AcctApplicationId),
    vendorSpecificApplicationId: many(VendorSpecificApplicationId),
  },
  THREE_GPP,
  "",
);
export const AssociatedIdentities = grouped(
  "Associated-Identities",
  632,
  { userName: many(UserName) },
  THREE_GPP,
  "",
);
export const OriginatingRequestValue = { ORIGINATING: 0 } as const;
export const OriginatingRequest = enumerated("Originating-Request", 633, OriginatingRequestValue, THREE_GPP);
export const WildcardedPublicIdentity = avp("Wildcarded-Public-Identity", 634, "UTF8String", THREE_GPP, "");
/** Bit 0: IMS Emergency Registration. */
export const UarFlags = avp("UAR-Flags", 637, "Unsigned32", THREE_GPP, "");
export const LooseRouteIndicationValue = {
  LOOSE_ROUTE_NOT_REQUIRED: 0,
  LOOSE_ROUTE_REQUIRED: 1,
} as const;
export const LooseRouteIndication = enumerated(
  "Loose-Route-Indication",
  638,
  LooseRouteIndicationValue,
  THREE_GPP,
  "",
);

// Header fields in these are OctetString on the wire; SIP header fields are UTF-8 text.
export const Path = avp("Path", 640, "OctetText", THREE_GPP, "");
export const Contact = avp("Contact", 641, "OctetText", THREE_GPP, "");
export const CallIdSipHeader = avp("Call-ID-SIP-Header", 643, "OctetText", THREE_GPP, "");
export const FromSipHeader = avp("From-SIP-Header", 644, "OctetText", THREE_GPP, "");
export const ToSipHeader = avp("To-SIP-Header", 645, "OctetText", THREE_GPP, "");
export const RecordRoute = avp("Record-Route", 646, "OctetText", THREE_GPP, "");
export const InitialCseqSequenceNumber = avp(
  "Initial-CSeq-Sequence-Number",
  654,
  "Unsigned32",
  THREE_GPP,
  "",
);
export const SubscriptionInfo = grouped(
  "Subscription-Info",
  642,
  {
    callIdSipHeader: required(CallIdSipHeader),
    fromSipHeader: required(FromSipHeader),
    toSipHeader: required(ToSipHeader),
    recordRoute: required(RecordRoute),
    contact: required(Contact),
  },
  THREE_GPP,
  "",
);
export const PcscfSubscriptionInfo = grouped(
  "P-CSCF-Subscription-Info",
  660,
  {
    callIdSipHeader: required(CallIdSipHeader),
    fromSipHeader: required(FromSipHeader),
    toSipHeader: required(ToSipHeader),
    contact: required(Contact),
  },
  THREE_GPP,
  "",
);
export const RestorationInfo = grouped(
  "Restoration-Info",
  649,
  {
    path: required(Path),
    contact: required(Contact),
    initialCseqSequenceNumber: optional(InitialCseqSequenceNumber),
    callIdSipHeader: optional(CallIdSipHeader),
    subscriptionInfo: optional(SubscriptionInfo),
    pcscfSubscriptionInfo: optional(PcscfSubscriptionInfo),
  },
  THREE_GPP,
  "",
);
export const RegistrationTimeOut = avp("Registration-Time-Out", 661, "Time", THREE_GPP, "");
export const ScscfRestorationInfo = grouped(
  "SCSCF-Restoration-Info",
  639,
  {
    userName: required(UserName),
    restorationInfo: some(RestorationInfo),
    registrationTimeOut: optional(RegistrationTimeOut),
    sipAuthenticationScheme: optional(SipAuthenticationScheme),
  },
  THREE_GPP,
  "",
);
export const AssociatedRegisteredIdentities = grouped(
  "Associated-Registered-Identities",
  647,
  { userName: many(UserName) },
  THREE_GPP,
  "",
);
export const MultipleRegistrationIndicationValue = {
  NOT_MULTIPLE_REGISTRATION: 0,
  MULTIPLE_REGISTRATION: 1,
} as const;
export const MultipleRegistrationIndication = enumerated(
  "Multiple-Registration-Indication",
  648,
  MultipleRegistrationIndicationValue,
  THREE_GPP,
  "",
);
/** 0 is the highest priority. */
export const SessionPriorityValue = {
  PRIORITY_0: 0,
  PRIORITY_1: 1,
  PRIORITY_2: 2,
  PRIORITY_3: 3,
  PRIORITY_4: 4,
} as const;
export const SessionPriority = enumerated("Session-Priority", 650, SessionPriorityValue, THREE_GPP, "");
export const IdentityWithEmergencyRegistration = grouped(
  "Identity-with-Emergency-Registration",
  651,
  { userName: required(UserName), publicIdentity: required(PublicIdentity) },
  THREE_GPP,
  "",
);
/** Spelled as the clause spells it. */
export const PriviledgedSenderIndicationValue = {
  NOT_PRIVILEDGED_SENDER: 0,
  PRIVILEDGED_SENDER: 1,
} as const;
export const PriviledgedSenderIndication = enumerated(
  "Priviledged-Sender-Indication",
  652,
  PriviledgedSenderIndicationValue,
  THREE_GPP,
  "",
);
/** Bit 0: PSI Direct Routing Indication. */
export const LiaFlags = avp("LIA-Flags", 653, "Unsigned32", THREE_GPP, "");
/** Bit 0: P-CSCF Restoration Indication. */
export const SarFlags = avp("SAR-Flags", 655, "Unsigned32", THREE_GPP, "");
export const AllowedWafWwsfIdentities = grouped(
  "Allowed-WAF-WWSF-Identities",
  656,
  {
    webrtcAuthenticationFunctionName: many(
      avp("WebRTC-Authentication-Function-Name", 657, "UTF8String", THREE_GPP, ""),
    ),
    webrtcWebServerFunctionName: many(
      avp("WebRTC-Web-Server-Function-Name", 658, "UTF8String", THREE_GPP, ""),
    ),
  },
  THREE_GPP,
  "",
);
/** Bit 0: reference location change. */
export const RtrFlags = avp("RTR-Flags", 659, "Unsigned32", THREE_GPP, "");
export const FailedPcscf = grouped(
  "Failed-PCSCF",
  664,
  {
    pcscfFqdn: optional(avp("PCSCF-FQDN", 665, "DiameterIdentity", THREE_GPP, "")),
    pcscfIpAddress: many(avp("PCSCF-IP-Address", 666, "Address", THREE_GPP, "")),
  },
  THREE_GPP,
  "",
);
