import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { Rtr, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import { DiameterCx, handleCxRequests } from "../../src/cx/diameter-cx.ts";

test("TS 29.229 §6.1.1, §6.1.10: UAR-Flags say that it is an emergency, RTA names who stays registered for one", async (t) => {
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  const flags: unknown[] = [];
  hss.handle(Uar, async ({ avps }) => {
    flags.push(avps.uarFlags);
    return { resultCode: ResultCode.SUCCESS, serverName: "sip:scscf.example.com" };
  });
  hss.start();
  const sprout = startNode(t, "sprout.example.com");
  sprout.addPeer({ host: "127.0.0.1", port });
  handleCxRequests(sprout, {
    registrationTermination: async ({ impi }) => ({ kept: [{ impi, impu: "sip:alice@example.com" }] }),
    pushProfile: async () => "success",
  });
  sprout.start();
  assert.equal(await sprout.whenConnected(5_000), true);

  const who = { impi: "alice@example.com", impu: "sip:alice@example.com" };
  const query = { ...who, visitedNetwork: "example.com", type: "registration" } as const;
  const cx = new DiameterCx(sprout, { realm: "example.com", timeoutMs: 2_000 });
  await cx.userAuthorization({ ...query, emergency: true });
  await cx.userAuthorization(query);
  assert.deepEqual(flags, [1, undefined]);

  const rta = await hss.request(
    Rtr,
    { userName: who.impi, publicIdentity: [who.impu], deregistrationReason: { reasonCode: 0 } },
    { destinationRealm: "example.com", destinationHost: "sprout.example.com" },
  );
  assert.ok(rta.kind === "answer");
  assert.equal(rta.result.code, ResultCode.SUCCESS);
  assert.deepEqual(rta.avps.identityWithEmergencyRegistration, [
    { userName: who.impi, publicIdentity: who.impu },
  ]);
});
