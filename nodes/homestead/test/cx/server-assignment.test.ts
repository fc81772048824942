import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResultOf } from "@ims/diameter/cx";
import { parseUserProfile } from "@ims/ims";
import { ALICE, ALICE_URI, SCSCF, startCx } from "./cx-under-test.ts";

const OTHER_SCSCF = "sip:other.example.com";

test("TS 29.228 §6.1.2.1: a registration stores the S-CSCF and hands out the profile of the whole set", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [ALICE_URI, { impu: "tel:+1650", barred: true }, "sip:list-!.*!@example.com"] });
  await cx.mar();
  const answer = await cx.sar("REGISTRATION");
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.userName, ALICE);
  const parsed = parseUserProfile(answer.userData ?? "");
  assert.equal(parsed.kind, "parsed");
  if (parsed.kind !== "parsed") return;
  assert.equal(parsed.profile.privateId, ALICE);
  assert.deepEqual(
    parsed.profile.serviceProfiles[0]?.publicIdentities.map(({ identity, barred, wildcardedImpu }) => [
      identity,
      barred,
      wildcardedImpu,
    ]),
    [
      [ALICE_URI, false, undefined],
      ["tel:+1650", true, undefined],
      ["sip:list-!.*!@example.com", false, "sip:list-!.*!@example.com"],
    ],
  );
  const state = cx.hss.byPrivateIdentity(ALICE)?.registration;
  assert.deepEqual(state, {
    state: "registered",
    authenticationPending: false,
    serverName: SCSCF,
    originHost: "sprout.example.com",
    originRealm: "example.com",
  });
  assert.equal((await cx.sar("RE_REGISTRATION", { userDataAlreadyAvailable: 1 })).userData, undefined);
});

test("TS 29.228 Table 6.1.2.2: Charging-Information names the collection functions where there are some", async (t) => {
  const cx = await startCx(t, { ccf: ["aaa://cdf-1.example.com", "aaa://cdf-2.example.com:3868"] });
  cx.add();
  await cx.mar();
  assert.deepEqual((await cx.sar("REGISTRATION")).chargingInformation, {
    primaryChargingCollectionFunctionName: "aaa://cdf-1.example.com",
    secondaryChargingCollectionFunctionName: "aaa://cdf-2.example.com:3868",
  });
  const without = await startCx(t);
  without.add();
  await without.mar();
  assert.equal((await without.sar("REGISTRATION")).chargingInformation, undefined);
});

test("TS 29.228 §6.1.2.1: another S-CSCF may not take over a user", async (t) => {
  const cx = await startCx(t);
  cx.add();
  await cx.register();
  for (const type of ["REGISTRATION", "UNREGISTERED_USER"] as const) {
    const answer = await cx.sar(type, { serverName: OTHER_SCSCF });
    assert.equal(cxResultOf(answer), "ERROR_IDENTITY_ALREADY_REGISTERED");
    assert.equal(answer.serverName, SCSCF);
  }
  for (const type of ["NO_ASSIGNMENT", "USER_DEREGISTRATION", "AUTHENTICATION_FAILURE"] as const) {
    assert.equal(
      (await cx.sar(type, { serverName: OTHER_SCSCF })).resultCode,
      ResultCode.UNABLE_TO_COMPLY,
      type,
    );
  }
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.state, "registered");
});

test("TS 29.228 §6.1.2.1: every kind of deregistration frees the user, storing ones keep the name", async (t) => {
  const cx = await startCx(t);
  cx.add();
  for (const type of [
    "USER_DEREGISTRATION",
    "TIMEOUT_DEREGISTRATION",
    "ADMINISTRATIVE_DEREGISTRATION",
    "DEREGISTRATION_TOO_MUCH_DATA",
  ] as const) {
    await cx.register();
    assert.equal((await cx.sar(type)).resultCode, ResultCode.SUCCESS, type);
    const { state, serverName } = cx.hss.byPrivateIdentity(ALICE)?.registration ?? {};
    assert.deepEqual([state, serverName], ["notRegistered", undefined], type);
  }
  for (const type of [
    "USER_DEREGISTRATION_STORE_SERVER_NAME",
    "TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME",
  ] as const) {
    await cx.register();
    assert.equal((await cx.sar(type)).resultCode, ResultCode.SUCCESS, type);
    const { state, serverName } = cx.hss.byPrivateIdentity(ALICE)?.registration ?? {};
    assert.deepEqual([state, serverName], ["unregistered", SCSCF], type);
  }
});

test("TS 29.228 §6.1.2.1: a deregistration by private identity alone ends the whole set", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [ALICE_URI, "tel:+1650"] });
  await cx.register();
  assert.equal(
    (await cx.sar("USER_DEREGISTRATION", { publicIdentity: undefined })).resultCode,
    ResultCode.SUCCESS,
  );
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.state, "notRegistered");
});

test("TS 29.228 §6.1.2.1: a failed authentication leaves a registered user registered and frees another", async (t) => {
  const cx = await startCx(t);
  cx.add();
  await cx.mar();
  assert.equal((await cx.sar("AUTHENTICATION_FAILURE")).resultCode, ResultCode.SUCCESS);
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.serverName, undefined);
  await cx.register();
  await cx.mar();
  assert.equal((await cx.sar("AUTHENTICATION_TIMEOUT")).resultCode, ResultCode.SUCCESS);
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.state, "registered");
});

test("TS 29.228 §6.1.2.1: an unregistered user is served by public identity alone, wildcards included", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [ALICE_URI, "sip:list-!.*!@example.com"] });
  const answer = await cx.sar("UNREGISTERED_USER", {
    userName: undefined,
    publicIdentity: ["sip:list-friends@example.com"],
  });
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.userName, ALICE);
  assert.equal(answer.wildcardedPublicIdentity, "sip:list-!.*!@example.com");
  assert.ok(answer.userData);
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.state, "unregistered");
});

test("TS 29.228 §6.1.2.1: requests that do not make sense are refused", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: [ALICE_URI, "tel:+1650"] });
  const two = await cx.sar("REGISTRATION", { publicIdentity: [ALICE_URI, "tel:+1650"] });
  assert.equal(two.resultCode, ResultCode.AVP_OCCURS_TOO_MANY_TIMES);
  assert.equal(
    (await cx.sar("REGISTRATION", { publicIdentity: undefined })).resultCode,
    ResultCode.MISSING_AVP,
  );
  assert.equal((await cx.sar("REGISTRATION", { userName: undefined })).resultCode, ResultCode.MISSING_AVP);
  assert.equal(cxResultOf(await cx.sar("PGW_UPDATE")), "ERROR_IN_ASSIGNMENT_TYPE");
  assert.equal(
    cxResultOf(await cx.sar("REGISTRATION", { publicIdentity: ["sip:x@y"] })),
    "ERROR_USER_UNKNOWN",
  );
});
