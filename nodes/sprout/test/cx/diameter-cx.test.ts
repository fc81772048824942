import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DiameterNode, ResultCode } from "@ims/diameter";
import { cxResult, Lir, Mar, Ppr, Rtr, Sar, ServerAssignmentTypeValue, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import type { CxRequests, PushProfile, RegistrationTermination } from "../../src/cx/cx.ts";
import { DiameterCx, handleCxRequests } from "../../src/cx/diameter-cx.ts";

interface Pair {
  readonly hss: DiameterNode;
  readonly sprout: DiameterNode;
  readonly cx: DiameterCx;
}

/** An HSS and a sprout that talk Diameter over loopback. */
async function connected(t: TestContext): Promise<Pair> {
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  hss.start();
  const sprout = startNode(t, "sprout.example.com");
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await sprout.whenConnected(5_000), true);
  return { hss, sprout, cx: new DiameterCx(sprout, { realm: "example.com", timeoutMs: 2_000 }) };
}

const WHO = { impi: "alice@example.com", impu: "sip:alice@example.com" };
const SCSCF = "sip:127.0.0.1:5054;transport=tcp";

test("TS 29.229 §6.1.1: UAR and its answers", async (t) => {
  const { hss, cx } = await connected(t);
  const asked: unknown[] = [];
  const answers = [
    { ...cxResult("SUBSEQUENT_REGISTRATION"), serverName: SCSCF },
    {
      ...cxResult("FIRST_REGISTRATION"),
      serverCapabilities: { mandatoryCapability: [1, 2], optionalCapability: [3] },
    },
    { ...cxResult("FIRST_REGISTRATION") },
    { ...cxResult("ERROR_USER_UNKNOWN") },
    { ...cxResult("ERROR_ROAMING_NOT_ALLOWED") },
    { resultCode: ResultCode.AUTHORIZATION_REJECTED },
    { resultCode: ResultCode.UNABLE_TO_COMPLY },
    { resultCode: ResultCode.TOO_BUSY },
  ];
  hss.handle(Uar, ({ avps }) => {
    const { userName, publicIdentity, visitedNetworkIdentifier, userAuthorizationType } = avps;
    asked.push([userName, publicIdentity, visitedNetworkIdentifier, userAuthorizationType]);
    return answers.shift() ?? assert.fail("asked too often");
  });
  const ask = () => cx.userAuthorization({ ...WHO, visitedNetwork: "example.net", type: "deregistration" });
  assert.deepEqual(await ask(), { kind: "server", name: SCSCF });
  assert.deepEqual(asked, [["alice@example.com", "sip:alice@example.com", "example.net", 1]]);
  assert.deepEqual(await ask(), {
    kind: "capabilities",
    capabilities: { mandatory: [1, 2], optional: [3], serverNames: [] },
  });
  assert.deepEqual(await ask(), {
    kind: "capabilities",
    capabilities: { mandatory: [], optional: [], serverNames: [] },
  });
  for (const reason of ["userUnknown", "roamingNotAllowed", "authorizationRejected"])
    assert.deepEqual(await ask(), { kind: "rejected", reason });
  assert.deepEqual(await ask(), { kind: "unavailable", cause: "Result-Code 5012", answered: true });
  assert.deepEqual(await ask(), {
    kind: "unavailable",
    cause: "DIAMETER_TOO_BUSY",
    answered: true,
    busy: true,
  });
});

test("TS 29.229 §6.1.7: MAR brings a digest secret or an AKA vector", async (t) => {
  const { hss, cx } = await connected(t);
  const schemes: unknown[] = [];
  const octets = (fill: number, length = 16): Uint8Array => new Uint8Array(length).fill(fill);
  const items = [
    {
      sipAuthenticationScheme: "SIP Digest",
      sipDigestAuthenticate: {
        digestRealm: "example.com",
        digestQop: "auth",
        digestAlgorithm: "MD5",
        digestHa1: "AB",
        alternateDigestAlgorithm: "SHA-256",
        alternateDigestHa1: "CD",
      },
    },
    {
      sipAuthenticationScheme: "Digest-AKAv1-MD5",
      sipAuthenticate: new Uint8Array([...octets(1), ...octets(2)]),
      sipAuthorization: octets(3, 8),
      confidentialityKey: octets(4),
      integrityKey: octets(5),
    },
    { sipAuthenticationScheme: "Digest-AKAv1-MD5", sipAuthenticate: octets(1) },
    { sipAuthenticationScheme: "NASS-Bundled" },
  ];
  hss.handle(Mar, ({ avps }) => {
    const { sipAuthenticationScheme, sipAuthorization } = avps.sipAuthDataItem;
    schemes.push([sipAuthenticationScheme, sipAuthorization === undefined ? 0 : sipAuthorization.length]);
    const item = items.shift();
    return {
      resultCode: ResultCode.SUCCESS,
      ...(item === undefined ? {} : { sipAuthDataItem: [item] }),
    };
  });
  const query = { ...WHO, serverName: SCSCF };
  assert.deepEqual(await cx.multimediaAuth({ ...query, scheme: "unknown" }), {
    kind: "vector",
    vector: {
      kind: "digest",
      realm: "example.com",
      qop: "auth",
      secrets: [
        { algorithm: "SHA-256", ha1: "cd" },
        { algorithm: "MD5", ha1: "ab" },
      ],
    },
  });
  const aka = await cx.multimediaAuth({ ...query, scheme: "akav1", resynchronisation: octets(9, 30) });
  assert.deepEqual(
    aka.kind === "vector" &&
      aka.vector.kind === "aka" && [
        aka.vector.version,
        aka.vector.rand[0],
        aka.vector.autn[0],
        aka.vector.xres.length,
        aka.vector.ck[0],
        aka.vector.ik[0],
      ],
    [1, 1, 2, 8, 4, 5],
  );
  for (const scheme of ["akav2", "sipDigest", "unknown"] as const)
    assert.equal((await cx.multimediaAuth({ ...query, scheme })).kind, "unavailable");
  assert.deepEqual(schemes, [
    ["Unknown", 0],
    ["Digest-AKAv1-MD5", 30],
    ["Digest-AKAv2-MD5", 0],
    ["SIP Digest", 0],
    ["Unknown", 0],
  ]);
});

test("TS 29.229 §6.1.3: SAR names what is assigned and brings profile and charging addresses", async (t) => {
  const { hss, cx } = await connected(t);
  const asked: unknown[] = [];
  hss.handle(Sar, ({ avps }) => {
    const { userName, publicIdentity, serverAssignmentType, userDataAlreadyAvailable } = avps;
    asked.push([userName, publicIdentity, serverAssignmentType, userDataAlreadyAvailable]);
    return {
      resultCode: ResultCode.SUCCESS,
      userData: "<IMSSubscription/>",
      chargingInformation: {
        primaryChargingCollectionFunctionName: "aaa://ccf1.example.com",
        secondaryChargingCollectionFunctionName: "aaa://ccf2.example.com",
      },
      associatedIdentities: { userName: ["alice@example.com", "al@example.com"] },
    };
  });
  const assigned = await cx.serverAssignment({
    type: "REGISTRATION",
    serverName: SCSCF,
    impi: WHO.impi,
    impus: [WHO.impu],
    profileKnown: false,
  });
  assert.deepEqual(assigned, {
    kind: "assigned",
    profileXml: "<IMSSubscription/>",
    charging: { ecf: [], ccf: ["aaa://ccf1.example.com", "aaa://ccf2.example.com"] },
    impis: ["alice@example.com", "al@example.com"],
    wildcard: undefined,
  });
  await cx.serverAssignment({
    type: "UNREGISTERED_USER",
    serverName: SCSCF,
    impus: [WHO.impu],
    profileKnown: true,
  });
  assert.deepEqual(asked, [
    [WHO.impi, [WHO.impu], ServerAssignmentTypeValue.REGISTRATION, 0],
    [undefined, [WHO.impu], ServerAssignmentTypeValue.UNREGISTERED_USER, 1],
  ]);
});

test("TS 29.229 §6.1.5: LIR says whether the request originates, and brings the wildcard matched", async (t) => {
  const { hss, cx } = await connected(t);
  hss.handle(Lir, ({ avps }) =>
    avps.originatingRequest === undefined
      ? {
          resultCode: ResultCode.SUCCESS,
          serverName: SCSCF,
          wildcardedPublicIdentity: "sip:d-!.*!@example.com",
        }
      : cxResult("ERROR_IDENTITY_NOT_REGISTERED"),
  );
  assert.deepEqual(await cx.locationInfo({ impu: "sip:d-1@example.com", originating: false }), {
    kind: "server",
    name: SCSCF,
    wildcard: "sip:d-!.*!@example.com",
  });
  assert.deepEqual(await cx.locationInfo({ impu: "sip:d-1@example.com", originating: true }), {
    kind: "rejected",
    reason: "identityNotRegistered",
  });
});

test("an HSS that is gone is a value, not an exception", async (t) => {
  const sprout = startNode(t, "sprout.example.com");
  sprout.start();
  const cx = new DiameterCx(sprout, { realm: "example.com", timeoutMs: 100 });
  assert.equal(
    (await cx.locationInfo({ impu: "sip:a@example.com", originating: false })).kind,
    "unavailable",
  );
});

test("TS 29.229 §6.1.9, §6.1.11: RTR and PPR arrive in words, and the outcome goes back as a result code", async (t) => {
  const { hss, sprout } = await connected(t);
  const seen: (RegistrationTermination | PushProfile)[] = [];
  const requests: CxRequests = {
    registrationTermination: async (request) => {
      seen.push(request);
      return "success";
    },
    pushProfile: async (request) => {
      seen.push(request);
      return "notSupportedUserData";
    },
  };
  handleCxRequests(sprout, requests);
  const to = { destinationRealm: "example.com", destinationHost: "sprout.example.com" };
  const rta = await hss.request(
    Rtr,
    {
      userName: WHO.impi,
      publicIdentity: [WHO.impu],
      associatedIdentities: { userName: ["al@example.com"] },
      deregistrationReason: { reasonCode: 1, reasonInfo: "moved" },
    },
    to,
  );
  assert.equal(rta.kind === "answer" && rta.result.code, ResultCode.SUCCESS);
  const ppa = await hss.request(Ppr, { userName: WHO.impi, userData: "<x/>" }, to);
  assert.deepEqual(ppa.kind === "answer" && ppa.result, { code: 5009, vendorId: 10415 });
  assert.deepEqual(seen, [
    {
      reason: "NEW_SERVER_ASSIGNED",
      reasonInfo: "moved",
      impi: WHO.impi,
      associatedImpis: ["al@example.com"],
      impus: [WHO.impu],
    },
    { impi: WHO.impi, profileXml: "<x/>", charging: undefined },
  ]);
});
