import {
  isUsableResponse,
  nextHop,
  parseMessage,
  parseNameAddr,
  parseUri,
  parseVia,
  responseTo,
  type SipMessage,
  splitList,
  topRoute,
  uriKey,
  uriToString,
  validateRequest,
} from "@ims/sip";

const NAME_ADDRS = ["From", "To", "Contact", "Route", "Record-Route", "Path", "P-Asserted-Identity"] as const;

/** Everything a node does with the text of a stranger before it knows what to think of him. */
export function exercise(text: string): SipMessage | undefined {
  const { message } = parseMessage(text);
  if (message === undefined) return undefined;
  for (const strict of [true, false]) validateRequest(message, strict);
  isUsableResponse(message);
  for (const name of NAME_ADDRS)
    for (const value of message.values(name)) {
      const address = parseNameAddr(value);
      if (address !== undefined) uriKey(address.uri);
    }
  for (const value of message.values("Via")) parseVia(value);
  for (const [, value] of message.entries()) splitList(value);
  const uri = parseUri(message.requestUri);
  if (uri !== undefined) parseUri(uriToString(uri));
  topRoute(message);
  nextHop(message);
  void [
    message.callId,
    message.fromTag,
    message.toTag,
    message.cseqNumber,
    message.cseqMethod,
    message.length,
  ];
  responseTo(message, 400, { toTag: "tag" }).toString();
  message.clone().replaceTop("Via", undefined).replaceTop("Route", "<sip:a;lr>").toString();
  message.toString();
  return message;
}
