import { avp, enumerated, grouped, many, optional, required } from "../codec/avp.ts";

/** Base protocol AVPs: RFC 6733 §4.5, in the order of their clauses. */

// §5.3 capabilities exchange
export const HostIpAddress = avp("Host-IP-Address", 257, "Address");
export const VendorId = avp("Vendor-Id", 266, "Unsigned32");
export const FirmwareRevision = avp("Firmware-Revision", 267, "Unsigned32", 0, "");
export const ProductName = avp("Product-Name", 269, "UTF8String", 0, "");
export const SupportedVendorId = avp("Supported-Vendor-Id", 265, "Unsigned32");
// §5.4.3
export const DisconnectCauseValue = { REBOOTING: 0, BUSY: 1, DO_NOT_WANT_TO_TALK_TO_YOU: 2 } as const;
export type DisconnectCauseValue = (typeof DisconnectCauseValue)[keyof typeof DisconnectCauseValue];
export const DisconnectCause = enumerated("Disconnect-Cause", 273, DisconnectCauseValue);
// §6.3 to §6.14 routing
export const OriginHost = avp("Origin-Host", 264, "DiameterIdentity");
export const OriginRealm = avp("Origin-Realm", 296, "DiameterIdentity");
export const DestinationHost = avp("Destination-Host", 293, "DiameterIdentity");
export const DestinationRealm = avp("Destination-Realm", 283, "DiameterIdentity");
export const RouteRecord = avp("Route-Record", 282, "DiameterIdentity");
export const ProxyHost = avp("Proxy-Host", 280, "DiameterIdentity");
export const ProxyState = avp("Proxy-State", 33, "OctetString");
export const ProxyInfo = grouped("Proxy-Info", 284, {
  proxyHost: required(ProxyHost),
  proxyState: required(ProxyState),
});
export const AuthApplicationId = avp("Auth-Application-Id", 258, "Unsigned32");
export const AcctApplicationId = avp("Acct-Application-Id", 259, "Unsigned32");
export const InbandSecurityIdValue = { NO_INBAND_SECURITY: 0, TLS: 1 } as const;
/** Unsigned32 with a registry; values this node does not know are of no consequence to it. */
export const InbandSecurityId = avp("Inband-Security-Id", 299, "Unsigned32");
export const VendorSpecificApplicationId = grouped("Vendor-Specific-Application-Id", 260, {
  vendorId: required(VendorId),
  authApplicationId: optional(AuthApplicationId),
  acctApplicationId: optional(AcctApplicationId),
});
export const RedirectHost = avp("Redirect-Host", 292, "DiameterURI");
/** Numeric on purpose: an unknown usage must not hide the redirection itself. */
export const RedirectHostUsage = avp("Redirect-Host-Usage", 261, "Integer32");
export const RedirectMaxCacheTime = avp("Redirect-Max-Cache-Time", 262, "Unsigned32");
// §7 errors
export const ResultCodeAvp = avp("Result-Code", 268, "Unsigned32");
export const ErrorMessage = avp("Error-Message", 281, "UTF8String", 0, "");
export const ErrorReportingHost = avp("Error-Reporting-Host", 294, "DiameterIdentity", 0, "");
/** Kept as the bytes of the AVPs inside: what is wrong is what no dictionary describes. */
export const FailedAvp = avp("Failed-AVP", 279, "OctetString");
export const ExperimentalResultCode = avp("Experimental-Result-Code", 298, "Unsigned32");
export const ExperimentalResult = grouped("Experimental-Result", 297, {
  vendorId: required(VendorId),
  experimentalResultCode: required(ExperimentalResultCode),
});
// §8 sessions
export const SessionId = avp("Session-Id", 263, "UTF8String");
export const AuthSessionStateValue = { STATE_MAINTAINED: 0, NO_STATE_MAINTAINED: 1 } as const;
export const AuthSessionState = enumerated("Auth-Session-State", 277, AuthSessionStateValue);
export const UserName = avp("User-Name", 1, "UTF8String");
export const OriginStateId = avp("Origin-State-Id", 278, "Unsigned32");

/** DRMP: RFC 7944 §9.1. The M bit is never set. */
export const Drmp = avp("DRMP", 301, "Integer32", 0, "");

/** Overload control: RFC 7683 §7. */
export const OcSupportedFeatures = grouped(
  "OC-Supported-Features",
  621,
  { ocFeatureVector: optional(avp("OC-Feature-Vector", 622, "Unsigned64", 0, "")) },
  0,
  "",
);
export const OcOlr = grouped(
  "OC-OLR",
  623,
  {
    ocSequenceNumber: required(avp("OC-Sequence-Number", 624, "Unsigned64", 0, "")),
    ocReportType: required(avp("OC-Report-Type", 626, "Integer32", 0, "")),
    ocReductionPercentage: optional(avp("OC-Reduction-Percentage", 627, "Unsigned32", 0, "")),
    ocValidityDuration: optional(avp("OC-Validity-Duration", 625, "Unsigned32", 0, "")),
  },
  0,
  "",
);

/** Load: RFC 8583 §7. */
export const Load = grouped(
  "Load",
  650,
  {
    loadType: optional(avp("Load-Type", 651, "Integer32", 0, "")),
    loadValue: optional(avp("Load-Value", 652, "Unsigned64", 0, "")),
    sourceId: optional(avp("SourceID", 649, "DiameterIdentity", 0, "")),
  },
  0,
  "",
);

/** What every request of an application may carry under `* [ AVP ]` with the M bit set. */
export const requestExtras = {
  originStateId: optional(OriginStateId),
  proxyInfo: many(ProxyInfo),
  routeRecord: many(RouteRecord),
} as const;

/** The same for answers: RFC 6733 §7.2, §6.12 to §6.14. Relays note their way back too (TS 29.229 §6.1 has it in answers). */
export const answerExtras = {
  originStateId: optional(OriginStateId),
  errorMessage: optional(ErrorMessage),
  errorReportingHost: optional(ErrorReportingHost),
  failedAvp: optional(FailedAvp),
  redirectHost: many(RedirectHost),
  redirectHostUsage: optional(RedirectHostUsage),
  redirectMaxCacheTime: optional(RedirectMaxCacheTime),
  proxyInfo: many(ProxyInfo),
  routeRecord: many(RouteRecord),
} as const;
