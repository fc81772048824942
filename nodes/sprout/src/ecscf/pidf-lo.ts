import { readXmlDocument, type XmlElement } from "@ims/ims";
import type { Location } from "./location.ts";

const GEOPRIV = "urn:ietf:params:xml:ns:pidf:geopriv10";
const CIVIC = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr";
const GML = "http://www.opengis.net/gml";
const LEVELS = ["country", "A1", "A2", "A3", "A4", "A5", "A6"] as const;
const MAX_LEVEL = 128;
/** Corners of a polygon that are looked at. */
const MAX_CORNERS = 64;

/** Civic addresses and points of a PIDF-LO document (RFC 4119, RFC 5139, RFC 5491); none when it cannot be read. Of an area its middle counts. */
export function pidfLocation(document: string): readonly Location[] {
  const read = readXmlDocument(document);
  if (read.kind === "wrong") return [];
  const found: Location[] = [];
  for (const info of elementsNamed(read.root, GEOPRIV, "location-info"))
    for (const shape of info.children) {
      const location = shape.namespace === CIVIC ? civic(shape) : point(shape);
      if (location !== undefined) found.push(location);
    }
  // RFC 5491 §3.3 wants the most exact one first; for a PSAP the civic address is what its area is made of.
  return found.sort((a, b) => rank(a) - rank(b));
}

function rank({ kind }: Location): number {
  return kind === "civic" ? 0 : 1;
}

function civic(address: XmlElement): Location | undefined {
  if (address.local !== "civicAddress") return undefined;
  const area = LEVELS.map((level) => {
    const text = address.children.find(
      ({ local, namespace }) => local === level && namespace === CIVIC,
    )?.text;
    return (text ?? "").trim().toLowerCase().slice(0, MAX_LEVEL);
  });
  while (area.at(-1) === "") area.pop();
  return area.length === 0 ? undefined : { kind: "civic", area };
}

/** Point, Circle, Ellipse, ArcBand, Polygon, Sphere and the rest: they are all made of gml:pos, latitude first (RFC 5491 §5). */
function point(shape: XmlElement): Location | undefined {
  const system =
    shape.attributes.find(({ local }) => local === "srsName")?.value ?? "urn:ogc:def:crs:EPSG::4326";
  if (!/EPSG:[^:]*:(?:4326|4979)$/i.test(system)) return undefined;
  const corners: (readonly [number, number])[] = [];
  for (const { text } of elementsNamed(shape, GML, "pos")) {
    const [latitude, longitude] = text.trim().split(/\s+/, 2).map(Number);
    if (latitude === undefined || longitude === undefined) continue;
    if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) continue;
    if (corners.push([latitude, longitude]) === MAX_CORNERS) break;
  }
  if (corners.length === 0) return undefined;
  const middle = (of: 0 | 1): number => corners.reduce((sum, corner) => sum + corner[of], 0) / corners.length;
  return { kind: "point", latitude: middle(0), longitude: middle(1) };
}

/** In the order of the document; the reader bounds how many and how deep. */
function elementsNamed(root: XmlElement, namespace: string, local: string): readonly XmlElement[] {
  const found: XmlElement[] = [];
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.local === local && next.namespace === namespace) found.push(next);
    for (const child of next.children.toReversed()) waiting.push(child);
  }
  return found;
}
