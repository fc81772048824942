import { parseNameAddr, type SipMessage } from "@ims/sip";
import type { IbcfModules } from "./modules.ts";
import type { Peer } from "./peers.ts";

/** Requests of these methods make no dialog. */
const STANDALONE: ReadonlySet<string> = new Set([
  ...["MESSAGE", "OPTIONS", "PUBLISH", "INFO", "BYE", "PRACK", "REGISTER", "UPDATE"],
]);

type Parts = Pick<IbcfModules, "own" | "hiding" | "settings">;

/** May a dialog come of this request? RFC 6665 §4.3: of a NOTIFY too, whatever it came in. */
export function makesDialog(request: SipMessage): boolean {
  return !STANDALONE.has(request.method) && (request.toTag === "" || request.method === "NOTIFY");
}

/** The Via values of our network become one that only we can read (TS 24.229 §5.10.4.2). */
export function hideVias(request: SipMessage, { hiding }: Parts): void {
  const token = hiding.seal("via", request.callId, request.values("Via").join(", "));
  request.set("Via", `SIP/2.0/TCP ${hiding.network};branch=z9hG4bK${token};tokenized-by=${hiding.network}`);
}

/** An answer goes back the way of its request, whatever the peer has made of that. */
export function restoreVias(response: SipMessage, request: SipMessage): void {
  if (response.hasSameLines("Via", request)) return;
  response.remove("Via");
  for (const line of request.lines("Via").toReversed()) response.prepend("Via", line);
}

/** The same where the request is known no more: false when the Via is not of our making. */
export function openVias(response: SipMessage, { hiding }: Parts): boolean {
  const branch = response.topVia?.branch ?? "";
  const text = hiding.open("via", response.callId, branch.slice("z9hG4bK".length));
  if (text === undefined || response.values("Via").length !== 1) return false;
  response.remove("Via").prepend("Via", text);
  return true;
}

/** User part of our URI that stands for a way into our network. `routes` in the order in which a Route has them. */
export function hiddenRoute(callId: string, routes: readonly string[], { hiding }: Parts): string {
  return `ibcf.${hiding.seal("route", callId, routes.join(", "))}`;
}

/** Record-Route value for a peer: ours, with everything behind us in its user part. */
export function peerRecordRoute(user: string, hostPort: string, { hiding }: Parts): string {
  return `<sip:${user}@${hostPort};lr>;tokenized-by=${hiding.network}`;
}

/** Record-Route value for our network: it names the peer. */
export function coreRecordRoute(peer: Peer, { settings }: Pick<IbcfModules, "settings">): string {
  return `<sip:ibcf.${peer.name}@${settings.coreHostPort};lr>`;
}

/**
 * Record-Route of a peer's answer as our network knows it: what the peer has put above our value, ours, and what was below
 * it when the request came to us.
 */
export function restoreRecordRoute(
  response: SipMessage,
  { request, user, peer }: { readonly request: SipMessage; readonly user: string; readonly peer: Peer },
  parts: Parts,
): void {
  if (!response.has("Record-Route")) return;
  const theirs = response.values("Record-Route");
  const at = theirs.findIndex((value) => value.includes(`:${user}@`));
  if (at >= 0) theirs.length = at;
  const values = [...theirs, coreRecordRoute(peer, parts), ...request.values("Record-Route")];
  response.set("Record-Route", values.join(", "));
}

/** The same where the request is known no more; without a way of our making there is none. */
export function openRecordRoute(response: SipMessage, peer: Peer, parts: Parts): void {
  if (!response.has("Record-Route")) return;
  const { own, hiding } = parts;
  const theirs = response.values("Record-Route");
  for (const [at, value] of theirs.entries()) {
    const uri = parseNameAddr(value)?.uri;
    if (uri === undefined || own.sideOf(uri) !== "peer") continue;
    const routes = hiding.open("route", response.callId, uri.user.slice("ibcf.".length));
    if (routes === undefined) break;
    const values = [...theirs.slice(0, at), coreRecordRoute(peer, parts), ...(routes === "" ? [] : [routes])];
    response.set("Record-Route", values.join(", "));
    return;
  }
  response.remove("Record-Route");
}

/**
 * Record-Route of our network's answer as the peer may see it: ours, with what is above it inside, and the peer's own. Where ours
 * is missing, nothing is shown.
 */
export function hideRecordRoute(response: SipMessage, hostPort: string, peer: Peer, parts: Parts): void {
  if (!response.has("Record-Route")) return;
  const { own } = parts;
  const values = response.values("Record-Route");
  // The lowest one: a call that has left by us again has another of ours above.
  const at = values.findLastIndex((value) => {
    const uri = parseNameAddr(value)?.uri;
    return uri !== undefined && uri.user === `ibcf.${peer.name}` && own.sideOf(uri) === "core";
  });
  response.remove("Record-Route");
  if (at < 0) return;
  const user = hiddenRoute(response.callId, values.slice(0, at).reverse(), parts);
  const ours = peerRecordRoute(user, hostPort, parts);
  response.append("Record-Route", [ours, ...values.slice(at + 1)].join(", "));
}
