import assert from "node:assert/strict";
import { test } from "node:test";
import { Acr, rf } from "@ims/diameter/rf";
import { startNode } from "@ims/diameter/testing";
import { freePort } from "@ims/runtime/testing";
import { Cdf } from "../../support/cdf.ts";
import { startFreeDiameter, whyNot } from "./freediameter.ts";

const missing = whyNot();
// Where everything can be installed, a missing peer is a failure.
const skip = missing !== undefined && process.env["CI"] !== "true" ? missing : false;

test("RFC 6733 §9, TS 32.299 §6.2: accounting requests go through freeDiameter to the CDF and back, T bit and all", {
  skip,
  timeout: 60_000,
}, async (t) => {
  assert.equal(missing, undefined);
  const cdf = new Cdf();
  await cdf.up();
  t.after(() => cdf.down());
  const ralfPort = await freePort();
  const relay = await startFreeDiameter(t, [
    { originHost: cdf.originHost, port: cdf.port },
    { originHost: "ralf.example.com", port: ralfPort },
  ]);
  const ralf = startNode(t, "ralf.example.com", { applications: [rf] });
  ralf.addPeer({ host: relay.host, port: relay.port, originHost: relay.originHost });
  ralf.start();
  assert.equal(await ralf.whenConnected(20_000, relay.originHost), true, relay.log());
  const send = (number: number, retransmission: boolean) =>
    ralf.request(
      Acr,
      {
        accountingRecordType: number === 0 ? 2 : 4,
        accountingRecordNumber: number,
        acctApplicationId: 3,
        serviceContextId: "32260@3gpp.org",
        serviceInformation: {
          imsInformation: {
            nodeFunctionality: 0,
            roleOfNode: 0,
            imsChargingIdentifier: "icid-1",
            interOperatorIdentifier: [{ originatingIoi: "a.example", terminatingIoi: "b.example" }],
            timeStamps: {
              sipRequestTimestamp: new Date(1_800_000_000_000),
              sipRequestTimestampFraction: 250,
            },
            causeCode: number === 0 ? undefined : 0,
          },
        },
      },
      {
        destinationRealm: "example.com",
        sessionId: "ralf.example.com;1;1",
        retransmission,
        timeoutMs: 3_000,
      },
    );
  // freeDiameter takes a moment from the capabilities exchange to the first request it relays.
  let first = await send(0, false);
  const isTaken = (): boolean => first.kind === "answer" && first.result.code === 2001;
  for (let tries = 0; !isTaken() && tries < 50; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    first = await send(0, true);
  }
  assert.ok(first.kind === "answer", relay.log());
  assert.equal(first.avps.originHost, cdf.originHost);
  assert.equal(first.peer, relay.originHost);
  const last = await send(1, true);
  assert.equal(last.kind === "answer" && last.result.code, 2001);
  const [start, stop] = [...cdf.records.values()];
  assert.deepEqual([start?.type, stop?.type, stop?.again], ["START", "STOP", true]);
  assert.deepEqual(stop?.avps.routeRecord, ["ralf.example.com"]);
  const ims = stop?.avps.serviceInformation?.imsInformation;
  assert.equal(ims?.imsChargingIdentifier, "icid-1");
  assert.equal(ims?.causeCode, 0);
  assert.deepEqual(ims?.timeStamps, {
    sipRequestTimestamp: new Date(1_800_000_000_000),
    sipRequestTimestampFraction: 250,
  });
});
