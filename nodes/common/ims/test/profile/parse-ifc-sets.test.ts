import assert from "node:assert/strict";
import { test } from "node:test";
import { buildFilterCriteriaSet, parseFilterCriteriaSet, parseSharedIfcSets } from "../../src/index.ts";

const ifc = (priority: number, server = "sip:as.example.com"): string =>
  `<InitialFilterCriteria><Priority>${priority}</Priority><ApplicationServer><ServerName>${server}</ServerName></ApplicationServer></InitialFilterCriteria>`;
const set = (id: string, content: string): string =>
  `<SharedIFCsSet><SetID>${id}</SetID>${content}</SharedIFCsSet>`;

test("TS 29.228 §B.2.1: shared sets of filter criteria are read by number, each in order of priority", () => {
  const read = parseSharedIfcSets(
    `<?xml version="1.0"?><SharedIFCsSets>${set("3", ifc(9) + ifc(1))}${set("0", "")}</SharedIFCsSets>`,
  );
  assert.equal(read.kind, "parsed");
  if (read.kind !== "parsed") return;
  assert.deepEqual(
    [...read.sets].map(([id, list]) => [id, list.map(({ priority }) => priority)]),
    [
      [3, [1, 9]],
      [0, []],
    ],
  );
});

test("a file of shared sets that cannot be used is refused with the place of the mistake", () => {
  const cases: [string, RegExp][] = [
    ["", /no root element/],
    ["<Other/>", /root element is Other, not SharedIFCsSets/],
    [`<SharedIFCsSets>${ifc(1)}</SharedIFCsSets>`, /SharedIFCsSet/],
    [`<SharedIFCsSets>${set("x", "")}</SharedIFCsSets>`, /SharedIFCsSet 1: .*SetID is not a number/],
    [`<SharedIFCsSets>${set("1", "")}${set("1", "")}</SharedIFCsSets>`, /SetID 1 is there twice/],
    [
      `<SharedIFCsSets>${set("1", ifc(1) + ifc(2, ""))}</SharedIFCsSets>`,
      /set 1, InitialFilterCriteria 2: .*ServerName/,
    ],
    [`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><SharedIFCsSets/>`, /document type/],
    ["<a>".repeat(50_000), /more than 64 levels/],
  ];
  for (const [xml, reason] of cases) {
    const read = parseSharedIfcSets(xml);
    assert.match(read.kind === "malformed" ? read.reason : "parsed", reason);
  }
});

test("a list of filter criteria is read under any root element, a single one by itself", () => {
  for (const [xml, priorities] of [
    [`<FallbackIFCsSet>${ifc(2)}${ifc(1)}</FallbackIFCsSet>`, [1, 2]],
    [ifc(7), [7]],
    ["<FallbackIFCsSet/>", []],
  ] as const) {
    const read = parseFilterCriteriaSet(xml);
    assert.deepEqual(
      read.kind === "parsed" ? read.sets.map(({ priority }) => priority) : read.reason,
      priorities,
    );
  }
  const read = parseFilterCriteriaSet(`<ServiceProfile><PublicIdentity/>${ifc(1)}</ServiceProfile>`);
  assert.match(read.kind === "malformed" ? read.reason : "", /PublicIdentity is not expected/);
});

test("criteria without a Priority are refused, or come in their order where that is asked for; what is built is read again", () => {
  const bare = ifc(1).replace(/<Priority>1<\/Priority>/, "");
  const xml = `<ServiceProfile>${bare}${ifc(1)}${bare}</ServiceProfile>`;
  assert.equal(parseFilterCriteriaSet(xml).kind, "malformed");
  const read = parseFilterCriteriaSet(xml, { mayLackPriority: true });
  assert.ok(read.kind === "parsed");
  assert.deepEqual(
    read.sets.map(({ priority }) => priority),
    [0, 1, 2],
  );
  assert.deepEqual(parseFilterCriteriaSet(buildFilterCriteriaSet(read.sets)), read);
  const single = parseFilterCriteriaSet(bare, { mayLackPriority: true });
  assert.equal(single.kind === "parsed" && single.sets[0]?.priority, 0);
});
