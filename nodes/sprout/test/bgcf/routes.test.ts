import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUri } from "@ims/sip";
import { bgcfFile, makeBgcfRoutes } from "../../src/bgcf/routes.ts";

const OPTIONS = { homeDomain: "example.com", aliasDomains: [], enforceUserPhone: true };

const ROUTES = [
  { name: "anywhere", domain: "*", route: ["sip:border.example.com"] },
  { domain: "partner.example", route: ["<sip:a.example.com;lr>", "sip:b.example.com;transport=tcp"] },
  { domain: "*.partner.example", route: ["sip:below.example.com"] },
  { domain: "direct.example", route: [] },
  { domain: "[2001:DB8::1]", route: ["sip:six.example.com"] },
  { number: "+1", route: ["sip:america.example.com"] },
  { number: "+1-555", route: ["sip:mgcf.example.com"] },
  { number: "110", route: ["sip:police.example.com"] },
  { routing_number: "+1404", route: ["sip:ported.example.com"] },
  { routing_number: "D1", rn_context: "+49", route: ["sip:local.example.com"] },
  { cic: "+1-6789", route: ["sip:carrier.example.com"] },
];

test("TS 24.229 §5.6.2: the route by domain, longest number, routing number and carrier", () => {
  const made = makeBgcfRoutes(bgcfFile.parse({ routes: ROUTES }));
  assert.equal(made.kind, "table");
  if (made.kind !== "table") return;
  const cases: [string, string][] = [
    ["sip:x@partner.example", "<sip:a.example.com;lr> <sip:b.example.com;transport=tcp;lr>"],
    ["sip:x@PARTNER.example:5070", "<sip:a.example.com;lr> <sip:b.example.com;transport=tcp;lr>"],
    ["sip:x@a.b.partner.example", "<sip:below.example.com;lr>"],
    ["sip:x@notpartner.example", "<sip:border.example.com;lr>"],
    ["sip:x@direct.example", ""],
    ["sip:x@[2001:db8::1]", "<sip:six.example.com;lr>"],
    ["sip:+1555@elsewhere.example;user=phone", "<sip:border.example.com;lr>"],
    ["tel:+15550001", "<sip:mgcf.example.com;lr>"],
    ["sip:+1-555-0001@example.com;user=phone", "<sip:mgcf.example.com;lr>"],
    ["tel:+1444", "<sip:america.example.com;lr>"],
    ["tel:110;phone-context=+49", "<sip:police.example.com;lr>"],
    ["tel:+49", "<sip:border.example.com;lr>"],
    ["tel:+15550001;npdi;rn=+1404555", "<sip:ported.example.com;lr>"],
    // A routing number without routes of its own is routed as a number is; the number itself says nothing any more.
    ["tel:+15550001;npdi;rn=+1777", "<sip:america.example.com;lr>"],
    ["tel:+15550001;npdi;rn=+33", "<sip:border.example.com;lr>"],
    ["tel:+15550001;npdi", "<sip:mgcf.example.com;lr>"],
    ["tel:+4930;npdi;rn=D123;rn-context=+49", "<sip:local.example.com;lr>"],
    ["tel:+15550001;rn=+1404;cic=+1-6789", "<sip:carrier.example.com;lr>"],
    ["tel:+15550001;rn=+1404;cic=+1-1111", "<sip:ported.example.com;lr>"],
    ["sip:x@__proto__", "<sip:border.example.com;lr>"],
  ];
  for (const [text, expected] of cases) {
    const uri = parseUri(text);
    assert.ok(uri, text);
    assert.equal(made.table.find(uri, OPTIONS)?.join(" "), expected, text);
  }
  const empty = makeBgcfRoutes({ routes: [] });
  const uri = parseUri("tel:+1");
  assert.ok(uri && empty.kind === "table");
  assert.equal(empty.table.find(uri, OPTIONS), undefined);
});

test("a file of routes that is none, or contradicts itself, is refused with the place", () => {
  const problem = (...routes: unknown[]): string => {
    const parsed = bgcfFile.safeParse({ routes });
    if (!parsed.success) return `${parsed.error.issues[0]?.path.join(".")}`;
    const made = makeBgcfRoutes(parsed.data);
    return made.kind === "bad" ? made.problem : "accepted";
  };
  const route = ["sip:a.example.com"];
  assert.equal(problem({ domian: "a", route }), "routes.0");
  assert.equal(problem({ domain: "a b", route }), "routes.0.domain");
  assert.equal(problem({ number: "+1x", route }), "routes.0.number");
  assert.match(problem({ route }), /^routes\.0: write one of/);
  assert.match(problem({ domain: "a", number: "1", route }), /^routes\.0: write one of/);
  assert.equal(problem({ number: "1", route: [] }), "routes.0.route: a number needs one");
  assert.equal(
    problem({ domain: "a", route: [...route, "tel:+1"] }),
    'routes.0.route.1: "tel:+1" is no SIP URI',
  );
  assert.match(problem({ routing_number: "1404", route }), /^routes\.0\.routing_number: begins with \+/);
  assert.match(problem({ number: "1", rn_context: "+1", route }), /^routes\.0\.rn_context/);
  assert.equal(problem({ domain: "A", route }, { domain: "a", route }), 'routes.1: "a" is there already');
  assert.equal(
    problem({ number: "+1-5", route }, { number: "+15", route }),
    'routes.1: "+15" is there already',
  );
});
