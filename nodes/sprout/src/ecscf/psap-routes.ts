import { emergencyService, widerServices } from "@ims/ims";
import { parseUri, type Uri } from "@ims/sip";
import { z } from "zod";
import type { TableResult } from "../routing/followed-file.ts";
import { PrefixTable } from "../routing/prefix-table.ts";
import type { Location } from "./location.ts";

/** A PSAP, or the way to it. */
export type Psap =
  /** Over IP: the Request-URI stays the service URN, this is its Route (TS 24.229 §5.11.2). */
  | { readonly kind: "route"; readonly route: string }
  /** In the PSTN: the Request-URI becomes this, and the BGCF has it. */
  | { readonly kind: "number"; readonly uri: string };

const degrees = (most: number) => z.number().min(-most).max(most);
const psaps = z.array(z.string()).min(1);

const entry = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  /** "sos.police"; default: every emergency service. */
  service: z.string().optional(),
  /** What the identity of a cell or access point begins with. */
  cell: z.string().min(1).max(128).toLowerCase().optional(),
  /** "DE/BE": country and further levels of a civic address. */
  area: z.string().min(1).max(512).toLowerCase().optional(),
  /** Degrees; east may be less than west, over the date line. */
  box: z
    .strictObject({ south: degrees(90), west: degrees(180), north: degrees(90), east: degrees(180) })
    .optional(),
  psap: psaps,
});

/** File of --emergency-file. */
export const emergencyFile = z.strictObject({ default: psaps, routes: z.array(entry).default([]) });

type Box = NonNullable<z.output<typeof entry>["box"]>;

interface ServiceRoutes {
  readonly cells: PrefixTable<readonly Psap[]>;
  readonly areas: Map<string, readonly Psap[]>;
  /** The smallest first. */
  readonly boxes: { readonly box: Box; readonly psaps: readonly Psap[] }[];
  anywhere: readonly Psap[] | undefined;
}

export interface PsapChoice {
  /** In the order they are tried; never empty. */
  readonly psaps: readonly Psap[];
  /** Was a route for the location found? */
  readonly located: boolean;
}

/** Which PSAP serves which service where: TS 24.229 §5.11.2. */
export class PsapRoutes {
  readonly #services = new Map<string, ServiceRoutes>();
  readonly #fallback: readonly Psap[];

  constructor(fallback: readonly Psap[]) {
    this.#fallback = fallback;
  }

  /**
   * A route for the location, of the service itself before one of the wider service (RFC 5031 §4.2); else the service's route for anywhere;
   * else the default. Locations count in their order; of a kind the longest prefix or the smallest box.
   */
  find(service: string, locations: readonly Location[]): PsapChoice {
    const services = widerServices(service)
      .map((name) => this.#services.get(name))
      .filter((one) => one !== undefined);
    for (const routes of services)
      for (const location of locations) {
        const psaps = inPlace(routes, location);
        if (psaps !== undefined) return { psaps, located: true };
      }
    const anywhere = services.find((routes) => routes.anywhere !== undefined)?.anywhere;
    return { psaps: anywhere ?? this.#fallback, located: false };
  }

  /** The routes of a service, made when there are none. */
  of(service: string): ServiceRoutes {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const fresh: ServiceRoutes = {
      cells: new PrefixTable(),
      areas: new Map(),
      boxes: [],
      anywhere: undefined,
    };
    this.#services.set(service, fresh);
    return fresh;
  }

  settle(): void {
    for (const { boxes } of this.#services.values()) boxes.sort((a, b) => sizeOf(a.box) - sizeOf(b.box));
  }
}

function inPlace(routes: ServiceRoutes, location: Location): readonly Psap[] | undefined {
  switch (location.kind) {
    case "cell":
      return routes.cells.find(location.cell)?.value;
    case "civic":
      for (let levels = location.area.length; levels > 0; levels--) {
        const found = routes.areas.get(location.area.slice(0, levels).join("/"));
        if (found !== undefined) return found;
      }
      return undefined;
    case "point":
      return routes.boxes.find(({ box }) => isInside(box, location))?.psaps;
  }
}

function isInside(
  { south, west, north, east }: Box,
  { latitude, longitude }: Location & { kind: "point" },
): boolean {
  if (latitude < south || latitude > north) return false;
  return west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east;
}

function sizeOf({ south, west, north, east }: Box): number {
  return (north - south) * (west <= east ? east - west : 360 + east - west);
}

/** Checks what a schema cannot: what an entry is for, its URIs, and that nothing is there twice. `breaksOut`: there is a BGCF for numbers. */
export function makePsapRoutes(
  breaksOut: boolean,
): (file: z.output<typeof emergencyFile>) => TableResult<PsapRoutes> {
  return (file) => {
    const bad = (problem: string): TableResult<PsapRoutes> => ({ kind: "bad", problem });
    const fallback = psapsOf(file.default, breaksOut);
    if (typeof fallback === "string") return bad(`default${fallback}`);
    const table = new PsapRoutes(fallback);
    for (const [index, one] of file.routes.entries()) {
      const problem = add(table, one, breaksOut);
      if (problem !== undefined) return bad(`routes.${index}${problem}`);
    }
    table.settle();
    return { kind: "table", table };
  };
}

function add(table: PsapRoutes, one: z.output<typeof entry>, breaksOut: boolean): string | undefined {
  const name = (one.service ?? "sos").replace(/^urn:service:/i, "").toLowerCase();
  const service = emergencyService(`urn:service:${name}`);
  if (service !== `urn:service:${name}`) return `.service: "${one.service}" is no service of urn:service:sos`;
  const places = [one.cell, one.area, one.box].filter((place) => place !== undefined);
  if (places.length > 1) return ": write one of cell, area and box";
  if (places.length === 0 && one.service === undefined)
    return ": write a cell, area, box or service; what is for all the rest is the default";
  const psaps = psapsOf(one.psap, breaksOut);
  if (typeof psaps === "string") return `.psap${psaps}`;
  const routes = table.of(service);
  const twice = `: ${one.cell ?? one.area ?? one.service ?? ""} is there already`;
  if (one.cell !== undefined) return routes.cells.add(one.cell, psaps) ? undefined : twice;
  if (one.area !== undefined) {
    const area = one.area
      .split("/")
      .map((level) => level.trim())
      .join("/")
      .replace(/\/+$/, "");
    if (area === "" || routes.areas.has(area)) return area === "" ? ".area: begins with a country" : twice;
    routes.areas.set(area, psaps);
    return undefined;
  }
  if (one.box !== undefined) {
    if (one.box.south > one.box.north) return ".box: south is north of north";
    routes.boxes.push({ box: one.box, psaps });
    return undefined;
  }
  if (routes.anywhere !== undefined) return twice;
  routes.anywhere = psaps;
  return undefined;
}

function psapsOf(texts: readonly string[], breaksOut: boolean): readonly Psap[] | string {
  const found: Psap[] = [];
  for (const [at, text] of texts.entries()) {
    const bare = /^<(.*)>$/.exec(text.trim())?.[1] ?? text.trim();
    const uri = parseUri(bare);
    if (uri === undefined || !isSipOrTel(uri)) return `.${at}: "${text}" is neither a SIP nor a tel URI`;
    if (uri.scheme === "tel" || /^phone$/i.test(uri.parameters.get("user") ?? "")) {
      if (!breaksOut) return `.${at}: a number needs a BGCF: give its routes with --bgcf-file`;
      found.push({ kind: "number", uri: bare });
    } else found.push({ kind: "route", route: uri.parameters.has("lr") ? `<${bare}>` : `<${bare};lr>` });
  }
  return found;
}

function isSipOrTel({ scheme, headers }: Uri): boolean {
  return (scheme === "sip" || scheme === "sips" || scheme === "tel") && headers === "";
}
