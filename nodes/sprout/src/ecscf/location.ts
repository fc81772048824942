import { Parameters, type SipMessage } from "@ims/sip";
import { locationBody } from "./location-body.ts";
import { pidfLocation } from "./pidf-lo.ts";

/** A place as routes to PSAPs know it. */
export type Location =
  /** Identity of a cell or another access point, in lower case. */
  | { readonly kind: "cell"; readonly cell: string }
  /** country, A1 to A6 (RFC 4776), in lower case, without what is missing at the end. */
  | { readonly kind: "civic"; readonly area: readonly string[] }
  /** WGS 84, degrees. */
  | { readonly kind: "point"; readonly latitude: number; readonly longitude: number };

/** P-Access-Network-Info parameters that say where: RFC 7315 §5.4, TS 24.229 §7.2A.4. */
const PLACES = [
  "utran-cell-id-3gpp",
  "cgi-3gpp",
  "utran-sai-3gpp",
  "ci-3gpp2",
  "ci-3gpp2-femto",
  "i-wlan-node-id",
  "dsl-location",
  "eth-location",
  "fiber-location",
  "gstn-location",
  "dvb-rcs2-node-id",
] as const;
const MAX_VALUES = 8;
const MAX_CELL = 128;

/**
 * Where the caller is, what is most to be believed first: TS 24.229 §5.11.2. What the network says of the access, then the location
 * by value (RFC 6442, PIDF-LO), then what the UE says of the access. Nothing that cannot be read stands in the way of the call.
 */
export function locationsOf(request: SipMessage): readonly Location[] {
  const ofNetwork: Location[] = [];
  const ofUe: Location[] = [];
  for (const value of request.values("P-Access-Network-Info").slice(0, MAX_VALUES)) {
    const at = value.indexOf(";");
    const parameters = at < 0 ? undefined : Parameters.parse(value, at);
    const place = parameters && PLACES.find((name) => parameters.has(name));
    const cell = place === undefined ? "" : (parameters?.get(place) ?? "").trim().toLowerCase();
    if (cell.length > MAX_CELL || !/^[^"\s]+$/.test(cell)) continue;
    (parameters?.has("network-provided") ? ofNetwork : ofUe).push({ kind: "cell", cell });
  }
  return [...ofNetwork, ...byValue(request), ...ofUe];
}

function byValue(request: SipMessage): readonly Location[] {
  if (!request.has("Content-Type")) return [];
  // Deviates from RFC 6442 §4.2, where a missing Geolocation-Routing means no: a UE may forget it, and a caller in need wants to be found.
  if (request.lines("Geolocation-Routing").some((value) => value.trim().toLowerCase() === "no")) return [];
  const document = locationBody(request);
  return document === undefined ? [] : pidfLocation(document);
}
