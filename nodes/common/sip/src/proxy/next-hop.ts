import type { SipMessage } from "../message/message.ts";
import type { Uri } from "../message/uri.ts";

/** URI of the top Route, if any; `malformed` when it is there but unreadable. */
export function topRoute(request: SipMessage): Uri | undefined | "malformed" {
  const first = request.routes[0];
  return first === undefined ? undefined : (first.uri ?? "malformed");
}

/** RFC 3261 §16.6 step 7: the top Route, else the Request-URI. */
export function nextHop(request: SipMessage): Uri | undefined {
  const route = topRoute(request);
  if (route === "malformed") return undefined;
  return route ?? request.target;
}
