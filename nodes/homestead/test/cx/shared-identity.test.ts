import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { CxResultCode } from "@ims/diameter/cx";
import { parseUserProfile } from "@ims/ims";
import { digestCredentials } from "../../src/hss/digest.ts";
import { recordOfParts } from "../../src/hss/stored.ts";
import { noServices, type ServiceData } from "../../src/hss/subscriber.ts";
import { type CxUnderTest, REALM, SCSCF, startCx } from "./cx-under-test.ts";

const PHONE = "phone@example.com";
const TABLET = "tablet@example.com";
const HOME = "sip:home@example.com";
const WORK = "sip:work@example.com";

const { SUCCESS } = ResultCode;
const {
  FIRST_REGISTRATION,
  SUBSEQUENT_REGISTRATION,
  ERROR_IDENTITIES_DONT_MATCH,
  ERROR_IDENTITY_NOT_REGISTERED,
} = CxResultCode;

const criteria = (server: string): ServiceData => ({
  ...noServices,
  initialFilterCriteria: [
    {
      priority: 0,
      trigger: undefined,
      applicationServer: {
        serverName: server,
        defaultHandling: "continue",
        serviceInfo: undefined,
        includeRegisterRequest: false,
        includeRegisterResponse: false,
      },
      profilePart: "registered",
    },
  ],
});

/** Phone and tablet share the home set, of two profiles; the work set is the phone's. */
async function withFamily(t: TestContext): Promise<CxUnderTest> {
  const cx = await startCx(t);
  const one = (impi: string, ...sets: string[]) => ({
    impi,
    sets,
    credentials: { digest: digestCredentials(impi, REALM, "secret"), aka: undefined },
  });
  const profile = (id: string, services: ServiceData, ...impus: [string, boolean][]) => ({
    id,
    services,
    identities: impus.map(([impu, barred]) => ({ impu, barred })),
  });
  const home = [
    profile("one", criteria("sip:as1.example.com"), [HOME, false], ["tel:+1650", true]),
    profile("two", noServices, ["sip:kid@example.com", false], ["sip:kid-!.*!@example.com", false]),
  ];
  const record = recordOfParts(PHONE, {
    privateIdentities: [one(PHONE, "home", "work"), one(TABLET, "home")],
    sets: [
      { id: "home", profiles: home },
      { id: "work", profiles: [profile("three", noServices, [WORK, false])] },
    ],
  });
  assert.deepEqual(await cx.hss.insert(record), { kind: "written" });
  return cx;
}

const asked = (userName: string, publicIdentity = HOME) => ({ userName, publicIdentity });
const assigned = (userName: string, publicIdentity = HOME) => ({
  userName,
  publicIdentity: [publicIdentity],
});

async function registers(
  cx: CxUnderTest,
  userName: string,
  publicIdentity = HOME,
): Promise<number | undefined> {
  const uaa = await cx.uar(asked(userName, publicIdentity));
  await cx.mar(asked(userName, publicIdentity));
  const saa = await cx.sar("REGISTRATION", assigned(userName, publicIdentity));
  assert.equal(saa.resultCode, SUCCESS);
  return uaa.experimentalResult?.experimentalResultCode;
}

async function isLocated(cx: CxUnderTest, publicIdentity: string): Promise<boolean> {
  const lia = await cx.lir({ publicIdentity });
  if (lia.resultCode === SUCCESS) return lia.serverName === SCSCF;
  assert.equal(lia.experimentalResult?.experimentalResultCode, ERROR_IDENTITY_NOT_REGISTERED);
  return false;
}

test("TS 29.228 §6.1.1.1: an S-CSCF that serves one private identity of a subscription serves the others, and the other sets", async (t) => {
  const cx = await withFamily(t);
  assert.equal(await registers(cx, PHONE), FIRST_REGISTRATION);
  assert.equal(await registers(cx, TABLET), SUBSEQUENT_REGISTRATION);
  const uaa = await cx.uar(asked(PHONE, WORK));
  assert.equal(uaa.experimentalResult?.experimentalResultCode, SUBSEQUENT_REGISTRATION);
  assert.equal(uaa.serverName, SCSCF);
  // Nobody has registered that set yet.
  assert.deepEqual(
    [await isLocated(cx, HOME), await isLocated(cx, "sip:kid-9@example.com"), await isLocated(cx, WORK)],
    [true, true, false],
  );
  const stranger = await cx.uar(asked(TABLET, WORK));
  assert.equal(stranger.experimentalResult?.experimentalResultCode, ERROR_IDENTITIES_DONT_MATCH);
});

test("TS 29.228 §6.1.2.1, annex B: the profile is that of the set, under the private identity that asks, and names the others", async (t) => {
  const cx = await withFamily(t);
  await cx.mar(asked(TABLET));
  const saa = await cx.sar("REGISTRATION", assigned(TABLET));
  assert.deepEqual(saa.associatedIdentities?.userName, [PHONE, TABLET]);
  const parsed = parseUserProfile(saa.userData ?? "");
  assert.ok(parsed.kind === "parsed");
  assert.equal(parsed.profile.privateId, TABLET);
  assert.deepEqual(
    parsed.profile.serviceProfiles.map(({ publicIdentities, initialFilterCriteria }) => [
      publicIdentities.map(({ identity, barred }) => `${barred ? "!" : ""}${identity}`),
      initialFilterCriteria.map(({ applicationServer }) => applicationServer.serverName),
    ]),
    [
      [[HOME, "!tel:+1650"], ["sip:as1.example.com"]],
      [["sip:kid@example.com", "sip:kid-!.*!@example.com"], []],
    ],
  );
});

test("TS 29.228 §6.1.2.1: each private identity is deregistered for itself; the last one takes the S-CSCF with it", async (t) => {
  const cx = await withFamily(t);
  await registers(cx, PHONE);
  await registers(cx, TABLET);
  assert.equal((await cx.sar("USER_DEREGISTRATION", assigned(PHONE))).resultCode, SUCCESS);
  assert.equal(await isLocated(cx, HOME), true);
  // A wrong password of one is nothing to the other.
  await cx.mar(asked(PHONE));
  assert.equal((await cx.sar("AUTHENTICATION_FAILURE", assigned(PHONE))).resultCode, SUCCESS);
  assert.equal(await isLocated(cx, HOME), true);
  assert.equal((await cx.sar("TIMEOUT_DEREGISTRATION", assigned(TABLET))).resultCode, SUCCESS);
  assert.equal(await isLocated(cx, HOME), false);
  const uaa = await cx.uar(asked(TABLET));
  assert.equal(uaa.experimentalResult?.experimentalResultCode, FIRST_REGISTRATION);
});

test("TS 29.228 §6.1.2.1: a deregistration without public identity ends all sets of the private identity, one with several those they are in", async (t) => {
  const cx = await withFamily(t);
  const both = async () => [await isLocated(cx, HOME), await isLocated(cx, WORK)];
  await registers(cx, PHONE);
  await registers(cx, PHONE, WORK);
  assert.deepEqual(await both(), [true, true]);
  await cx.sar("ADMINISTRATIVE_DEREGISTRATION", { userName: PHONE, publicIdentity: undefined });
  assert.deepEqual(await both(), [false, false]);
  await registers(cx, PHONE);
  await registers(cx, PHONE, WORK);
  await registers(cx, TABLET);
  await cx.sar("TIMEOUT_DEREGISTRATION", { userName: PHONE, publicIdentity: [WORK, HOME] });
  assert.deepEqual(await both(), [true, false]);
});

test("TS 29.228 §6.1.2: services of an unregistered shared identity are assigned and given up for all who share it", async (t) => {
  const cx = await withFamily(t);
  const nobody = { userName: undefined, publicIdentity: [HOME] };
  assert.equal((await cx.sar("UNREGISTERED_USER", nobody)).resultCode, SUCCESS);
  assert.equal(await isLocated(cx, HOME), true);
  await registers(cx, TABLET);
  await cx.sar("USER_DEREGISTRATION", assigned(TABLET));
  assert.equal(await isLocated(cx, HOME), false);
});
