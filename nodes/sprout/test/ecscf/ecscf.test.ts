import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChargingEvent, ChargingTriggers } from "@ims/ims";
import { OwnUris, type SipMessage } from "@ims/sip";
import type { FakeFlow } from "@ims/sip/testing";
import { Ecscf } from "../../src/ecscf/ecscf.ts";
import { emergencyFile, makePsapRoutes } from "../../src/ecscf/psap-routes.ts";
import { type Bench, benchWithUsers, ICSCF, SCSCF } from "../support/bench.ts";
import { BGCF } from "../support/numbers.ts";

const ECSCF = "sip:127.0.0.1:5057;transport=tcp";
const psap = (port: number): string => `sip:psap@192.0.2.70:${port};transport=tcp`;
const TOWN = { cell: "26201", psap: [psap(7001), psap(7002)] };

interface Emergency {
  readonly b: Bench;
  readonly flow: FakeFlow;
  readonly counted: string[];
  readonly charged: ChargingEvent[];
}

function bench(routes: readonly unknown[] = [TOWN]): Emergency {
  const counted: string[] = [];
  const charged: ChargingEvent[] = [];
  const made = makePsapRoutes(true)(emergencyFile.parse({ default: [psap(7000)], routes }));
  assert.equal(made.kind, "table");
  const b = benchWithUsers({
    options: { ecscfUri: ECSCF },
    sides: (clock) => [
      {
        name: "ecscf",
        strict: false,
        entity: new Ecscf({
          options: { uri: ECSCF, bgcfUri: BGCF, side: "scscf", psapTimeoutMs: 4_000 },
          routes: made.kind === "table" ? made : assert.fail(),
          own: new OwnUris([ECSCF]),
          counters: { request: (outcome) => void counted.push(outcome) },
          charging: new ChargingTriggers({
            node: "E-CSCF",
            nodeAddress: "here",
            methods: ["INVITE"],
            now: () => clock.now(),
            emit: (event) => void charged.push(event),
          }),
        }),
      },
    ],
  });
  const flow = b.transport.connect({
    side: "ecscf",
    localPort: 5057,
    protocol: "TCP",
    remoteAddress: "127.0.0.1",
  });
  return { b, flow, counted, charged };
}

const HERE = "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=262010001";

function invite({ b }: Emergency, headers: readonly string[] = [HERE], uri = "urn:service:sos"): string {
  return b.request("INVITE", {
    uri,
    callId: "help",
    headers: [
      "Contact: <sip:alice@10.1.1.1>",
      "Record-Route: <sip:127.0.0.1:5058;transport=tcp;lr>",
      "P-Asserted-Identity: <sip:alice@example.com>, <tel:+15550001>",
      "Resource-Priority: esnet.1",
      "P-Charging-Function-Addresses: ccf=x",
      ...headers,
    ],
  });
}

function requests(left: readonly SipMessage[]): SipMessage[] {
  return left.filter(({ isRequest, method }) => isRequest && method === "INVITE");
}

test("TS 24.229 §5.11.2: the call goes to the PSAP of its location, which learns where and who the caller is, and nothing of charging", async () => {
  const emergency = bench();
  const [sent] = requests(await emergency.b.send(invite(emergency), emergency.flow));
  assert.ok(sent);
  assert.equal(emergency.b.dialled(7001).remoteAddress, "192.0.2.70");
  assert.equal(sent.requestUri, "urn:service:sos");
  assert.deepEqual(sent.values("Route"), [`<${psap(7001)};lr>`]);
  assert.equal(sent.top("Record-Route"), `<${ECSCF};lr>`);
  assert.match(sent.header("P-Access-Network-Info") ?? "", /262010001/);
  assert.deepEqual(sent.values("P-Asserted-Identity"), ["<sip:alice@example.com>", "<tel:+15550001>"]);
  assert.deepEqual(sent.values("Resource-Priority"), ["esnet.1"]);
  assert.equal(sent.has("P-Charging-Vector"), false);
  assert.equal(sent.has("P-Charging-Function-Addresses"), false);
  assert.deepEqual(emergency.counted, ["routed"]);
});

test("TS 24.229 §5.11.2: without a location that is known, or with garbage for one, the default PSAP has the call", async () => {
  for (const headers of [
    [],
    ["P-Access-Network-Info: ;;;"],
    ["Geolocation: <cid:none>", "Content-Type: multipart/mixed"],
    ["Geolocation: garbage", "Content-Type: application/pidf+xml"],
  ]) {
    const emergency = bench();
    const [sent] = requests(await emergency.b.send(invite(emergency, headers), emergency.flow));
    assert.deepEqual(sent?.values("Route"), [`<${psap(7000)};lr>`], String(headers));
    assert.deepEqual(emergency.counted, ["default"]);
  }
});

test("TS 24.229 §5.11.2: a PSAP in the PSTN is a number for the BGCF", async () => {
  const emergency = bench([{ cell: "26201", psap: ["tel:+4930112"] }]);
  const [sent] = requests(await emergency.b.send(invite(emergency), emergency.flow));
  assert.equal(sent?.requestUri, "tel:+4930112");
  assert.equal(emergency.b.dialled(5053).remotePort, 5053);
  assert.deepEqual(sent?.values("Route"), []);
  assert.equal(sent?.has("P-Charging-Vector"), true);
});

test("TS 24.229 §5.11.2: a PSAP that refuses, asks for a password or is silent is followed by the next; the last one's word counts, but no challenge", async () => {
  for (const status of [302, 401, 480, 486, 503, 603]) {
    const emergency = bench();
    const { b } = emergency;
    const [first] = requests(await b.send(invite(emergency), emergency.flow));
    assert.ok(first);
    const [second] = requests(await b.send(b.answer(first, status), b.dialled(7001)));
    assert.deepEqual(second?.values("Route"), [`<${psap(7002)};lr>`], String(status));
    assert.ok(second);
    const left = await b.send(b.answer(second, status), b.dialled(7002));
    const answered = left.find((one) => !one.isRequest && one.status >= 200);
    assert.equal(answered?.status, status === 401 ? 480 : status === 503 ? answered?.status : status);
    assert.deepEqual(emergency.counted, ["routed", "rerouted"]);
  }
  const emergency = bench();
  const { b } = emergency;
  await b.send(invite(emergency), emergency.flow);
  const [second] = requests(await b.advance(4_100));
  assert.deepEqual(second?.values("Route"), [`<${psap(7002)};lr>`]);
});

test("TS 24.229 §5.11.2: a caller who hangs up is not sent on to the next PSAP", async () => {
  const emergency = bench();
  const { b, flow } = emergency;
  const text = invite(emergency);
  const [first] = requests(await b.send(text, flow));
  assert.ok(first);
  await b.send(b.answer(first, 180), b.dialled(7001));
  const cancel = text
    .split("\r\n")
    .filter((line) => /^(?:Via|From|To|Call-ID|Max-Forwards|Content-Length)/.test(line));
  await b.send(["CANCEL urn:service:sos SIP/2.0", ...cancel, "CSeq: 1 CANCEL", "", ""].join("\r\n"), flow);
  const left = await b.send(b.answer(first, 487), b.dialled(7001));
  assert.deepEqual(requests(left), []);
  assert.equal(left.find((one) => !one.isRequest && one.status >= 200)?.status, 487);
});

test("TS 24.229 §5.11: requests inside the dialog pass by the E-CSCF; what is no emergency, and REGISTER, are 403", async () => {
  const emergency = bench();
  const { b, flow } = emergency;
  const bye = await b.exchange(
    b.request("BYE", {
      uri: "sip:psap@192.0.2.70:7001;transport=tcp",
      toTag: "t1",
      headers: [`Route: <${ECSCF};lr>`],
    }),
    flow,
  );
  assert.equal(bye.requestUri, "sip:psap@192.0.2.70:7001;transport=tcp");
  assert.deepEqual(bye.values("Route"), []);
  const route = [`Route: <${ECSCF};lr>`];
  for (const text of [
    b.request("INVITE", { uri: "sip:bob@example.com", headers: route }),
    b.request("INVITE", { uri: "urn:service:counseling", headers: route }),
    b.request("REGISTER", { uri: "sip:example.com", headers: route }),
    b.request("BYE", { uri: ECSCF, toTag: "t2", headers: route }),
  ]) {
    const refused = (await b.send(text, flow)).find(({ status }) => status >= 200);
    assert.ok(refused?.status === 403 || refused?.status === 404, text);
  }
});

test("TS 32.260 §5.2.2.1: the E-CSCF charges a session from its answer to its end", async () => {
  const emergency = bench();
  const { b, flow, charged } = emergency;
  const [first] = requests(await b.send(invite(emergency), flow));
  assert.ok(first);
  await b.send(b.answer(first, 200, ["Contact: <sip:psap@192.0.2.70>"]), b.dialled(7001));
  await b.send(
    b.request("BYE", { uri: psap(7001), callId: "help", toTag: "t1", headers: [`Route: <${ECSCF};lr>`] }),
    flow,
  );
  assert.deepEqual(
    charged.map(({ node, kind, calledParty, icid }) => [node, kind, calledParty, icid]),
    [
      ["E-CSCF", "start", "urn:service:sos", "abc"],
      ["E-CSCF", "stop", psap(7001), "abc"],
    ],
  );
});

test("TS 24.229 §5.4.3.2: an emergency request that comes to the S-CSCF goes to the E-CSCF of the process", async () => {
  const emergency = bench();
  const { b } = emergency;
  await b.registered();
  const headers = [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>", HERE];
  const sent = await b.exchange(b.request("MESSAGE", { uri: "urn:service:sos.police", headers }), b.toScscf);
  assert.deepEqual(sent.values("Route"), [`<${psap(7001)};lr>`]);
});

test("TS 23.167 §6.2: an emergency request that comes to the I-CSCF, from a PBX or another network, goes to the E-CSCF; other URNs are 404", async () => {
  const { b } = bench();
  const sent = await b.exchange(
    b.request("MESSAGE", { uri: "URN:service:SOS", headers: [`Route: <${ICSCF};lr>`, HERE] }),
  );
  assert.deepEqual(sent.values("Route"), [`<${psap(7001)};lr>`]);
  assert.equal(sent.requestUri, "urn:service:sos");
  const other = b.request("MESSAGE", { uri: "urn:service:counseling", headers: [`Route: <${ICSCF};lr>`] });
  assert.equal((await b.exchange(other)).status, 404);
});
