import type { SipMessage } from "../message/message.ts";
import { locateUri } from "../message/name-addr.ts";
import { parseUri, type Uri } from "../message/uri.ts";

/** URI of the top Route, if any; `malformed` when it is there but unreadable. */
export function topRoute(request: SipMessage): Uri | undefined | "malformed" {
  const value = request.top("Route");
  if (value === undefined) return undefined;
  const located = locateUri(value);
  if (located === undefined) return "malformed";
  return parseUri(value.slice(located.start, located.end)) ?? "malformed";
}

/** RFC 3261 §16.6 step 7: the top Route, else the Request-URI. */
export function nextHop(request: SipMessage): Uri | undefined {
  const route = topRoute(request);
  if (route === "malformed") return undefined;
  return route ?? parseUri(request.requestUri);
}
