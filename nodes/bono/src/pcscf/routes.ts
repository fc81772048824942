import { locateUri, parseUri, type SipMessage } from "@ims/sip";
import type { OwnUris } from "./own-uris.ts";

/** A Route value of ours that was taken off. */
export interface OwnRoute {
  readonly side: "access" | "core";
  /** Flow token in the user part, "" when there is none. */
  readonly token: string;
  /** Dialog mark behind the token, "" when there is none. */
  readonly mark: string;
  /** Who the flow belonged to, behind the mark; "" when that was not known. */
  readonly owner: string;
}

/** Takes the first Route value off if it is ours. */
export function popOwnRoute(request: SipMessage, own: OwnUris): OwnRoute | undefined {
  const route = request.routes[0]?.uri;
  const side = route === undefined ? undefined : own.sideOf(route);
  if (route === undefined || side === undefined) return undefined;
  request.popRoute();
  const [token = "", mark = "", owner = ""] = route.user.split(".", 3);
  return { side, token, mark, owner };
}

/**
 * Route or Record-Route values as the dialog mark covers them: scheme, user, host and port of each. UEs print URI parameters
 * in an order of their own. Undefined when a value could lead elsewhere (maddr) or cannot be read.
 */
export function routeSetKey(values: readonly string[]): string | undefined {
  let key = "";
  for (const value of values) {
    // Read as whoever forwards by it reads it: a display name may look like a URI.
    const located = locateUri(value);
    if (located === undefined) return undefined;
    const { start, end } = located;
    const semicolon = value.indexOf(";", Math.max(start, value.indexOf("@", start)));
    if (semicolon < 0 || semicolon > end) key += `${value.slice(start, end)}\n`;
    else {
      if (leadsElsewhere(value.slice(start, end), value.slice(semicolon, end))) return undefined;
      key += `${value.slice(start, semicolon)}\n`;
    }
  }
  return key;
}

/** Has a URI the parameter maddr, maybe in escapes (RFC 3261 §19.1.4)? */
function leadsElsewhere(uri: string, parameters: string): boolean {
  if (parameters.includes("%")) return parseUri(uri)?.parameters.has("maddr") ?? true;
  return parameters.toLowerCase().includes("maddr");
}
