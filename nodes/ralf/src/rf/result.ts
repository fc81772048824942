import { type Outcome, ResultCode, resultCodeName } from "@ims/diameter";
import type { Acr } from "@ims/diameter/rf";

/** What an answer, or its absence, means for a record. */
export type Verdict =
  | { readonly kind: "accepted"; readonly interimSeconds: number | undefined }
  /** This record, or the CDF with it: again later, a few times. */
  | { readonly kind: "postponed"; readonly result: string }
  /** Never. */
  | { readonly kind: "refused"; readonly result: string }
  /** No CDF works: all records wait. `sent`: it may have arrived. */
  | { readonly kind: "unanswered"; readonly sent: boolean; readonly reason: string };

/** Permanent failures (RFC 6733 §7.1.5) that say something about the CDF of now rather than about the record. */
const MAY_PASS: ReadonlySet<number> = new Set([
  ResultCode.UNABLE_TO_COMPLY,
  ResultCode.RESOURCES_EXCEEDED,
  ResultCode.AUTHORIZATION_REJECTED,
]);
/** Nobody at the other end wants anything now. */
const NOT_NOW: ReadonlySet<number> = new Set([
  ResultCode.UNABLE_TO_DELIVER,
  ResultCode.TOO_BUSY,
  ResultCode.REALM_NOT_SERVED,
  ResultCode.APPLICATION_UNSUPPORTED,
  ResultCode.LOOP_DETECTED,
  ResultCode.OUT_OF_SPACE,
]);

/** How an accounting request went: RFC 6733 §9.4, TS 32.299 §6.1.3. */
export function verdictOf(outcome: Outcome<typeof Acr>): Verdict {
  if (outcome.kind === "timeout") return { kind: "unanswered", sent: true, reason: "no answer in time" };
  if (outcome.kind === "unavailable") {
    const { cause } = outcome;
    if (cause === "tooLong") return { kind: "refused", result: "longer than a Diameter message" };
    // Something answers, only not this: the others need not wait.
    if (cause === "malformedAnswer") return { kind: "postponed", result: "a malformed answer" };
    const sent = cause !== "noPeer" && cause !== "tooManyRequests";
    return { kind: "unanswered", sent, reason: cause };
  }
  const { code, vendorId } = outcome.result;
  const result = vendorId === 0 ? resultCodeName(code) : `${code} of vendor ${vendorId}`;
  if (code >= 2000 && code < 3000)
    return { kind: "accepted", interimSeconds: outcome.avps.acctInterimInterval };
  if (vendorId === 0 && NOT_NOW.has(code)) return { kind: "unanswered", sent: false, reason: result };
  // 4xxx asks for another try (§7.1.4).
  if ((code >= 4000 && code < 5000) || (vendorId === 0 && MAY_PASS.has(code)))
    return { kind: "postponed", result };
  return { kind: "refused", result };
}
