import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildProfileServices,
  buildPublicIdentity,
  parseProfileServices,
  parsePublicIdentity,
} from "@ims/ims";

const criterion = (priority: string, server: string): string =>
  `<InitialFilterCriteria>${priority}<ApplicationServer><ServerName>${server}</ServerName></ApplicationServer></InitialFilterCriteria>`;

test("TS 29.228 annex E: a PublicIdentity alone is read, and written as it was", () => {
  const barred =
    "<PublicIdentity><BarringIndication>1</BarringIndication><Identity>sip:a@b?x=&lt;&amp;</Identity></PublicIdentity>";
  const read = parsePublicIdentity(`<?xml version="1.0"?>\n${barred}`);
  assert.ok(read.kind === "parsed");
  assert.deepEqual([read.value.identity, read.value.barred], ["sip:a@b?x=<&", true]);
  assert.deepEqual(parsePublicIdentity(buildPublicIdentity(read.value)), read);
});

test("TS 29.228 §B.2.1: the services of a profile, its own criteria and those it names, are read, and written as they were", () => {
  const xml = `<ServiceProfile>${criterion("<Priority>7</Priority>", "sip:b")}${criterion("<Priority>2</Priority>", "sip:a")}<Extension><SharedIFCSetID>3</SharedIFCSetID><SharedIFCSetID>5</SharedIFCSetID></Extension></ServiceProfile>`;
  const read = parseProfileServices(xml);
  assert.ok(read.kind === "parsed");
  const { initialFilterCriteria, sharedIfcSetIds } = read.value;
  assert.deepEqual(
    initialFilterCriteria.map(({ priority, applicationServer }) => [priority, applicationServer.serverName]),
    [
      [2, "sip:a"],
      [7, "sip:b"],
    ],
  );
  assert.deepEqual(sharedIfcSetIds, [3, 5]);
  assert.deepEqual(parseProfileServices(buildProfileServices(read.value)), read);
  assert.deepEqual(parseProfileServices("<ServiceProfile/>"), {
    kind: "parsed",
    value: { initialFilterCriteria: [], sharedIfcSetIds: [] },
  });
});

test("what is no such element is refused with the reason", () => {
  for (const [read, xml, reason] of [
    [parsePublicIdentity, "", /no root element/],
    [parsePublicIdentity, "<ServiceProfile/>", /root element is ServiceProfile, not PublicIdentity/],
    [parsePublicIdentity, "<PublicIdentity/>", /Identity/],
    [parsePublicIdentity, "<PublicIdentity><Identity>a", /not closed/],
    [parsePublicIdentity, "<!DOCTYPE a><PublicIdentity/>", /document type/],
    [parseProfileServices, "<PublicIdentity/>", /not ServiceProfile/],
    [parseProfileServices, "<ServiceProfile><__proto__/></ServiceProfile>", /__proto__ is not expected/],
    [parseProfileServices, `<ServiceProfile>${criterion("", "")}</ServiceProfile>`, /ServerName/],
    [
      parseProfileServices,
      "<ServiceProfile><Extension><SharedIFCSetID>x</SharedIFCSetID></Extension></ServiceProfile>",
      /SharedIFCSetID/,
    ],
    [parsePublicIdentity, `<a>${" ".repeat(600_000)}</a>`, /characters/],
  ] as const) {
    const result = read(xml);
    assert.ok(result.kind === "malformed", xml.slice(0, 60));
    assert.match(result.reason, reason);
  }
});
