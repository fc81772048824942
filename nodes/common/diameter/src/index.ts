export { base, type Capabilities } from "./base/commands.ts";
export { isSuccess, type Result, type ResultAvps, resultClass, resultOf } from "./base/result.ts";
export { ResultCode, resultCodeName } from "./base/result-codes.ts";
export {
  type Avp,
  avp,
  enumerated,
  type Format,
  grouped,
  many,
  optional,
  required,
  some,
  THREE_GPP,
} from "./codec/avp.ts";
export {
  type Application,
  type AvpsOf,
  type Command,
  type CommandPair,
  command,
  Dictionary,
  pair,
} from "./codec/command.ts";
export { type Decoded, decode, type MessageFault, type UnknownAvp } from "./codec/decode.ts";
export { encodeMessage, MAX_MESSAGE_LENGTH } from "./codec/encode.ts";
export { type Header, HeaderFlag } from "./codec/header.ts";
export { DiameterNode } from "./diameter-node.ts";
export { DiameterError, type DiameterFault } from "./errors.ts";
export type {
  AnswerAvps,
  DiameterRequest,
  Handler,
  Outcome,
  PeerInfo,
  ReceivedAnswer,
  RequestAvps,
  RequestOptions,
} from "./exchange.ts";
export type { DiameterNodeOptions, ListenOptions } from "./options.ts";
export type { PeerIdentity } from "./peer/capabilities.ts";
export type { Endpoint } from "./peer/connection.ts";
export type { PeerOptions } from "./peer/peer.ts";
export type { PeerTiming } from "./peer/peer-context.ts";
export { diameterProblems } from "./problems.ts";
export type { UnavailableCause } from "./request-router.ts";
