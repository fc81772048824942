import { SipMessage } from "./message.ts";
import { reasonPhrase } from "./status.ts";

/**
 * A response of ours to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID, CSeq from the request, To tag when given
 * and absent. Record-Route is copied for 101-299 (RFC 3261 §12.1.1).
 */
export function responseTo(
  request: SipMessage,
  status: number,
  options: { toTag?: string; reason?: string } = {},
): SipMessage {
  const response = SipMessage.response(status, options.reason ?? reasonPhrase(status));
  response.copy("Via", request).copy("From", request);
  const to = request.header("To");
  if (to !== undefined)
    response.append(
      "To",
      options.toTag !== undefined && request.toTag === "" ? `${to};tag=${options.toTag}` : to,
    );
  response.copy("Call-ID", request).copy("CSeq", request);
  if (status === 100) response.copy("Timestamp", request);
  else if (status < 300) response.copy("Record-Route", request);
  return response.append("Content-Length", "0");
}
