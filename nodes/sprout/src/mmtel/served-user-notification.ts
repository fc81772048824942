import { randomUUID } from "node:crypto";
import { parseNameAddr, type RequestOriginator, SipMessage, type Uri, uriToString } from "@ims/sip";
import { Cause } from "./history-info.ts";
import type { Diversion } from "./modules.ts";
import { isAnonymous } from "./privacy.ts";

export interface NotificationModules {
  /** URI of the application server, from whom the user hears. */
  readonly uri: string;
  readonly side: string;
  readonly originate: RequestOriginator["originate"];
}

const WHY: Readonly<Record<Cause, string>> = {
  [Cause.UNCONDITIONAL]: "all calls",
  [Cause.NOT_REGISTERED]: "not registered",
  [Cause.NO_REPLY]: "no answer",
  [Cause.DEFLECTION_IMMEDIATE]: "deflected",
  [Cause.BUSY]: "busy",
  [Cause.DEFLECTION_WHILE_ALERTING]: "deflected",
  [Cause.NOT_REACHABLE]: "not reachable",
};

/** Tells the diverting user of a call that went elsewhere: TS 24.604 §4.5.2.6, notify-served-user. */
export function notifyOfDiversion(
  { request, served, target, cause }: Diversion,
  modules: NotificationModules,
): void {
  const caller = isAnonymous(request) ? "anonymous" : callerOf(request);
  sendTo(served.impu, request, `Call from ${caller} diverted to ${target} (${WHY[cause]})`, modules);
}

/** Reminds a user who calls somebody that his own calls are diverted: TS 24.604 §4.5.2.6, notify-served-user-on-outbound-call. */
export function remindOfDiversion(
  request: SipMessage,
  impu: string,
  target: string,
  modules: NotificationModules,
): void {
  sendTo(impu, request, `Your calls are diverted to ${target}`, modules);
}

/** A MESSAGE (RFC 3428) by the S-CSCF that sent the call; what becomes of it is nobody's concern. */
function sendTo(impu: string, request: SipMessage, text: string, modules: NotificationModules): void {
  const { uri, side, originate } = modules;
  // Below our own Route stands that of the S-CSCF.
  const scscf = request.routes[1]?.uri;
  const message = SipMessage.request("MESSAGE", impu)
    .append("From", `<${uri}>;tag=${randomUUID().slice(0, 8)}`)
    .append("To", `<${impu}>`)
    .append("Call-ID", randomUUID())
    .append("CSeq", "1 MESSAGE")
    .append("P-Asserted-Identity", `<${uri}>`);
  const icid = /icid-value=(?:"[^"]*"|[^;\s]+)/i.exec(request.header("P-Charging-Vector") ?? "")?.[0];
  if (icid !== undefined) message.append("P-Charging-Vector", icid);
  if (scscf !== undefined) message.append("Route", `<${withoutUser(scscf)}>`);
  message.setBody(text, "text/plain");
  originate(message, { kind: "uri", side }, { onFinal: () => undefined });
}

function callerOf(request: SipMessage): string {
  const value = request.top("P-Asserted-Identity") ?? request.header("From") ?? "";
  return parseNameAddr(value)?.uriText ?? "somebody";
}

/** Terminating services of the user, not the chain of the call. */
function withoutUser(uri: Uri): string {
  return uriToString({ ...uri, user: "" }).replace(/;orig(?=[;>]|$)/i, "");
}
