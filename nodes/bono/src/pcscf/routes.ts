import { parseUri, type SipMessage, type Uri } from "@ims/sip";
import type { OwnUris } from "./own-uris.ts";

/** A Route value of ours that was taken off. */
export interface OwnRoute {
  readonly side: "access" | "core";
  /** Flow token in the user part, "" when there is none. */
  readonly token: string;
  /** Dialog mark behind the token, "" when there is none. */
  readonly mark: string;
}

/** URI of the first Route value, or undefined when there is none that can be read. */
export function firstRoute(request: SipMessage): Uri | undefined {
  const value = request.top("Route");
  if (value === undefined) return undefined;
  const open = value.indexOf("<");
  return parseUri(open < 0 ? value : value.slice(open + 1, value.indexOf(">", open)));
}

/** Takes the first Route value off if it is ours. */
export function popOwnRoute(request: SipMessage, own: OwnUris): OwnRoute | undefined {
  const route = firstRoute(request);
  const side = route === undefined ? undefined : own.sideOf(route);
  if (route === undefined || side === undefined) return undefined;
  request.replaceTop("Route", undefined);
  const dot = route.user.indexOf(".");
  return dot < 0
    ? { side, token: route.user, mark: "" }
    : { side, token: route.user.slice(0, dot), mark: route.user.slice(dot + 1) };
}
