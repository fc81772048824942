import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { Rtr } from "@ims/diameter/cx";
import { terminateRegistration } from "../../src/cx/registration-termination.ts";
import { ALICE, ALICE_URI, startCx } from "./cx-under-test.ts";

test("TS 29.228 §6.1.3.1: who the S-CSCF keeps registered for an emergency stays so in the HSS, anybody else does not", async (t) => {
  const cx = await startCx(t);
  const { cscf, hss, server, servers } = cx;
  cx.add();
  await cx.register();
  const answer = { resultCode: ResultCode.SUCCESS };
  let kept = [{ userName: ALICE, publicIdentity: ALICE_URI }];
  cscf.handle(Rtr, async () => ({ ...answer, identityWithEmergencyRegistration: kept }));
  const end = () => terminateRegistration(ALICE, "PERMANENT_TERMINATION", { node: server, hss, servers });
  const state = (): string => {
    const subscriber = hss.byPrivateIdentity(ALICE);
    return typeof subscriber === "object" && "registration" in subscriber
      ? subscriber.registration.state
      : "?";
  };
  assert.deepEqual(await end(), { kind: "done" });
  assert.equal(state(), "registered");
  kept = [{ userName: "bob@example.com", publicIdentity: "sip:bob@example.com" }];
  assert.deepEqual(await end(), { kind: "done" });
  assert.equal(state(), "notRegistered");
});
