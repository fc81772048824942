import type { SipMessage } from "@ims/sip";
import type { AccessFlow } from "./flow-table.ts";
import type { PcscfModules } from "./modules.ts";
import type { Registration } from "./registration.ts";
import { type OwnRoute, routeSetKey } from "./routes.ts";

/** Requests of these methods make no dialog: staying in their path would serve nobody (TS 24.229 §5.2.6.3.7). */
const STANDALONE: ReadonlySet<string> = new Set(["MESSAGE", "OPTIONS", "PUBLISH", "INFO", "BYE", "PRACK"]);

type Parts = Pick<PcscfModules, "tokens" | "settings">;

/**
 * Double Record-Route of a request from the UE (RFC 5658 §3.2): the trusted side's value, then the access side's with the
 * flow token and its owner.
 */
export function recordRouteFromUe(
  request: SipMessage,
  access: AccessFlow,
  registration: Registration | undefined,
  { settings }: Parts,
  media = "",
): void {
  if (STANDALONE.has(request.method)) return;
  const user = userOf(access.token, "", registration?.owner ?? "", media);
  request.prepend("Record-Route", `<sip:${settings.coreHostPort};lr>, <sip:${user}${access.recordRouteTail}`);
}

/**
 * The UE gets our access-side value with the mark of its dialog and of the route set behind us, as this response shows it
 * (RFC 3261 §16.7 step 8: a proxy may rewrite its own value).
 */
export function markForUe(response: SipMessage, access: AccessFlow, { tokens }: Parts): void {
  if (response.status >= 300 || !response.has("Record-Route")) return;
  const values = response.values("Record-Route");
  const own = values.pop();
  if (own === undefined || !own.startsWith(`<sip:${access.token}`)) return;
  const after = own.slice(5 + access.token.length, own.indexOf("@"));
  if (after !== "" && !after.startsWith("..")) return;
  const dot = after.indexOf(".", 2);
  const owner = dot < 0 ? after.slice(2) : after.slice(2, dot);
  const media = dot < 0 ? "" : after.slice(dot + 1);
  const behind = values.slice(0, -1).reverse();
  const user = userOf(access.token, markOf(tokens, access, owner, response.callId, behind), owner, media);
  values.push(`<sip:${user}${access.recordRouteTail}`);
  response.set("Record-Route", values.join(", "));
}

/** Double Record-Route of a request to the UE: here what lies behind us is known at once. */
export function recordRouteToUe(
  request: SipMessage,
  access: AccessFlow,
  registration: Registration | undefined,
  { tokens, settings }: Parts,
  media = "",
): void {
  if (STANDALONE.has(request.method)) return;
  const owner = registration?.owner ?? "";
  const mark = markOf(tokens, access, owner, request.callId, request.values("Record-Route"));
  const user = userOf(access.token, mark, owner, media);
  request.prepend("Record-Route", `<sip:${user}${access.recordRouteTail}, <sip:${settings.coreHostPort};lr>`);
}

/**
 * User part of our access-side value: token, mark of the dialog, owner, media session; what is missing at the end goes with its dot. The
 * mark does not cover the media session: with another one a UE could end its own call's media only.
 */
function userOf(token: string, mark: string, owner: string, media: string): string {
  if (media !== "") return `${token}.${mark}.${owner}.${media}`;
  if (owner !== "") return `${token}.${mark}.${owner}`;
  return mark === "" ? token : `${token}.${mark}`;
}

/** Was this mark made for that token and owner, this dialog and this route set? */
export function isMarkOf(
  { mark, token, owner }: OwnRoute,
  callId: string,
  routeSet: string,
  tokens: PcscfModules["tokens"],
): boolean {
  return tokens.isMark(mark, owner === "" ? token : `${token}.${owner}`, callId, routeSet);
}

/** A route set that no UE may follow gives a mark that no request can show. */
function markOf(
  tokens: PcscfModules["tokens"],
  access: AccessFlow,
  owner: string,
  callId: string,
  behind: readonly string[],
): string {
  const what = owner === "" ? access.token : `${access.token}.${owner}`;
  return tokens.mark(what, callId, routeSetKey(behind) ?? "?");
}
