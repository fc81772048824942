import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@ims/sip";
import { type Bench, SCSCF } from "../support/bench.ts";
import { numbersBench } from "../support/numbers.ts";

const MGCF = "sip:192.0.2.70:5070;transport=tcp";
const BORDER = "sip:192.0.2.80:5080;transport=tcp";
const ROUTES = [
  { number: "+1", route: [MGCF] },
  { routing_number: "+1404", route: [BORDER] },
  { domain: "partner.example", route: [BORDER, "sip:next.example.net"] },
];
const TO_BOB = "!^.*$!sip:bob@example.com!";

function call(b: Bench, uri: string, more: readonly string[] = []): Promise<SipMessage> {
  const headers = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>", ...more];
  return b.exchange(b.request("MESSAGE", { uri, headers }), b.toScscf);
}

test("TS 24.229 §5.4.3.2 step 10: a number that ENUM knows as a user of ours is called there", async () => {
  const { bench, counted } = await numbersBench({ enum: { "+15550002": TO_BOB }, routes: ROUTES });
  for (const uri of ["tel:+1-555-0002", "sip:+15550002@example.com;user=phone"]) {
    const sent = await call(bench, uri);
    assert.equal(sent.requestUri, "sip:bob@192.0.2.2:5060");
    assert.equal(sent.header("P-Called-Party-ID"), "<sip:bob@example.com>");
  }
  assert.deepEqual(counted, ["enum uri", "enum uri"]);
});

test("TS 24.229 §5.6.2: what ENUM does not know, or cannot be asked about, goes by the BGCF to the route of its number", async () => {
  const { bench, counted } = await numbersBench({ enum: { "+15550003": "failed" }, routes: ROUTES });
  const sent = await call(bench, "tel:+15559999", [
    "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1",
    "P-Charging-Function-Addresses: ccf=x",
  ]);
  assert.equal(sent.requestUri, "tel:+15559999");
  assert.deepEqual(sent.values("Route"), [`<${MGCF};lr>`]);
  assert.equal(bench.dialled(5070).remoteAddress, "192.0.2.70");
  assert.equal(sent.has("P-Access-Network-Info"), false);
  assert.equal(sent.has("P-Charging-Function-Addresses"), false);
  assert.equal(sent.header("P-Charging-Vector"), 'icid-value=abc;orig-ioi="example.com"');
  assert.deepEqual((await call(bench, "tel:+15550003")).values("Route"), [`<${MGCF};lr>`]);
  const refused = await call(bench, "tel:+495550003");
  assert.equal(refused.status, 404);
  assert.deepEqual(counted, [
    "enum none",
    "bgcf routed",
    "enum failed",
    "bgcf routed",
    "enum none",
    "bgcf refused",
  ]);
});

test("RFC 4694, RFC 4769: a ported number is routed by its routing number; one that says so itself is not asked about", async () => {
  const ported = { "+15550004": "!^(.*)$!tel:\\1;npdi;rn=+14045559000!" };
  const { bench, counted, resolver } = await numbersBench({ enum: ported, routes: ROUTES });
  const sent = await call(bench, "tel:+15550004");
  assert.equal(sent.requestUri, "tel:+15550004;npdi;rn=+14045559000");
  assert.equal(sent.values("Route")[0], `<${BORDER};lr>`);
  const asked = resolver.asked.length;
  assert.equal((await call(bench, "tel:+15550005;npdi;rn=+14041")).values("Route")[0], `<${BORDER};lr>`);
  assert.equal((await call(bench, "tel:+15550005;npdi")).values("Route")[0], `<${MGCF};lr>`);
  assert.equal(resolver.asked.length, asked);
  assert.deepEqual(
    counted.filter((one) => one.startsWith("enum")),
    ["enum uri", "enum dipped", "enum dipped"],
  );
  const override = await numbersBench({ enum: { "+15550002": TO_BOB }, routes: ROUTES, overrideNpdi: true });
  assert.equal((await call(override.bench, "tel:+15550002;npdi")).requestUri, "sip:bob@192.0.2.2:5060");
});

test("TS 24.229 §5.6.2: other domains by their routes, all of them in the Route; without one by DNS where that is allowed, else 404", async () => {
  const elsewhere = { "+15550006": "!^.*$!sip:x@partner.example!" };
  const { bench } = await numbersBench({ enum: elsewhere, routes: ROUTES });
  const both = [`<${BORDER};lr>`, "<sip:next.example.net;lr>"];
  assert.deepEqual((await call(bench, "sip:x@partner.example")).values("Route"), both);
  const translated = await call(bench, "tel:+15550006");
  assert.equal(translated.requestUri, "sip:x@partner.example");
  assert.deepEqual(translated.values("Route"), both);
  assert.equal((await call(bench, "sip:x@192.0.2.50:5066")).status, 404);
  const open = await numbersBench({ routes: ROUTES, allowForeignDomains: true });
  const sent = await call(open.bench, "sip:x@192.0.2.50:5066;transport=tcp");
  assert.deepEqual(sent.values("Route"), []);
  assert.equal(open.bench.dialled(5066).remoteAddress, "192.0.2.50");
});

test("TS 24.229 §5.3.2.1: without ENUM the HSS says whose number it is; nobody's goes to the BGCF", async () => {
  const { bench, counted } = await numbersBench({ routes: ROUTES });
  const ours = await call(bench, "tel:+1-555-0001");
  assert.equal(ours.requestUri, "sip:alice@192.0.2.1:5060");
  assert.deepEqual(counted, []);
  for (const uri of ["tel:+15559999", "sip:+15559999@example.com;user=phone"])
    assert.deepEqual((await call(bench, uri)).values("Route"), [`<${MGCF};lr>`]);
  assert.deepEqual(counted, ["bgcf routed", "bgcf routed"]);
  const { bench: alone } = await numbersBench({});
  assert.equal((await call(alone, "tel:+1-555-0001")).requestUri, "sip:alice@192.0.2.1:5060");
  assert.equal((await call(alone, "tel:+15559999")).status, 404);
});

test("TS 24.229 §5.3.2.1: a number that comes from another network and is nobody's here does not go through", async () => {
  const { bench, counted } = await numbersBench({ routes: ROUTES });
  const refused = await bench.exchange(bench.request("MESSAGE", { uri: "tel:+15559999" }), bench.toIcscf);
  assert.equal(refused.status, 404);
  assert.deepEqual(counted, []);
});

test("RFC 4967: what a user dials is what the dial plan makes of it; too few digits are 484", async () => {
  const dialPlan = {
    contexts: [
      {
        context: "example.com",
        rules: [
          { prefix: "001", replacement: "+1", minimum: 6 },
          { number: "*2", uri: "sip:bob@example.com" },
        ],
      },
    ],
  };
  const { bench, counted } = await numbersBench({ dialPlan, routes: ROUTES });
  const dial = (digits: string): Promise<SipMessage> =>
    call(bench, `sip:${digits};phone-context=example.com@example.com;user=dialstring`);
  const sent = await dial("0015559999");
  assert.equal(sent.requestUri, "tel:+15559999");
  assert.deepEqual(sent.values("Route"), [`<${MGCF};lr>`]);
  assert.equal((await dial("*2")).requestUri, "sip:bob@192.0.2.2:5060");
  assert.equal((await dial("00155")).status, 484);
  assert.equal((await dial("123456")).status, 404);
  assert.equal((await call(bench, "tel:123456;phone-context=example.com")).status, 404);
  assert.deepEqual(counted, [
    "dialled translated",
    "bgcf routed",
    "dialled translated",
    "dialled incomplete",
    "dialled unknown",
    "dialled unknown",
    "bgcf refused",
  ]);
});

test("a SIP URI that is a number becomes its tel URI where the operator wants that, with what the number says", async () => {
  const { bench } = await numbersBench({ routes: ROUTES, sipToTel: true });
  const sent = await call(bench, "sip:+1-555-9999;npdi@example.com;user=phone");
  assert.equal(sent.requestUri, "tel:+15559999;npdi");
  const others = await call(bench, "sip:+15559999@partner.example;user=phone");
  assert.equal(others.requestUri, "sip:+15559999@partner.example;user=phone");
  const { bench: usual } = await numbersBench({ routes: ROUTES });
  const kept = await call(usual, "sip:+1-555-9999;npdi@example.com;user=phone");
  assert.equal(kept.requestUri, "sip:+1-555-9999;npdi@example.com;user=phone");
});

test("a caller who gives up while ENUM is asked is answered, and the call goes nowhere", async () => {
  const { bench, resolver } = await numbersBench({ enum: {}, routes: ROUTES });
  let answer: () => void = () => undefined;
  resolver.naptr = () =>
    new Promise((resolve) => {
      answer = () => resolve({ kind: "notFound", ttlSeconds: 1 });
    });
  const headers = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>"];
  const fields = { uri: "tel:+15559999", headers, branch: "z9hG4bKgiveup", callId: "giveup" };
  assert.deepEqual(await bench.send(bench.request("INVITE", fields), bench.toScscf), []);
  const sent = await bench.send(bench.request("CANCEL", fields), bench.toScscf);
  assert.deepEqual(sent.map(({ status }) => status).sort(), [200, 487]);
  answer();
  assert.deepEqual(await bench.settled(), []);
});
