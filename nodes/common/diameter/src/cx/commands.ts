import {
  AuthSessionState,
  answerExtras,
  DestinationHost,
  DestinationRealm,
  Drmp,
  ExperimentalResult,
  Load,
  OcOlr,
  OcSupportedFeatures,
  OriginHost,
  OriginRealm,
  ResultCodeAvp,
  requestExtras,
  SessionId,
  UserName,
  VendorSpecificApplicationId,
} from "../base/avps.ts";
import { many, optional, required } from "../codec/avp.ts";
import { type AvpsOf, command } from "../codec/command.ts";
import {
  AllowedWafWwsfIdentities,
  AssociatedIdentities,
  AssociatedRegisteredIdentities,
  ChargingInformation,
  DeregistrationReason,
  FailedPcscf,
  IdentityWithEmergencyRegistration,
  LiaFlags,
  LooseRouteIndication,
  MultipleRegistrationIndication,
  OriginatingRequest,
  PriviledgedSenderIndication,
  PublicIdentity,
  RtrFlags,
  SarFlags,
  ScscfRestorationInfo,
  ServerAssignmentType,
  ServerCapabilities,
  ServerName,
  SessionPriority,
  SipAuthDataItem,
  SipNumberAuthItems,
  SupportedFeatures,
  UarFlags,
  UserAuthorizationType,
  UserData,
  UserDataAlreadyAvailable,
  VisitedNetworkIdentifier,
  WildcardedPublicIdentity,
} from "./avps.ts";

/** Cx/Dx commands: TS 29.229 §6.1. Application 16777216. */

export const CX_APPLICATION_ID = 16_777_216;
const CX = { applicationId: CX_APPLICATION_ID } as const;

const requestHead = {
  sessionId: required(SessionId),
  drmp: optional(Drmp),
  vendorSpecificApplicationId: required(VendorSpecificApplicationId),
  authSessionState: required(AuthSessionState),
  originHost: required(OriginHost),
  originRealm: required(OriginRealm),
} as const;

/** Requests of the CSCFs: the HSS may be left to the realm. */
const toRealm = {
  ...requestHead,
  destinationHost: optional(DestinationHost),
  destinationRealm: required(DestinationRealm),
} as const;

/** Requests of the HSS: the S-CSCF is known by name. */
const toHost = {
  ...requestHead,
  destinationHost: required(DestinationHost),
  destinationRealm: required(DestinationRealm),
} as const;

const answerHead = {
  sessionId: required(SessionId),
  drmp: optional(Drmp),
  vendorSpecificApplicationId: required(VendorSpecificApplicationId),
  resultCode: optional(ResultCodeAvp),
  experimentalResult: optional(ExperimentalResult),
  authSessionState: required(AuthSessionState),
  originHost: required(OriginHost),
  originRealm: required(OriginRealm),
} as const;

const requestFeatures = {
  ocSupportedFeatures: optional(OcSupportedFeatures),
  supportedFeatures: many(SupportedFeatures),
} as const;

const answerFeatures = {
  ocSupportedFeatures: optional(OcSupportedFeatures),
  ocOlr: optional(OcOlr),
  load: many(Load),
  supportedFeatures: many(SupportedFeatures),
} as const;

/** < User-Authorization-Request > ::= < Diameter Header: 300, REQ, PXY, 16777216 >  (TS 29.229 §6.1.1) */
export const UserAuthorizationRequest = command({
  ...CX,
  name: "UAR",
  code: 300,
  request: true,
  avps: {
    ...toRealm,
    userName: required(UserName),
    ...requestFeatures,
    publicIdentity: required(PublicIdentity),
    visitedNetworkIdentifier: required(VisitedNetworkIdentifier),
    userAuthorizationType: optional(UserAuthorizationType),
    uarFlags: optional(UarFlags),
    ...requestExtras,
  },
});
export type UserAuthorizationRequest = AvpsOf<typeof UserAuthorizationRequest>;

/** < User-Authorization-Answer > ::= < Diameter Header: 300, PXY, 16777216 >  (TS 29.229 §6.1.2) */
export const UserAuthorizationAnswer = command({
  ...CX,
  name: "UAA",
  code: 300,
  request: false,
  avps: {
    ...answerHead,
    ...answerFeatures,
    serverName: optional(ServerName),
    serverCapabilities: optional(ServerCapabilities),
    ...answerExtras,
  },
});
export type UserAuthorizationAnswer = AvpsOf<typeof UserAuthorizationAnswer>;

/** < Server-Assignment-Request > ::= < Diameter Header: 301, REQ, PXY, 16777216 >  (TS 29.229 §6.1.3) */
export const ServerAssignmentRequest = command({
  ...CX,
  name: "SAR",
  code: 301,
  request: true,
  avps: {
    ...toRealm,
    userName: optional(UserName),
    ...requestFeatures,
    publicIdentity: many(PublicIdentity),
    wildcardedPublicIdentity: optional(WildcardedPublicIdentity),
    serverName: required(ServerName),
    serverAssignmentType: required(ServerAssignmentType),
    userDataAlreadyAvailable: required(UserDataAlreadyAvailable),
    scscfRestorationInfo: optional(ScscfRestorationInfo),
    multipleRegistrationIndication: optional(MultipleRegistrationIndication),
    sessionPriority: optional(SessionPriority),
    sarFlags: optional(SarFlags),
    failedPcscf: optional(FailedPcscf),
    ...requestExtras,
  },
});
export type ServerAssignmentRequest = AvpsOf<typeof ServerAssignmentRequest>;

/** < Server-Assignment-Answer > ::= < Diameter Header: 301, PXY, 16777216 >  (TS 29.229 §6.1.4) */
export const ServerAssignmentAnswer = command({
  ...CX,
  name: "SAA",
  code: 301,
  request: false,
  avps: {
    ...answerHead,
    userName: optional(UserName),
    ...answerFeatures,
    userData: optional(UserData),
    chargingInformation: optional(ChargingInformation),
    associatedIdentities: optional(AssociatedIdentities),
    looseRouteIndication: optional(LooseRouteIndication),
    scscfRestorationInfo: many(ScscfRestorationInfo),
    associatedRegisteredIdentities: optional(AssociatedRegisteredIdentities),
    serverName: optional(ServerName),
    wildcardedPublicIdentity: optional(WildcardedPublicIdentity),
    priviledgedSenderIndication: optional(PriviledgedSenderIndication),
    allowedWafWwsfIdentities: optional(AllowedWafWwsfIdentities),
    ...answerExtras,
  },
});
export type ServerAssignmentAnswer = AvpsOf<typeof ServerAssignmentAnswer>;

/** < Location-Info-Request > ::= < Diameter Header: 302, REQ, PXY, 16777216 >  (TS 29.229 §6.1.5) */
export const LocationInfoRequest = command({
  ...CX,
  name: "LIR",
  code: 302,
  request: true,
  avps: {
    ...toRealm,
    originatingRequest: optional(OriginatingRequest),
    ...requestFeatures,
    publicIdentity: required(PublicIdentity),
    userAuthorizationType: optional(UserAuthorizationType),
    sessionPriority: optional(SessionPriority),
    ...requestExtras,
  },
});
export type LocationInfoRequest = AvpsOf<typeof LocationInfoRequest>;

/** < Location-Info-Answer > ::= < Diameter Header: 302, PXY, 16777216 >  (TS 29.229 §6.1.6) */
export const LocationInfoAnswer = command({
  ...CX,
  name: "LIA",
  code: 302,
  request: false,
  avps: {
    ...answerHead,
    ...answerFeatures,
    serverName: optional(ServerName),
    serverCapabilities: optional(ServerCapabilities),
    wildcardedPublicIdentity: optional(WildcardedPublicIdentity),
    liaFlags: optional(LiaFlags),
    ...answerExtras,
  },
});
export type LocationInfoAnswer = AvpsOf<typeof LocationInfoAnswer>;

/** < Multimedia-Auth-Request > ::= < Diameter Header: 303, REQ, PXY, 16777216 >  (TS 29.229 §6.1.7) */
export const MultimediaAuthRequest = command({
  ...CX,
  name: "MAR",
  code: 303,
  request: true,
  avps: {
    ...toRealm,
    userName: required(UserName),
    ...requestFeatures,
    publicIdentity: required(PublicIdentity),
    sipAuthDataItem: required(SipAuthDataItem),
    sipNumberAuthItems: required(SipNumberAuthItems),
    serverName: required(ServerName),
    ...requestExtras,
  },
});
export type MultimediaAuthRequest = AvpsOf<typeof MultimediaAuthRequest>;

/** < Multimedia-Auth-Answer > ::= < Diameter Header: 303, PXY, 16777216 >  (TS 29.229 §6.1.8) */
export const MultimediaAuthAnswer = command({
  ...CX,
  name: "MAA",
  code: 303,
  request: false,
  avps: {
    ...answerHead,
    userName: optional(UserName),
    ...answerFeatures,
    publicIdentity: optional(PublicIdentity),
    sipNumberAuthItems: optional(SipNumberAuthItems),
    sipAuthDataItem: many(SipAuthDataItem),
    ...answerExtras,
  },
});
export type MultimediaAuthAnswer = AvpsOf<typeof MultimediaAuthAnswer>;

/** < Registration-Termination-Request > ::= < Diameter Header: 304, REQ, PXY, 16777216 >  (TS 29.229 §6.1.9) */
export const RegistrationTerminationRequest = command({
  ...CX,
  name: "RTR",
  code: 304,
  request: true,
  avps: {
    ...toHost,
    userName: required(UserName),
    associatedIdentities: optional(AssociatedIdentities),
    supportedFeatures: many(SupportedFeatures),
    publicIdentity: many(PublicIdentity),
    deregistrationReason: required(DeregistrationReason),
    rtrFlags: optional(RtrFlags),
    ...requestExtras,
  },
});
export type RegistrationTerminationRequest = AvpsOf<typeof RegistrationTerminationRequest>;

/** < Registration-Termination-Answer > ::= < Diameter Header: 304, PXY, 16777216 >  (TS 29.229 §6.1.10) */
export const RegistrationTerminationAnswer = command({
  ...CX,
  name: "RTA",
  code: 304,
  request: false,
  avps: {
    ...answerHead,
    associatedIdentities: optional(AssociatedIdentities),
    supportedFeatures: many(SupportedFeatures),
    identityWithEmergencyRegistration: many(IdentityWithEmergencyRegistration),
    ...answerExtras,
  },
});
export type RegistrationTerminationAnswer = AvpsOf<typeof RegistrationTerminationAnswer>;

/** < Push-Profile-Request > ::= < Diameter Header: 305, REQ, PXY, 16777216 >  (TS 29.229 §6.1.11) */
export const PushProfileRequest = command({
  ...CX,
  name: "PPR",
  code: 305,
  request: true,
  avps: {
    ...toHost,
    userName: required(UserName),
    supportedFeatures: many(SupportedFeatures),
    userData: optional(UserData),
    chargingInformation: optional(ChargingInformation),
    sipAuthDataItem: optional(SipAuthDataItem),
    allowedWafWwsfIdentities: optional(AllowedWafWwsfIdentities),
    ...requestExtras,
  },
});
export type PushProfileRequest = AvpsOf<typeof PushProfileRequest>;

/** < Push-Profile-Answer > ::= < Diameter Header: 305, PXY, 16777216 >  (TS 29.229 §6.1.12) */
export const PushProfileAnswer = command({
  ...CX,
  name: "PPA",
  code: 305,
  request: false,
  avps: { ...answerHead, supportedFeatures: many(SupportedFeatures), ...answerExtras },
});
export type PushProfileAnswer = AvpsOf<typeof PushProfileAnswer>;
