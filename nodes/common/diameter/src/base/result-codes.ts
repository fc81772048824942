/** Result-Code values: RFC 6733 §7.1. */
export const ResultCode = {
  MULTI_ROUND_AUTH: 1001,
  SUCCESS: 2001,
  LIMITED_SUCCESS: 2002,
  COMMAND_UNSUPPORTED: 3001,
  UNABLE_TO_DELIVER: 3002,
  REALM_NOT_SERVED: 3003,
  TOO_BUSY: 3004,
  LOOP_DETECTED: 3005,
  REDIRECT_INDICATION: 3006,
  APPLICATION_UNSUPPORTED: 3007,
  INVALID_HDR_BITS: 3008,
  INVALID_AVP_BITS: 3009,
  UNKNOWN_PEER: 3010,
  AUTHENTICATION_REJECTED: 4001,
  OUT_OF_SPACE: 4002,
  ELECTION_LOST: 4003,
  AVP_UNSUPPORTED: 5001,
  UNKNOWN_SESSION_ID: 5002,
  AUTHORIZATION_REJECTED: 5003,
  INVALID_AVP_VALUE: 5004,
  MISSING_AVP: 5005,
  RESOURCES_EXCEEDED: 5006,
  CONTRADICTING_AVPS: 5007,
  AVP_NOT_ALLOWED: 5008,
  AVP_OCCURS_TOO_MANY_TIMES: 5009,
  NO_COMMON_APPLICATION: 5010,
  UNSUPPORTED_VERSION: 5011,
  UNABLE_TO_COMPLY: 5012,
  INVALID_BIT_IN_HEADER: 5013,
  INVALID_AVP_LENGTH: 5014,
  INVALID_MESSAGE_LENGTH: 5015,
  INVALID_AVP_BIT_COMBO: 5016,
  NO_COMMON_SECURITY: 5017,
} as const;
export type ResultCode = (typeof ResultCode)[keyof typeof ResultCode];

/** Their names as RFC 6733 writes them. */
export const resultCodeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(ResultCode).map(([name, code]) => [code, `DIAMETER_${name}`]),
);

/** The RFC's name of a Result-Code, for people; the number itself when it has none. */
export function resultCodeName(code: number): string {
  return resultCodeNames.get(code) ?? String(code);
}
