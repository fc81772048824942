import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerCapabilities } from "../../src/cx/cx.ts";
import { ScscfSelection } from "../../src/icscf/scscf-selection.ts";
import { type Bench, benchWithUsers, ICSCF, SCSCF } from "../support/bench.ts";

const capabilities = (mandatory: number[], optional: number[] = []): ServerCapabilities => ({
  mandatory,
  optional,
  serverNames: [],
});
const FIRST = "sip:192.0.2.10:5054;transport=tcp";
const SECOND = "sip:192.0.2.20:5054;transport=tcp";
const scscfs = [
  { uri: FIRST, capabilities: [1, 2], priority: 0, weight: 1 },
  { uri: SECOND, capabilities: [1, 3], priority: 1, weight: 1 },
];

test("TS 24.229 §5.3.1.2: UAR carries IMPI, IMPU, visited network and what is wanted", async () => {
  const b = benchWithUsers();
  await b.exchange(b.register({ headers: ["P-Visited-Network-ID: visited.example.net"], expires: 0 }));
  const [uar] = b.cx.calls;
  assert.deepEqual(uar?.command === "UAR" && uar.query, {
    impi: "alice@example.com",
    impu: "sip:alice@example.com",
    visitedNetwork: "example.com",
    type: "deregistration",
  });
});

test("TS 24.229 §5.3.1.2: what the HSS refuses is 403, an HSS that is silent 480", async () => {
  const b = benchWithUsers();
  for (const [outcome, status] of [
    [{ kind: "rejected", reason: "userUnknown" }, 403],
    [{ kind: "rejected", reason: "identitiesDontMatch" }, 403],
    [{ kind: "rejected", reason: "roamingNotAllowed" }, 403],
    [{ kind: "rejected", reason: "authorizationRejected" }, 403],
    [{ kind: "unavailable", cause: "timeout" }, 480],
  ] as const) {
    b.cx.next.UAR.push(outcome);
    assert.equal((await b.exchange(b.register())).status, status, JSON.stringify(outcome));
  }
});

test("TS 24.229 §5.3.1.3: nobody with the mandatory capabilities makes 600", async () => {
  const b = benchWithUsers({ scscfs });
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([9]) });
  assert.equal((await b.exchange(b.register())).status, 600);
});

test("TS 24.229 §5.3.1.2: the REGISTER goes to the S-CSCF chosen, its URI as the Request-URI", async () => {
  const b = benchWithUsers({ scscfs });
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([1]) });
  const register = await b.exchange(b.register({ headers: [`Route: <${ICSCF};lr>`] }));
  assert.equal(register.requestUri, FIRST);
  assert.equal(register.has("Route"), false);
  assert.equal(b.dialled(5054).remoteAddress, "192.0.2.10");
});

async function firstFails(b: Bench, status: number): Promise<void> {
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([1]) });
  const register = await b.exchange(b.register());
  const [next] = await b.send(b.answer(register, status), b.dialled(5054));
  assert.equal(next?.requestUri, SECOND);
}

test("TS 24.229 §5.3.1.3: an S-CSCF that answers 480 or 3xx is replaced by the next one that fits", async () => {
  await firstFails(benchWithUsers({ scscfs }), 480);
  await firstFails(benchWithUsers({ scscfs }), 305);
});

test("TS 24.229 §5.3.1.3: other answers go to the UE", async () => {
  const b = benchWithUsers({ scscfs });
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([1]) });
  const register = await b.exchange(b.register());
  const response = await b.exchange(b.answer(register, 401), b.dialled(5054));
  assert.equal(response.status, 401);
});

test("TS 24.229 §5.3.1.3: an S-CSCF that is silent is replaced after a query with capabilities; none left makes 504", async () => {
  const b = benchWithUsers({ scscfs });
  b.cx.next.UAR.push({ kind: "server", name: FIRST });
  const register = await b.exchange(b.register());
  assert.equal(register.requestUri, FIRST);
  b.cx.taken();
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([1]) });
  const moved = (await b.advance(10_100)).find(({ requestUri }) => requestUri === SECOND);
  assert.ok(moved);
  assert.deepEqual(
    b.cx.calls.map((call) => call.command === "UAR" && call.query.type),
    ["registrationAndCapabilities"],
  );
  const [final] = (await b.advance(10_100)).filter(({ isRequest }) => !isRequest);
  assert.equal(final?.status, 504);
});

test("TS 24.229 §5.3.1.3: an S-CSCF that refuses connections is replaced at once", async () => {
  const b = benchWithUsers({ scscfs });
  b.transport.refuse({ protocol: "TCP", address: "192.0.2.10", port: 5054 });
  b.cx.next.UAR.push({ kind: "capabilities", capabilities: capabilities([1]) });
  const register = await b.exchange(b.register());
  assert.equal(register.requestUri, SECOND);
});

test("TS 24.229 §5.3.2.1: an S-CSCF elsewhere becomes the top Route, the Request-URI stays", async () => {
  const b = benchWithUsers();
  b.cx.next.LIR.push({ kind: "server", name: FIRST, wildcard: "sip:d-!.*!@example.com" });
  const message = await b.exchange(b.request("MESSAGE", { uri: "sip:d-1@example.com" }));
  assert.equal(message.requestUri, "sip:d-1@example.com");
  assert.deepEqual(message.values("Route"), [`<${FIRST};lr>`]);
  assert.equal(message.header("P-Profile-Key"), "<sip:d-!.*!@example.com>");
});

test("TS 24.229 §5.3.2.1, §5.3.2.2: unknown 404, not registered 480, HSS silent 480", async () => {
  const b = benchWithUsers();
  for (const [outcome, status] of [
    [{ kind: "rejected", reason: "userUnknown" }, 404],
    [{ kind: "rejected", reason: "identityNotRegistered" }, 480],
    [{ kind: "unavailable", cause: "timeout" }, 480],
  ] as const) {
    b.cx.next.LIR.push(outcome);
    const response = await b.exchange(b.request("MESSAGE", { uri: "sip:bob@example.com" }));
    assert.equal(response.status, status);
  }
});

test("TS 24.229 §5.3.2.1A: a request with orig is located by its served user and marked for the S-CSCF", async () => {
  const b = benchWithUsers();
  b.cx.next.LIR.push({ kind: "server", name: FIRST, wildcard: undefined });
  const message = await b.exchange(
    b.request("MESSAGE", {
      uri: "sip:far@example.net",
      headers: [`Route: <${ICSCF};lr;orig>`, "P-Served-User: <sip:alice@example.com>"],
    }),
  );
  assert.deepEqual(message.values("Route"), [`<${FIRST};lr;orig>`]);
  const [lir] = b.cx.calls;
  assert.deepEqual(lir?.command === "LIR" && lir.query, {
    impu: "sip:alice@example.com",
    originating: true,
  });
  const nobody = await b.exchange(
    b.request("MESSAGE", { uri: "sip:far@example.net", headers: [`Route: <${ICSCF};lr;orig>`] }),
  );
  assert.equal(nobody.status, 403);
});

test("TS 24.229 §5.3.2.2: an S-CSCF that cannot be reached is replaced after a query with capabilities", async () => {
  const b = benchWithUsers({ scscfs });
  b.transport.refuse({ protocol: "TCP", address: "192.0.2.10", port: 5054 });
  b.cx.next.LIR.push(
    { kind: "server", name: FIRST, wildcard: undefined },
    { kind: "capabilities", capabilities: capabilities([3]), wildcard: undefined },
  );
  const message = await b.exchange(b.request("MESSAGE", { uri: "sip:bob@example.com" }));
  assert.deepEqual(message.values("Route"), [`<${SECOND};lr>`]);
});

test("TS 29.228 §6.7: mandatory capabilities decide, then optional ones, then priority; names given by the HSS come first", () => {
  const selection = new ScscfSelection(scscfs, () => 0);
  const none = new Set<string>();
  assert.deepEqual(selection.candidates(capabilities([1]), none), [FIRST, SECOND]);
  assert.deepEqual(selection.candidates(capabilities([3]), none), [SECOND]);
  assert.deepEqual(selection.candidates(capabilities([1], [3]), none), [SECOND, FIRST]);
  assert.deepEqual(selection.candidates(capabilities([1]), new Set([FIRST])), [SECOND]);
  const named = { mandatory: [7], optional: [], serverNames: [SCSCF] };
  assert.deepEqual(selection.candidates(named, none), [SCSCF]);
});

test("RFC 2782: among equals the weight is the share", () => {
  const equals = [
    { uri: "sip:a", capabilities: [], priority: 0, weight: 3 },
    { uri: "sip:b", capabilities: [], priority: 0, weight: 1 },
  ];
  const firsts = [0, 0.2, 0.7, 0.74, 0.76, 0.99].map(
    (random) => new ScscfSelection(equals, () => random).candidates(capabilities([]), new Set())[0],
  );
  assert.deepEqual(firsts, ["sip:a", "sip:a", "sip:a", "sip:a", "sip:b", "sip:b"]);
});
