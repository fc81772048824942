import { SIP_METHODS, type SipMessage } from "@ims/sip";
import type { Peer } from "./peers.ts";

/** Why a request is not passed on: TS 24.229 §5.10.6. */
export interface ScreeningFault {
  readonly status: 405 | 415 | 488;
  readonly why: "method" | "body" | "media";
  readonly header?: { readonly name: "Allow" | "Accept"; readonly value: string };
}

/** A method that this peer may not send. */
export function foreignMethod(request: SipMessage, { methods }: Peer): ScreeningFault | undefined {
  if (methods === undefined || methods.has(request.method)) return undefined;
  const value = SIP_METHODS.filter((method) => methods.has(method)).join(", ");
  return { status: 405, why: "method", header: { name: "Allow", value } };
}

/** A body, or a kind of media in it, that was not agreed: TS 24.229 §5.10.6.3. Most agreements restrict nothing. */
export function foreignBody(
  request: SipMessage,
  { bodyTypes, mediaTypes }: Peer,
): ScreeningFault | undefined {
  if ((bodyTypes === undefined && mediaTypes === undefined) || request.body === "") return undefined;
  const type = mediaTypeOf(request);
  if (bodyTypes !== undefined && !bodyTypes.has(type))
    return { status: 415, why: "body", header: { name: "Accept", value: [...bodyTypes].join(", ") } };
  const foreign = mediaTypes !== undefined && type === "application/sdp" && !allAre(mediaTypes, request.body);
  return foreign ? { status: 488, why: "media" } : undefined;
}

/** A body that was not agreed does not go on with an answer. */
export function screenAnswer(response: SipMessage, { bodyTypes }: Peer): void {
  if (bodyTypes === undefined || response.body === "" || bodyTypes.has(mediaTypeOf(response))) return;
  response.remove("Content-Type").remove("Content-Encoding").remove("Content-Disposition").setBody("");
}

function mediaTypeOf(message: SipMessage): string {
  return (message.header("Content-Type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Are all "m=" lines of these kinds? A stream that is refused (port 0) does not count. */
function allAre(mediaTypes: ReadonlySet<string>, sdp: string): boolean {
  for (const [, media = "", port] of sdp.matchAll(/^m=([^\s]+) ([0-9]+)/gm))
    if (port !== "0" && !mediaTypes.has(media.toLowerCase())) return false;
  return true;
}
