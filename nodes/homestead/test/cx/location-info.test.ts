import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResultOf, UserAuthorizationTypeValue } from "@ims/diameter/cx";
import type { InitialFilterCriteria } from "@ims/ims";
import { SCSCF, startCx } from "./cx-under-test.ts";

const voicemail: InitialFilterCriteria = {
  priority: 1,
  applicationServer: {
    serverName: "sip:vm.example.com",
    defaultHandling: "continue",
    includeRegisterRequest: false,
    includeRegisterResponse: false,
  },
  profilePart: "unregistered",
};

test("TS 29.228 §6.1.4.1: a registered user is where its S-CSCF is", async (t) => {
  const cx = await startCx(t);
  cx.add({ impus: ["sip:alice@example.com", "sip:list-!.*!@example.com"] });
  await cx.register();
  const answer = await cx.lir({ publicIdentity: "sip:list-7@example.com" });
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.serverName, SCSCF);
  assert.equal(answer.wildcardedPublicIdentity, "sip:list-!.*!@example.com");
});

test("TS 29.228 §6.1.4.1: a user that is not registered has no place, unless a service or an AS asks", async (t) => {
  const cx = await startCx(t);
  cx.add();
  cx.add({ impi: "bob@example.com", ifc: [voicemail], capabilities: [4] });
  assert.equal(cxResultOf(await cx.lir()), "ERROR_IDENTITY_NOT_REGISTERED");
  assert.equal(cxResultOf(await cx.lir({ originatingRequest: 0 })), "UNREGISTERED_SERVICE");
  const bob = await cx.lir({ publicIdentity: "sip:bob@example.com" });
  assert.equal(cxResultOf(bob), "UNREGISTERED_SERVICE");
  assert.deepEqual(bob.serverCapabilities?.mandatoryCapability, [4]);
  assert.equal(cxResultOf(await cx.lir({ publicIdentity: "sip:nobody@example.com" })), "ERROR_USER_UNKNOWN");
});

test("TS 29.228 §6.1.4.1: a challenge under way makes nobody reachable", async (t) => {
  const cx = await startCx(t);
  cx.add();
  await cx.mar();
  assert.equal(cxResultOf(await cx.lir()), "ERROR_IDENTITY_NOT_REGISTERED");
});

test("TS 29.228 §6.1.4.1: REGISTRATION_AND_CAPABILITIES asks for another S-CSCF", async (t) => {
  const cx = await startCx(t);
  cx.add({ capabilities: [9] });
  await cx.register();
  const answer = await cx.lir({
    userAuthorizationType: UserAuthorizationTypeValue.REGISTRATION_AND_CAPABILITIES,
  });
  assert.equal(answer.resultCode, ResultCode.SUCCESS);
  assert.equal(answer.serverName, undefined);
  assert.deepEqual(answer.serverCapabilities?.mandatoryCapability, [9]);
});
