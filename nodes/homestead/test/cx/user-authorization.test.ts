import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResultOf, UserAuthorizationTypeValue } from "@ims/diameter/cx";
import { ALICE_URI, SCSCF, startCx } from "./cx-under-test.ts";

test("TS 29.228 §6.1.1.1: a first registration gets capabilities, a later one the S-CSCF", async (t) => {
  const cx = await startCx(t, { optionalCapabilities: [7] });
  cx.add({ capabilities: [3] });
  const first = await cx.uar();
  assert.equal(cxResultOf(first), "FIRST_REGISTRATION");
  assert.deepEqual(first.serverCapabilities?.mandatoryCapability, [3]);
  assert.deepEqual(first.serverCapabilities?.optionalCapability, [7]);
  assert.equal(first.serverName, undefined);
  await cx.mar();
  const pending = await cx.uar();
  assert.equal(cxResultOf(pending), "SUBSEQUENT_REGISTRATION");
  await cx.sar("REGISTRATION");
  const second = await cx.uar();
  assert.equal(cxResultOf(second), "SUBSEQUENT_REGISTRATION");
  assert.equal(second.serverName, SCSCF);
});

test("TS 29.228 §6.7: where any S-CSCF will do there is no Server-Capabilities AVP: Kamailio cannot read an empty one", async (t) => {
  const cx = await startCx(t);
  cx.add();
  const first = await cx.uar();
  assert.equal(cxResultOf(first), "FIRST_REGISTRATION");
  assert.equal("serverCapabilities" in first, false);
});

test("TS 29.228 §6.1.1.1: unknown identities and identities of different users are refused", async (t) => {
  const cx = await startCx(t);
  cx.add();
  cx.add({ impi: "bob@example.com" });
  assert.equal(cxResultOf(await cx.uar({ userName: "nobody@example.com" })), "ERROR_USER_UNKNOWN");
  assert.equal(cxResultOf(await cx.uar({ userName: "__proto__" })), "ERROR_USER_UNKNOWN");
  assert.equal(cxResultOf(await cx.uar({ publicIdentity: "sip:nobody@example.com" })), "ERROR_USER_UNKNOWN");
  assert.equal(cxResultOf(await cx.uar({ publicIdentity: "nonsense" })), "ERROR_USER_UNKNOWN");
  assert.equal(
    cxResultOf(await cx.uar({ publicIdentity: "sip:bob@example.com" })),
    "ERROR_IDENTITIES_DONT_MATCH",
  );
});

test("TS 23.003 §13.4: other spellings of the same identities are the same user", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [ALICE_URI, "tel:+1-650-555"] });
  for (const publicIdentity of ["sip:alice@EXAMPLE.com", "sips:alice@example.com;x=y", "tel:+1650555"]) {
    const answer = await cx.uar({ publicIdentity, userName: "alice@EXAMPLE.COM" });
    assert.equal(cxResultOf(answer), "FIRST_REGISTRATION", publicIdentity);
  }
});

test("TS 29.228 §6.1.1.1: a set whose identities are all barred may not register, except in an emergency", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [{ impu: ALICE_URI, barred: true }] });
  assert.equal((await cx.uar()).resultCode, ResultCode.AUTHORIZATION_REJECTED);
  assert.equal(cxResultOf(await cx.uar({ uarFlags: 1 })), "FIRST_REGISTRATION");
});

test("TS 29.228 §6.1.1.1: a barred identity registers its set when another one is not barred", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [{ impu: ALICE_URI, barred: true }, "tel:+1650"] });
  assert.equal(cxResultOf(await cx.uar()), "FIRST_REGISTRATION");
});

test("TS 29.228 §6.1.1.1: roaming is allowed from listed networks only", async (t) => {
  const cx = await startCx(t, { allowedVisitedNetworks: ["example.com"] });
  cx.add();
  assert.equal(cxResultOf(await cx.uar()), "ERROR_ROAMING_NOT_ALLOWED");
  assert.equal(cxResultOf(await cx.uar({ visitedNetworkIdentifier: "Example.com" })), "FIRST_REGISTRATION");
  assert.equal(cxResultOf(await cx.uar({ uarFlags: 1 })), "FIRST_REGISTRATION");
});

test("TS 29.228 §6.1.1.1: a deregistration needs a registration", async (t) => {
  const cx = await startCx(t);
  cx.add();
  const userAuthorizationType = UserAuthorizationTypeValue.DE_REGISTRATION;
  assert.equal(cxResultOf(await cx.uar({ userAuthorizationType })), "ERROR_IDENTITY_NOT_REGISTERED");
  await cx.register();
  const answer = await cx.uar({ userAuthorizationType });
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.serverName, SCSCF);
});

test("TS 29.228 §6.1.1.1: REGISTRATION_AND_CAPABILITIES gives capabilities to a registered user too", async (t) => {
  const cx = await startCx(t);
  cx.add({ capabilities: [1] });
  await cx.register();
  const answer = await cx.uar({
    userAuthorizationType: UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES,
  });
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.serverName, undefined);
  assert.deepEqual(answer.serverCapabilities?.mandatoryCapability, [1]);
});
