export { CallerPreferences } from "./caller-preferences/caller-preferences.ts";
export { type RequestDisposition, requestDisposition } from "./caller-preferences/request-disposition.ts";
export {
  type AkaKeys,
  akaHa1,
  akaNonce,
  akaResynchronisationHa1,
  parseAkaNonce,
} from "./digest/aka.ts";
export { authorizationToString, type DigestCredentials, parseAuthorization } from "./digest/authorization.ts";
export { challengeToString, type DigestChallenge, parseChallenge, withoutKeys } from "./digest/challenge.ts";
export {
  type DigestAlgorithm,
  type DigestInput,
  digestAlgorithm,
  digestHa1,
  digestHash,
  digestResponse,
  digestsEqual,
} from "./digest/digest.ts";
export { parseDigestParameters } from "./digest/parameters.ts";
export type { Hop, HopState } from "./failover/hop.ts";
export { DEFAULT_PROBE, type ProbeOptions } from "./failover/hop-prober.ts";
export { hopTroubles, unreachableSide } from "./failover/hop-troubles.ts";
export { DEFAULT_POLICIES, type MethodPolicy, type Policies } from "./failover/policy.ts";
export { type HeaderName, HeaderSet, headerIdOf } from "./message/header-names.ts";
export { Identifiers } from "./message/identifiers.ts";
export { SipMessage, tagOf } from "./message/message.ts";
export { SIP_METHODS, type SipMethod } from "./message/methods.ts";
export { locateUri, type NameAddr, parseNameAddr } from "./message/name-addr.ts";
export { Parameters, parameterAt, type ReadonlyParameters } from "./message/parameters.ts";
export { type ParseFault, type ParseResult, parseMessage } from "./message/parser.ts";
export { responseTo } from "./message/response.ts";
export { reasonPhrase } from "./message/status.ts";
export {
  hostForUri,
  parseHostPort,
  parseSipOrSipsUri,
  parseUri,
  type Uri,
  uriEquals,
  uriKey,
  uriToString,
} from "./message/uri.ts";
export {
  faultOfUnreadable,
  isUsableResponse,
  type RequestFault,
  validateRequest,
} from "./message/validate.ts";
export { decimal, isToken, quote, splitList, unquote } from "./message/values.ts";
export { MAGIC_COOKIE, parseVia, type Via } from "./message/via.ts";
export { failureCause, failureCauses, type SipState, sipCounters, sipGauges } from "./metrics.ts";
export { blameServerBehind, blamesServerBehind } from "./overload/busy-behind.ts";
export {
  OverloadControl,
  type OverloadOptions,
  type OverloadSide,
  refusesForOverload,
} from "./overload/overload-control.ts";
export { isSentElsewhere, sendElsewhere } from "./overload/sent-elsewhere.ts";
export { sipProblems } from "./problems.ts";
export type { Locator } from "./proxy/locator.ts";
export { nextHop, topRoute } from "./proxy/next-hop.ts";
export { type Own, OwnUris, ownTopRoute, popOwnRoutes } from "./proxy/own-route.ts";
export { ProxyCore } from "./proxy/proxy-core.ts";
export type { ProxyCoreOptions, ProxyCounters, Side } from "./proxy/proxy-options.ts";
export type {
  AckContext,
  DecisionFields,
  Destination,
  Fork,
  ForkOptions,
  FunctionalEntity,
  OriginatedHandler,
  RequestContext,
  RequestOriginator,
  RespondOptions,
  TransactionUser,
} from "./proxy/transaction-user.ts";
export { dnsQueries } from "./resolver/dns-queries.ts";
export {
  type DnsQueries,
  type LocateRequest,
  type NaptrRecord,
  SipLocator,
  type SipLocatorOptions,
} from "./resolver/locate.ts";
export type { SrvRecord } from "./resolver/service-order.ts";
export { readResourcePriorities } from "./resource-priority/priorities-file.ts";
export {
  type PriorityNamespace,
  parseResourcePriorities,
  ResourcePriorities,
} from "./resource-priority/resource-priorities.ts";
export {
  LEAST_SESSION_INTERVAL,
  type SessionInterval,
  type SessionTimerOptions,
  SessionTimers,
  sessionTimers,
} from "./session-timer/session-timers.ts";
export { redactCredentials, redactSip } from "./trail/redact-sip.ts";
export { SipTrail } from "./trail/sip-trail.ts";
export { DEFAULT_TIMERS, type TransactionTimers } from "./transaction/timers.ts";
export { defaultLimits, type TransportLimits, trustedLimits } from "./transport/limits.ts";
export { LocalNetwork } from "./transport/local-network.ts";
export {
  NodeTransportLayer,
  type NodeTransportModules,
  type TransportLog,
} from "./transport/node-transport-layer.ts";
export type { SecureSide } from "./transport/secure-side.ts";
export { routedUri } from "./transport/secure-uri.ts";
export type { TlsClientOptions } from "./transport/tls.ts";
export type {
  Flow,
  GarbageReason,
  ListeningPoint,
  ListenOptions,
  SharedPort,
  Target,
  TransportHandler,
  TransportLayer,
  TransportProtocol,
} from "./transport/transport.ts";
export { openUdpSockets, type UdpSockets } from "./transport/udp-sockets.ts";
