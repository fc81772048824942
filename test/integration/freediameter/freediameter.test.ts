import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiameterNode } from "@ims/diameter";
import { cxResult, cxResultOf, Lir } from "@ims/diameter/cx";
import { startNode, until } from "@ims/diameter/testing";
import { freePort } from "@ims/runtime/testing";
import { startFreeDiameter, whyNot } from "./freediameter.ts";
import { startTap } from "./tap.ts";

/** Against freeDiameter 1.2, a base protocol stack that is not ours, as relay. */

const missing = whyNot();
// Where everything can be installed, a missing peer is a failure.
const skip = missing !== undefined && process.env["CI"] !== "true" ? missing : false;

const CER = 257;
const DWR = 280;
const DPR = 282;

function lir(node: DiameterNode, publicIdentity: string, destinationRealm = "example.com") {
  return node.request(Lir, { publicIdentity }, { destinationRealm, timeoutMs: 3_000 });
}

test("RFC 6733 §5.3 to §5.5: we connect to freeDiameter: CER, DWR and DPR, each way", {
  skip,
  timeout: 60_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const sproutPort = await freePort();
  const relay = await startFreeDiameter(t, [{ originHost: "sprout.example.com", port: sproutPort }]);
  const tap = await startTap(t, relay);
  const sprout = startNode(t, "sprout.example.com", {
    timing: { watchdogMs: 3_000, disconnectTimeoutMs: 10_000 },
  });
  sprout.addPeer({ host: "127.0.0.1", port: tap.port, originHost: relay.originHost });
  sprout.start();
  assert.equal(await sprout.whenConnected(20_000, relay.originHost), true, relay.log());
  assert.deepEqual(tap.passed.slice(0, 2), [
    { from: "client", code: CER, request: true },
    { from: "server", code: CER, request: false },
  ]);
  const elsewhere = () => lir(sprout, "sip:alice@example.com", "nowhere.example");
  let noRoute = await elsewhere();
  // freeDiameter takes a moment from the capabilities exchange to the first request it answers.
  for (let tries = 0; noRoute.kind !== "answer" && tries < 5; tries++) noRoute = await elsewhere();
  assert.equal(
    noRoute.kind === "answer" ? noRoute.result.code : noRoute.kind,
    3002,
    `no peer of that realm: UNABLE_TO_DELIVER\n${relay.log()}`,
  );
  await until(() => tap.count("client", DWR, true) >= 2, "what we ask twice");
  // The answer to the last one may still be under way.
  const unanswered = (): number => tap.count("client", DWR, true) - tap.count("server", DWR, false);
  await until(() => unanswered() === 0, "its answer to each DWR");
  assert.equal(sprout.isConnected(), true);
  await sprout.stop();
  assert.equal(tap.count("client", DPR, true), 1);
  assert.equal(tap.count("server", DPR, false), 1);
});

test("RFC 6733 §5.6: freeDiameter connects to us: its CER, DWR and DPR are answered", {
  skip,
  timeout: 60_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const tap = await startTap(t, { host: "127.0.0.1", port });
  const relay = await startFreeDiameter(t, [{ originHost: "hss.example.com", port: tap.port }]);
  assert.equal(await hss.whenConnected(20_000, relay.originHost), true, relay.log());
  await until(() => tap.count("client", DWR, true) >= 1, "what it asks");
  await until(() => tap.count("server", DWR, false) >= 1, "our DWA");
  await relay.stop();
  assert.equal(tap.count("client", DPR, true), 1, "it said goodbye");
  assert.equal(tap.count("server", DPR, false), 1, "and was answered");
  await until(() => !hss.isConnected(), "that the connection is over");
});

test("TS 29.229 §6.1.5: a Cx request goes through freeDiameter to the HSS and back, 500 at a time", {
  skip,
  timeout: 60_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const hss = startNode(t, "hss.example.com");
  const hssPort = await hss.listen({ host: "127.0.0.1", port: 0 });
  const relay = await startFreeDiameter(t, [
    { originHost: "hss.example.com", port: hssPort },
    { originHost: "sprout.example.com", port: await freePort() },
  ]);
  const routes: (readonly string[] | undefined)[] = [];
  hss.handle(Lir, ({ avps }) => {
    routes.push(avps.routeRecord);
    if (avps.publicIdentity === "sip:nobody@example.com") return cxResult("ERROR_USER_UNKNOWN");
    return { resultCode: 2001, serverName: avps.publicIdentity };
  });
  const sprout = startNode(t, "sprout.example.com");
  sprout.addPeer({ host: relay.host, port: relay.port });
  sprout.start();
  assert.equal(await sprout.whenConnected(20_000, relay.originHost), true, relay.log());
  assert.equal(await hss.whenConnected(20_000, relay.originHost), true, relay.log());
  // freeDiameter takes a moment from the capabilities exchange to the first request it relays.
  let answer = await lir(sprout, "sip:alice@example.com");
  const isServed = (): boolean => answer.kind === "answer" && answer.avps.serverName !== undefined;
  for (let tries = 0; !isServed() && tries < 20; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = await lir(sprout, "sip:alice@example.com");
  }
  routes.splice(0, routes.length - 1);
  assert.equal(answer.kind, "answer");
  if (answer.kind !== "answer") return;
  assert.equal(answer.avps.serverName, "sip:alice@example.com");
  assert.equal(answer.avps.originHost, "hss.example.com");
  assert.equal(answer.peer, relay.originHost);
  // §6.1.9: the relay notes where the request came from.
  assert.deepEqual(routes[0], ["sprout.example.com"]);
  const unknown = await lir(sprout, "sip:nobody@example.com");
  assert.equal(unknown.kind === "answer" && cxResultOf(unknown.avps), "ERROR_USER_UNKNOWN");
  const identities = Array.from({ length: 500 }, (_, i) => `sip:${i}@example.com`);
  const names = await Promise.all(
    identities.map(async (identity) => {
      const outcome = await lir(sprout, identity);
      return outcome.kind === "answer" ? outcome.avps.serverName : outcome.kind;
    }),
  );
  assert.deepEqual(names, identities);
});
