import { ResultCode } from "./result-codes.ts";

/** The AVPs of an answer that say how it went. */
export interface ResultAvps {
  readonly resultCode?: number | undefined;
  readonly experimentalResult?:
    | { readonly vendorId: number; readonly experimentalResultCode: number }
    | undefined;
}

/** One result, from wherever it stood. `vendorId` 0: Result-Code; else: Experimental-Result of that vendor. */
export interface Result {
  readonly code: number;
  readonly vendorId: number;
}

/** The result of an answer (RFC 6733 §7.1, §7.6). An answer that says neither reads as 5012. */
export function resultOf(avps: ResultAvps): Result {
  if (avps.resultCode !== undefined) return { code: avps.resultCode, vendorId: 0 };
  const experimental = avps.experimentalResult;
  if (experimental === undefined) return { code: ResultCode.UNABLE_TO_COMPLY, vendorId: 0 };
  return { code: experimental.experimentalResultCode, vendorId: experimental.vendorId };
}

/** 2xxx, in Result-Code or Experimental-Result. */
export function isSuccess(avps: ResultAvps): boolean {
  const { code } = resultOf(avps);
  return code >= 2000 && code < 3000;
}

/** Labels of the thousands of a result code: RFC 6733 §7.1. */
export const resultClasses = [
  "informational",
  "success",
  "protocol",
  "transient",
  "permanent",
  "other",
] as const;
export type ResultClass = (typeof resultClasses)[number];

export function resultClass(code: number): ResultClass {
  return resultClasses[Math.floor(code / 1000) - 1] ?? "other";
}
