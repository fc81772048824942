import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Location } from "../../src/ecscf/location.ts";
import { emergencyFile, makePsapRoutes, type PsapRoutes } from "../../src/ecscf/psap-routes.ts";

const DEFAULT = ["sip:default@psap.example"];

function made(routes: readonly unknown[], breaksOut = true): PsapRoutes | string {
  const parsed = emergencyFile.safeParse({ default: DEFAULT, routes });
  if (!parsed.success) return parsed.error.issues[0]?.path.join(".") ?? "";
  const result = makePsapRoutes(breaksOut)(parsed.data);
  return result.kind === "table" ? result.table : result.problem;
}

function table(routes: readonly unknown[]): PsapRoutes {
  const result = made(routes);
  return typeof result === "string" ? assert.fail(result) : result;
}

/** Name of the first PSAP. */
function found(routes: PsapRoutes, service: string, ...locations: Location[]): string {
  const [psap] = routes.find(`urn:service:${service}`, locations).psaps;
  return psap?.kind === "route" ? (/sip:([^@]+)@/.exec(psap.route)?.[1] ?? "") : (psap?.uri ?? "");
}

const to = (name: string): string[] => [`sip:${name}@psap.example`];
const cell = (id: string): Location => ({ kind: "cell", cell: id });
const civic = (...area: string[]): Location => ({ kind: "civic", area });
const point = (latitude: number, longitude: number): Location => ({ kind: "point", latitude, longitude });

test("TS 24.229 §5.11.2: the longest beginning of a cell identity counts, else the default", () => {
  const routes = table([
    { cell: "26201", psap: to("germany") },
    { cell: "262010A", psap: to("town") },
  ]);
  assert.equal(found(routes, "sos", cell("262010a17")), "town");
  assert.equal(found(routes, "sos", cell("262010b")), "germany");
  assert.equal(found(routes, "sos", cell("20801")), "default");
  assert.equal(found(routes, "sos"), "default");
  assert.deepEqual(routes.find("urn:service:sos", [cell("20801")]).located, false);
});

test("RFC 5139: of a civic address the longest part that a route is for counts, level by level", () => {
  const routes = table([
    { area: "DE", psap: to("germany") },
    { area: "DE/BE/ Berlin", psap: to("berlin") },
    { area: "US/NY//New York", psap: to("nyc") },
  ]);
  assert.equal(found(routes, "sos", civic("de", "be", "berlin", "mitte")), "berlin");
  assert.equal(found(routes, "sos", civic("de", "bexley")), "germany");
  assert.equal(found(routes, "sos", civic("us", "ny", "", "new york")), "nyc");
  assert.equal(found(routes, "sos", civic("us")), "default");
});

test("RFC 5491: of the boxes that a point is in the smallest counts, also over the date line", () => {
  const routes = table([
    { box: { south: 47, west: 5, north: 55, east: 15 }, psap: to("germany") },
    { box: { south: 52, west: 13, north: 53, east: 14 }, psap: to("berlin") },
    { box: { south: -20, west: 177, north: -15, east: -178 }, psap: to("fiji") },
  ]);
  assert.equal(found(routes, "sos", point(52.5, 13.4)), "berlin");
  assert.equal(found(routes, "sos", point(50, 10)), "germany");
  assert.equal(found(routes, "sos", point(-18, -179)), "fiji");
  assert.equal(found(routes, "sos", point(-18, 0)), "default");
});

test("RFC 5031 §4.2: a route of the service itself counts before one of the wider service, a place before anywhere", () => {
  const routes = table([
    { cell: "26201", psap: to("all") },
    { service: "sos.police", cell: "262010", psap: to("police") },
    { service: "urn:service:sos.Fire", psap: to("fire") },
  ]);
  assert.equal(found(routes, "sos.police.municipal", cell("262010")), "police");
  assert.equal(found(routes, "sos.police", cell("262011")), "all");
  assert.equal(found(routes, "sos.fire", cell("262011")), "all");
  assert.equal(found(routes, "sos.fire", cell("1")), "fire");
  assert.equal(found(routes, "sos.gas", cell("1")), "default");
});

test("locations count in their order, each with all that is known of it", () => {
  const routes = table([
    { cell: "262", psap: to("germany") },
    { area: "DE/BE", psap: to("berlin") },
  ]);
  assert.equal(found(routes, "sos", cell("1"), civic("de", "be"), cell("262")), "berlin");
  assert.equal(found(routes, "sos", cell("262"), civic("de", "be")), "germany");
});

test("a file that cannot be meant so is refused with the place of the mistake", () => {
  for (const [routes, where] of [
    [[{ psap: to("x") }], /^routes\.0: write a cell, area, box or service/],
    [[{ cell: "1", area: "DE", psap: to("x") }], /^routes\.0: write one of/],
    [[{ cell: "1", psap: ["mailto:x@y"] }], /^routes\.0\.psap\.0: "mailto:x@y" is neither/],
    [[{ cell: "1", psap: ["sip:x@y?a=b"] }], /^routes\.0\.psap\.0/],
    [[{ cell: "1", psap: [] }], /^routes\.0\.psap$/],
    [[{ cell: "1", psap: to("x"), color: "red" }], /^routes\.0$/],
    [[{ service: "counseling", psap: to("x") }], /^routes\.0\.service: "counseling"/],
    [[{ service: "sos..police", psap: to("x") }], /^routes\.0\.service/],
    [[{ area: "/", psap: to("x") }], /^routes\.0\.area/],
    [[{ box: { south: 2, west: 0, north: 1, east: 1 }, psap: to("x") }], /^routes\.0\.box/],
    [[{ box: { south: -91, west: 0, north: 1, east: 1 }, psap: to("x") }], /^routes\.0\.box\.south$/],
    [
      [
        { cell: "1", psap: to("x") },
        { cell: "1", psap: to("y") },
      ],
      /^routes\.1: 1 is there already/,
    ],
    [
      [
        { area: "DE", psap: to("x") },
        { area: "de/", psap: to("y") },
      ],
      /^routes\.1: de\/ is there already/,
    ],
    [
      [
        { service: "sos.x", psap: to("x") },
        { service: "sos.x", psap: to("y") },
      ],
      /^routes\.1/,
    ],
  ] as const) {
    const problem = made(routes);
    assert.match(typeof problem === "string" ? problem : "none", where);
  }
  assert.match(String(made([{ cell: "1", psap: ["tel:+49112"] }], false)), /needs a BGCF/);
  assert.equal(emergencyFile.safeParse({ default: [] }).success, false);
  assert.equal(emergencyFile.safeParse({ routes: [] }).success, false);
});

test("the example of the documentation can be used as it is", () => {
  const file = new URL("../../../../docs/operations/emergency.example.json", import.meta.url);
  const parsed = emergencyFile.parse(JSON.parse(readFileSync(file, "utf8")));
  assert.equal(makePsapRoutes(false)(parsed).kind, "table");
});
