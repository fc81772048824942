import { type ResultAvps, resultOf } from "../base/result.ts";
import { THREE_GPP } from "../codec/avp.ts";

/** Experimental-Result-Code values of Cx/Dx: TS 29.229 §6.2, vendor 10415. */
export const CxResultCode = {
  FIRST_REGISTRATION: 2001,
  SUBSEQUENT_REGISTRATION: 2002,
  UNREGISTERED_SERVICE: 2003,
  SUCCESS_SERVER_NAME_NOT_STORED: 2004,
  ERROR_USER_UNKNOWN: 5001,
  ERROR_IDENTITIES_DONT_MATCH: 5002,
  ERROR_IDENTITY_NOT_REGISTERED: 5003,
  ERROR_ROAMING_NOT_ALLOWED: 5004,
  ERROR_IDENTITY_ALREADY_REGISTERED: 5005,
  ERROR_AUTH_SCHEME_NOT_SUPPORTED: 5006,
  ERROR_IN_ASSIGNMENT_TYPE: 5007,
  ERROR_TOO_MUCH_DATA: 5008,
  ERROR_NOT_SUPPORTED_USER_DATA: 5009,
  ERROR_FEATURE_UNSUPPORTED: 5011,
  ERROR_SERVING_NODE_FEATURE_UNSUPPORTED: 5012,
} as const;
export type CxResultCode = (typeof CxResultCode)[keyof typeof CxResultCode];

const names: ReadonlyMap<number, keyof typeof CxResultCode> = new Map(
  Object.entries(CxResultCode).map(([name, code]) => [code, name as keyof typeof CxResultCode]),
);

/** Their names as TS 29.229 writes them. */
export const cxResultNames: ReadonlyMap<number, string> = new Map(
  Object.entries(CxResultCode).map(([name, code]) => [code, `DIAMETER_${name}`]),
);

/** The AVPs of an answer with a Cx result: `return { ...cxResult("ERROR_USER_UNKNOWN") }`. */
export function cxResult(name: keyof typeof CxResultCode): Required<Pick<ResultAvps, "experimentalResult">> {
  return { experimentalResult: { vendorId: THREE_GPP, experimentalResultCode: CxResultCode[name] } };
}

/** The Cx result of an answer by name; undefined when the answer has a Result-Code or another vendor's result. */
export function cxResultOf(avps: ResultAvps): keyof typeof CxResultCode | undefined {
  const { code, vendorId } = resultOf(avps);
  return vendorId === THREE_GPP ? names.get(code) : undefined;
}
