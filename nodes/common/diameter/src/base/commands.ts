import { many, optional, required, some } from "../codec/avp.ts";
import { type Application, type AvpsOf, command, pair } from "../codec/command.ts";
import {
  AcctApplicationId,
  AuthApplicationId,
  answerExtras,
  DisconnectCause,
  ErrorMessage,
  ExperimentalResult,
  FailedAvp,
  FirmwareRevision,
  HostIpAddress,
  InbandSecurityId,
  OriginHost,
  OriginRealm,
  OriginStateId,
  ProductName,
  ResultCodeAvp,
  SessionId,
  SupportedVendorId,
  VendorId,
  VendorSpecificApplicationId,
} from "./avps.ts";

/** Commands of the base protocol between neighbours: RFC 6733 §5.3 to §5.5. They are never proxied. */

const BASE = { applicationId: 0, proxiable: false } as const;

const capabilities = {
  originHost: required(OriginHost),
  originRealm: required(OriginRealm),
  hostIpAddress: some(HostIpAddress),
  vendorId: required(VendorId),
  productName: required(ProductName),
  originStateId: optional(OriginStateId),
  supportedVendorId: many(SupportedVendorId),
  authApplicationId: many(AuthApplicationId),
  inbandSecurityId: many(InbandSecurityId),
  acctApplicationId: many(AcctApplicationId),
  vendorSpecificApplicationId: many(VendorSpecificApplicationId),
  firmwareRevision: optional(FirmwareRevision),
} as const;

const answered = {
  errorMessage: optional(ErrorMessage),
  failedAvp: optional(FailedAvp),
} as const;

/** < CER > ::= < Diameter Header: 257, REQ >  (RFC 6733 §5.3.1) */
export const CapabilitiesExchangeRequest = command({
  ...BASE,
  name: "CER",
  code: 257,
  request: true,
  avps: capabilities,
});

/** < CEA > ::= < Diameter Header: 257 >  (RFC 6733 §5.3.2) */
export const CapabilitiesExchangeAnswer = command({
  ...BASE,
  name: "CEA",
  code: 257,
  request: false,
  avps: { resultCode: required(ResultCodeAvp), ...capabilities, ...answered },
});

/** What both sides say about themselves in CER and CEA. */
export type Capabilities = AvpsOf<typeof CapabilitiesExchangeRequest>;

/** < DPR > ::= < Diameter Header: 282, REQ >  (RFC 6733 §5.4.1) */
export const DisconnectPeerRequest = command({
  ...BASE,
  name: "DPR",
  code: 282,
  request: true,
  avps: {
    originHost: required(OriginHost),
    originRealm: required(OriginRealm),
    disconnectCause: required(DisconnectCause),
    originStateId: optional(OriginStateId),
  },
});

/** < DPA > ::= < Diameter Header: 282 >  (RFC 6733 §5.4.2) */
export const DisconnectPeerAnswer = command({
  ...BASE,
  name: "DPA",
  code: 282,
  request: false,
  avps: {
    resultCode: required(ResultCodeAvp),
    originHost: required(OriginHost),
    originRealm: required(OriginRealm),
    originStateId: optional(OriginStateId),
    ...answered,
  },
});

/** < DWR > ::= < Diameter Header: 280, REQ >  (RFC 6733 §5.5.1) */
export const DeviceWatchdogRequest = command({
  ...BASE,
  name: "DWR",
  code: 280,
  request: true,
  avps: {
    originHost: required(OriginHost),
    originRealm: required(OriginRealm),
    originStateId: optional(OriginStateId),
  },
});

/** < DWA > ::= < Diameter Header: 280 >  (RFC 6733 §5.5.2) */
export const DeviceWatchdogAnswer = command({
  ...BASE,
  name: "DWA",
  code: 280,
  request: false,
  avps: {
    resultCode: required(ResultCodeAvp),
    originHost: required(OriginHost),
    originRealm: required(OriginRealm),
    originStateId: optional(OriginStateId),
    ...answered,
  },
});

/** What a node needs for every connection, whatever applications it has. */
export const base: Application = {
  name: "base",
  id: 0,
  vendorId: 0,
  commands: [
    pair(CapabilitiesExchangeRequest, CapabilitiesExchangeAnswer),
    pair(DisconnectPeerRequest, DisconnectPeerAnswer),
    pair(DeviceWatchdogRequest, DeviceWatchdogAnswer),
  ],
};

/** The grammar of an error answer to any request: RFC 6733 §7.2. Code and application are those of the request. */
export const errorAnswerAvps = {
  sessionId: optional(SessionId),
  resultCode: optional(ResultCodeAvp),
  experimentalResult: optional(ExperimentalResult),
  originHost: required(OriginHost),
  originRealm: required(OriginRealm),
  ...answerExtras,
} as const;
