import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Location, locationsOf } from "../../src/ecscf/location.ts";
import { parsed } from "../support/bench.ts";

function locations(headers: readonly string[], body = ""): readonly Location[] {
  return locationsOf(
    parsed(
      [
        "INVITE urn:service:sos SIP/2.0",
        "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1",
        "From: <sip:alice@example.com>;tag=1",
        "To: <urn:service:sos>",
        "Call-ID: 1",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        ...headers,
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    ),
  );
}

function pidf(shape: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" xmlns:gml="http://www.opengis.net/gml" xmlns:gs="http://www.opengis.net/pidflo/1.0" xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="pres:alice@example.com">
<dm:device id="d"><gp:geopriv><gp:location-info>${shape}</gp:location-info><gp:usage-rules/></gp:geopriv></dm:device></presence>`;
}

const CIVIC =
  '<ca:civicAddress xml:lang="de"><ca:country>DE</ca:country><ca:A1>BE</ca:A1><ca:A3> Berlin </ca:A3></ca:civicAddress>';
const POINT = '<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>52.52 13.405</gml:pos></gml:Point>';
const PIDF = ["Content-Type: application/pidf+xml", "Geolocation-Routing: yes"];
const BERLIN: Location = { kind: "civic", area: ["de", "be", "", "berlin"] };

function mixed(parts: readonly string[], boundary = "b1"): string {
  return [...parts.map((part) => `--${boundary}\r\n${part}\r\n`), `--${boundary}--\r\n`].join("");
}

const part = (type: string, id: string, body: string): string =>
  `Content-Type: ${type}\r\nContent-ID: <${id}>\r\n\r\n${body}`;

test("TS 24.229 §7.2A.4: cells and access points of P-Access-Network-Info, what the network says first", () => {
  assert.deepEqual(
    locations([
      'P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=00A0C9FFFE01, 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp="26201ABCD";network-provided',
    ]),
    [
      { kind: "cell", cell: "26201abcd" },
      { kind: "cell", cell: "00a0c9fffe01" },
    ],
  );
  for (const value of [
    "3GPP-GERAN",
    ";;;=",
    '3GPP-GERAN;cgi-3gpp="',
    "x;cgi-3gpp=",
    `x;cgi-3gpp=${"1".repeat(500)}`,
  ])
    assert.deepEqual(locations([`P-Access-Network-Info: ${value}`]), [], value);
});

test("RFC 6442, RFC 5139: the civic address and the point of a PIDF-LO body, and of the part that Geolocation names", () => {
  assert.deepEqual(locations(PIDF, pidf(POINT + CIVIC)), [
    BERLIN,
    { kind: "point", latitude: 52.52, longitude: 13.405 },
  ]);
  const body = mixed([
    part("application/sdp", "sdp@x", "v=0"),
    part("application/pidf+xml", "old@x", pidf(POINT)),
    part("application/pidf+xml", "here@x", pidf(CIVIC)),
  ]);
  const type = 'Content-Type: multipart/mixed; boundary="b1"';
  assert.deepEqual(locations([type, "Geolocation: <cid:here@x>;inserted-by=ue"], body), [BERLIN]);
  assert.equal(locations([type, "Geolocation: <https://ls.example/alice>"], body)[0]?.kind, "point");
});

test("RFC 5491 §5: circles, ellipses and polygons count by their middle; systems that are not WGS 84 do not count", () => {
  const at = (shape: string): Location | undefined => locations(PIDF, pidf(shape))[0];
  assert.deepEqual(
    at(
      '<gs:Circle srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>1 2</gml:pos><gs:radius>5</gs:radius></gs:Circle>',
    ),
    { kind: "point", latitude: 1, longitude: 2 },
  );
  assert.deepEqual(
    at(
      "<gml:Polygon><gml:exterior><gml:LinearRing><gml:pos>0 0</gml:pos><gml:pos>0 2</gml:pos><gml:pos>4 2</gml:pos><gml:pos>4 0</gml:pos></gml:LinearRing></gml:exterior></gml:Polygon>",
    ),
    { kind: "point", latitude: 2, longitude: 1 },
  );
  assert.equal(at('<gml:Point srsName="EPSG:31468"><gml:pos>1 2</gml:pos></gml:Point>'), undefined);
  for (const pos of ["", "x y", "91 0", "0 181", "NaN NaN", "1", "Infinity 0"])
    assert.equal(at(`<gml:Point><gml:pos>${pos}</gml:pos></gml:Point>`), undefined, pos);
});

test("RFC 6442 §4.2: a location that must not be used for routing is not looked at", () => {
  const headers = ["Content-Type: application/pidf+xml", "Geolocation-Routing: no"];
  assert.deepEqual(locations(headers, pidf(CIVIC)), []);
  assert.deepEqual(locations(["Content-Type: application/pidf+xml"], pidf(CIVIC)), [BERLIN]);
});

test("garbage, entities, deep nesting and huge documents are no location", () => {
  const many = `<a>${"<b/>".repeat(20_000)}</a>`;
  const deep = "<a>".repeat(20_000);
  const bodies = [
    "garbage",
    "",
    "<a",
    '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    many,
    deep,
    pidf(CIVIC).padEnd(200_000, " "),
    pidf(CIVIC).replace("Berlin", "\xff\xfe"),
    "\0".repeat(1_000),
  ];
  for (const body of bodies) {
    assert.deepEqual(locations(PIDF, body), [], body.slice(0, 40));
  }
});

test("bodies that are wrong, nested without end or made of very many parts are no location", () => {
  const type = "Content-Type: multipart/mixed; boundary=b1";
  const nested = (depth: number): string =>
    depth === 0
      ? mixed([part("application/pidf+xml", "x", pidf(CIVIC))])
      : mixed(
          [`Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n${nested(depth - 1)}`],
          `b${depth + 1}`,
        );
  const deepType = (depth: number): string => `Content-Type: multipart/mixed; boundary=b${depth + 1}`;
  assert.deepEqual(locations([deepType(2)], nested(2)), [BERLIN]);
  assert.deepEqual(locations([deepType(3)], nested(3)), []);
  const late = [
    ...Array.from({ length: 20 }, (_, i) => part("text/plain", `${i}`, "x")),
    part("application/pidf+xml", "x", pidf(CIVIC)),
  ];
  assert.deepEqual(locations([type], mixed(late)), []);
  for (const body of [
    "--b1",
    "--b1\r\n",
    "--b1--",
    `--b1\r\n${"x".repeat(60_000)}`,
    "\r\n--b1".repeat(10_000),
  ])
    assert.deepEqual(locations([type], body), []);
  assert.deepEqual(locations(["Content-Type: multipart/mixed"], mixed(late)), []);
});

test("a Geolocation of any length costs its length: 60,000 octets of what nearly names a part", () => {
  const body = mixed([part("application/pidf+xml", "here@x", pidf(CIVIC))]);
  const type = "Content-Type: multipart/mixed; boundary=b1";
  const long = "<cid:".repeat(12_000);
  const before = process.cpuUsage().user;
  assert.deepEqual(locations([type, `Geolocation: ${long}`], body), [BERLIN]);
  // With each beginning read to the end it were four seconds.
  assert.ok(process.cpuUsage().user - before < 1_000_000);
  assert.deepEqual(locations([type, `Geolocation: ${long}here@x>`], body), [BERLIN]);
});

test("whatever a UE writes where its location should stand, reading it never throws", () => {
  const whole = mixed([
    part("application/sdp", "sdp@x", "v=0"),
    part("application/pidf+xml", "here@x", pidf(POINT + CIVIC)),
  ]);
  // Cut, doubled and overwritten at any place: nearly right is what finds mistakes.
  const damaged = fc
    .tuple(fc.nat(whole.length), fc.nat(whole.length), fc.string({ maxLength: 8 }))
    .map(([from, to, text]) => whole.slice(0, from) + text + whole.slice(to));
  const header = fc.string({ maxLength: 60 }).map((text) => text.replace(/[\r\n\0]/g, ";"));
  fc.assert(
    fc.property(damaged, header, (body, text) => {
      const latin1 = Buffer.from(body).toString("latin1");
      const type = 'Content-Type: multipart/mixed; boundary="b1"';
      for (const one of locations([type, "Geolocation: <cid:here@x>"], latin1)) assert.ok(one.kind);
      for (const one of locations([`P-Access-Network-Info: x;cgi-3gpp=${text}`]))
        assert.equal(one.kind, "cell");
    }),
    { numRuns: 300 },
  );
});
