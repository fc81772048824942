import type { SipMessage } from "@ims/sip";
import type { Ue } from "./ue.ts";

/** One end of a dialog: RFC 3261 §12. */
export interface Dialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
  cseq: number;
}

/** From the 2xx to one's INVITE: RFC 3261 §12.1.2. */
export function callerDialog(invite: SipMessage, answer: SipMessage): Dialog {
  return {
    callId: invite.callId,
    local: invite.header("From") ?? "",
    remote: answer.header("To") ?? "",
    target: uriOf(answer.top("Contact") ?? invite.requestUri),
    routes: answer.values("Record-Route").reverse(),
    cseq: invite.cseqNumber,
  };
}

/** From an INVITE one answers: RFC 3261 §12.1.1. */
export function calleeDialog(invite: SipMessage, tag: string): Dialog {
  return {
    callId: invite.callId,
    local: `${invite.header("To") ?? ""};tag=${tag}`,
    remote: invite.header("From") ?? "",
    target: uriOf(invite.top("Contact") ?? ""),
    routes: invite.values("Record-Route"),
    cseq: 0,
  };
}

/** A request inside the dialog: RFC 3261 §12.2.1.1. An ACK takes the number of its INVITE. */
export function inDialog(ue: Ue, dialog: Dialog, method: string): SipMessage {
  if (method !== "ACK") dialog.cseq++;
  const request = ue.request(method, dialog.target, {
    from: dialog.local,
    to: dialog.remote,
    callId: dialog.callId,
    cseq: dialog.cseq,
  });
  for (const route of dialog.routes) request.append("Route", route);
  return request;
}

function uriOf(nameAddr: string): string {
  return /<([^>]*)>/.exec(nameAddr)?.[1] ?? nameAddr.replace(/;.*/, "");
}
