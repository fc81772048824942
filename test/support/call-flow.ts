import { responseTo, type SipMessage } from "@ims/sip";
import type { SipUe } from "./sip-ue.ts";

export const SDP =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

/** A call set up by hand, both ends visible. */
export interface EstablishedCall {
  readonly invite: SipMessage;
  readonly answer: SipMessage;
  readonly received: SipMessage;
  /** A request inside the dialog, from the caller or the callee. */
  inDialog(from: "caller" | "callee", method: string): SipMessage;
}

/** INVITE with the Service-Route learnt at registration. */
export function inviteOf(caller: SipUe, uri: string): SipMessage {
  const invite = caller.request("INVITE", uri, { callId: `${caller.callId}-call` });
  for (const route of caller.serviceRoute) invite.append("Route", route);
  invite.append("Contact", caller.contact).append("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE");
  return invite.setBody(SDP, "application/sdp");
}

/** The callee's response to a received request, with its Contact. */
export function reply(
  callee: SipUe,
  request: SipMessage,
  status: number,
  contact = callee.contact,
): SipMessage {
  const response = responseTo(request, status, { toTag: "callee1" });
  response.append("Contact", contact);
  if (status === 200 && request.method === "INVITE") response.setBody(SDP, "application/sdp");
  callee.send(response);
  return response;
}

/** INVITE, 180, 200, ACK. `contact` replaces the callee's Contact in its answers. `callId`: of one of many calls, on its way unchanged. */
export async function establish(
  caller: SipUe,
  callee: SipUe,
  uri: string,
  { contact = callee.contact, callId }: { readonly contact?: string; readonly callId?: string } = {},
): Promise<EstablishedCall> {
  const invite = inviteOf(caller, uri);
  if (callId !== undefined) invite.set("Call-ID", callId);
  const isOfIt = (message: SipMessage): boolean => callId === undefined || message.callId === callId;
  caller.send(invite);
  const received = await callee.expect((message) => message.method === "INVITE" && isOfIt(message), "INVITE");
  reply(callee, received, 180, contact);
  await caller.expect((message) => message.status === 180 && isOfIt(message), "180");
  reply(callee, received, 200, contact);
  const answer = await caller.expect(
    (message) => message.status >= 200 && message.cseqMethod === "INVITE" && isOfIt(message),
    "final response to INVITE",
  );
  if (answer.status !== 200) throw new Error(`INVITE answered ${answer.status}`);
  const call: EstablishedCall = {
    invite,
    answer,
    received,
    inDialog: (from, method) =>
      from === "caller" ? fromCaller(caller, invite, answer, method) : fromCallee(callee, received, method),
  };
  const ack = call.inDialog("caller", "ACK");
  ack.set("CSeq", `${invite.cseqNumber} ACK`);
  caller.send(ack);
  await callee.expect((message) => message.method === "ACK" && isOfIt(message), "ACK");
  return call;
}

function uriOf(nameAddr: string): string {
  return /<([^>]*)>/.exec(nameAddr)?.[1] ?? nameAddr.replace(/;.*/, "");
}

/** RFC 3261 §12.2.1.1: remote target in the Request-URI, route set from Record-Route, reversed at the caller. */
function fromCaller(caller: SipUe, invite: SipMessage, answer: SipMessage, method: string): SipMessage {
  const request = caller.request(method, uriOf(answer.top("Contact") ?? ""), {
    callId: invite.callId,
    from: invite.header("From") ?? "",
    to: answer.header("To") ?? "",
  });
  for (const route of answer.values("Record-Route").reverse()) request.append("Route", route);
  return request.append("Contact", caller.contact);
}

function fromCallee(callee: SipUe, received: SipMessage, method: string): SipMessage {
  const request = callee.request(method, uriOf(received.top("Contact") ?? ""), {
    callId: received.callId,
    from: `${received.header("To")};tag=callee1`,
    to: received.header("From") ?? "",
  });
  for (const route of received.values("Record-Route")) request.append("Route", route);
  return request.append("Contact", callee.contact);
}
