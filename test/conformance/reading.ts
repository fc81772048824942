import assert from "node:assert/strict";
import {
  faultOfUnreadable,
  isUsableResponse,
  parseMessage,
  type SipMessage,
  validateRequest,
} from "@ims/sip";
import { type Facts, fresh, type ParserOutcome, type Torture } from "./torture.ts";

/** Outcome of the SIP stack for one message from outside the trust domain. */
export type Reading =
  | { readonly kind: "accepted"; readonly message: SipMessage }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "dropped" };

export function read(text: string): Reading {
  const parsed = parseMessage(text);
  if (parsed.kind === "invalid") {
    const answerable = parsed.message?.isRequest === true && parsed.message.topVia !== undefined;
    return answerable
      ? { kind: "refused", status: faultOfUnreadable(parsed.fault).status }
      : { kind: "dropped" };
  }
  const { message } = parsed;
  if (!message.isRequest)
    return isUsableResponse(message) ? { kind: "accepted", message } : { kind: "dropped" };
  const fault = validateRequest(message, true);
  if (fault === undefined) return { kind: "accepted", message };
  return message.topVia === undefined ? { kind: "dropped" } : { kind: "refused", status: fault.status };
}

export function factsOf(message: SipMessage): Facts {
  const via = message.topVia;
  const maxForwards = message.header("Max-Forwards");
  return {
    ...(message.isRequest
      ? { method: message.method, requestUri: message.requestUri }
      : { status: message.status, reason: message.reason }),
    via: [via?.transport ?? "", via?.host ?? "", via?.branch ?? ""],
    vias: message.values("Via").length,
    callId: message.callId,
    cseq: message.cseqNumber,
    fromTag: message.fromTag,
    toTag: message.toTag,
    ...(maxForwards === undefined ? {} : { maxForwards: Number(maxForwards) }),
    contacts: message.values("Contact").length,
    body: message.body.length,
  };
}

/** Compares a reading with the expectation; an accepted message must also leave exactly as it came. */
export function checkReading(torture: Torture): void {
  const reading = read(torture.text);
  const outcome: ParserOutcome =
    reading.kind === "accepted"
      ? { kind: "accepted", facts: factsOf(reading.message) }
      : reading.kind === "refused"
        ? { kind: "refused", status: reading.status as 400 | 505 }
        : { kind: "dropped" };
  assert.deepEqual(outcome, torture.parser, torture.why);
  if (reading.kind !== "accepted") return;
  const end = torture.text.indexOf("\r\n\r\n") + 4 + reading.message.body.length;
  assert.equal(reading.message.toString(), torture.text.slice(0, end));
  const other = read(fresh(torture, "x7"));
  assert.equal(other.kind, "accepted", "with fresh identifiers");
}
