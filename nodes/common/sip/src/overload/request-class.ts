import type { AdmissionClass } from "@ims/runtime";
import { tagOf } from "../message/message.ts";
import type { ResourcePriorities } from "../resource-priority/resource-priorities.ts";
import type { RequestHead } from "./request-head.ts";

export type RequestClass = AdmissionClass;

/** From whom a request comes. */
export interface RequestSource {
  /** Inside the trust domain: what it says of priority and integrity is believed. */
  readonly trusted: boolean;
  /** The node before this one has already spent its work on it. */
  readonly inner: boolean;
  /** Over a flow that somebody is registered over. */
  readonly registered: boolean;
  /** The table that decides which Resource-Priority counts; default: any does. */
  readonly priorities?: ResourcePriorities | undefined;
  /** Has that been granted to who sends over this flow? Asked outside the trust domain only. */
  readonly mayClaim?: ((resourcePriority: string) => boolean) | undefined;
  /** Is a Request-URI an emergency number? Default: only service URNs are emergencies. */
  readonly isEmergency?: ((requestUri: string) => boolean) | undefined;
}

const NEVER_SHED: ReadonlySet<string> = new Set(["ACK", "BYE", "CANCEL", "PRACK"]);

/** By the method alone; undefined when that does not decide. Responses are exempt. */
export function classOfStart(text: string): "exempt" | undefined {
  const end = text.indexOf(" ");
  if (end === 7 && text.charCodeAt(0) === 0x53 && text.startsWith("SIP/2.0")) return "exempt";
  return end > 0 && end < 8 && NEVER_SHED.has(text.slice(0, end)) ? "exempt" : undefined;
}

/** What may be shed when: RFC 7339 §5.10.1 with the local policy of an IMS. */
export function classOf(head: RequestHead, source: RequestSource): RequestClass {
  if (NEVER_SHED.has(head.method)) return "exempt";
  if (head.to.includes(";") && tagOf(head.to) !== "") return "exempt";
  if (isEmergency(head) || source.isEmergency?.(head.requestUri) === true) return "exempt";
  if (head.resourcePriority !== "" && (source.priorities?.isExempt(head.resourcePriority) ?? true)) {
    if (source.trusted || source.mayClaim?.(head.resourcePriority) === true) return "exempt";
    // Anybody can write it: it helps those who are known, and is bounded with what they do.
    if (source.registered) return "privileged";
  }
  if (source.trusted && head.method === "OPTIONS" && head.route === "") return "exempt";
  if (source.inner) return "privileged";
  if (head.method === "REGISTER" && isKnown(head.authorization, source)) return "privileged";
  return "normal";
}

/** RFC 5031 service URN; RFC 3261 spells schemes in any case. An emergency registration says so in its Contact (TS 24.229 §5.1.6.2). */
function isEmergency({ method, requestUri, contact }: RequestHead): boolean {
  if ((requestUri.charCodeAt(0) | 0x20) === 0x75 && /^urn:service:sos(?:[.;]|$)/i.test(requestUri))
    return true;
  return method === "REGISTER" && /sos/i.test(contact) && /;\s*sos\s*(?:[;>,]|$)/i.test(contact);
}

/** A re-REGISTER over an authenticated flow, or the answer to a challenge. */
function isKnown(authorization: string, { trusted, registered }: RequestSource): boolean {
  if (registered) return true;
  // As nearly everybody writes it, then as anybody may.
  const at = authorization.indexOf('response="');
  if (at >= 0) {
    if (authorization.charCodeAt(at + 10) !== 0x22) return true;
  } else if (/[\s,]response\s*=\s*"[^"]/i.test(authorization)) return true;
  return trusted && /integrity-protected\s*=\s*"?[a-z-]*yes/i.test(authorization);
}
