import type { EvaluatedRequest, RegistrationType, SessionCase } from "@ims/ims";
import type { SipMessage } from "@ims/sip";

/** RFC 3261 §7.3.3 and the registry of IANA: names in their long form for expressions on names. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ["a", "Accept-Contact"],
  ["b", "Referred-By"],
  ["c", "Content-Type"],
  ["d", "Request-Disposition"],
  ["e", "Content-Encoding"],
  ["f", "From"],
  ["i", "Call-ID"],
  ["j", "Reject-Contact"],
  ["k", "Supported"],
  ["l", "Content-Length"],
  ["m", "Contact"],
  ["o", "Event"],
  ["r", "Refer-To"],
  ["s", "Subject"],
  ["t", "To"],
  ["u", "Allow-Events"],
  ["v", "Via"],
  ["x", "Session-Expires"],
  ["y", "Identity"],
]);

/** A request as the service point triggers see it: TS 29.228 §B.2.3. */
export function triggerRequest(
  request: SipMessage,
  served: {
    readonly sessionCase: SessionCase;
    readonly registered: boolean;
    readonly registrationType?: RegistrationType;
  },
): EvaluatedRequest {
  let sdp: string | undefined | null = null;
  return {
    // A CANCEL whose INVITE another member of the pool has goes where that went.
    method: request.method === "CANCEL" ? "INVITE" : request.method,
    requestUri: request.requestUri,
    sessionCase: served.sessionCase,
    registered: served.registered,
    registrationType: served.registrationType,
    get sdp() {
      if (sdp === null) sdp = sessionDescription(request);
      return sdp;
    },
    header: (name) => request.lines(name),
    headerNames: () => [...request.entries()].map(([name]) => COMPACT.get(name.toLowerCase()) ?? name),
  };
}

/** The body, or its first part, of type application/sdp. */
function sessionDescription(request: SipMessage): string | undefined {
  const type = request.lines("Content-Type")[0]?.toLowerCase() ?? "";
  if (type.startsWith("application/sdp")) return request.body;
  if (!type.startsWith("multipart/")) return undefined;
  const { body } = request;
  const boundary = /^--[^\r\n]+/m.exec(body.slice(0, 2_048))?.[0];
  if (boundary === undefined) return undefined;
  for (const part of body.split(boundary)) {
    const end = part.indexOf("\r\n\r\n");
    if (end >= 0 && /^content-type\s*:\s*application\/sdp/im.test(part.slice(0, end)))
      return part.slice(end + 4);
  }
  return undefined;
}
