import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock, Trail, type TrailStep } from "@ims/runtime";
import { Mar, Uar } from "../../src/cx/application.ts";
import { cxResult } from "../../src/cx/result-codes.ts";
import type { DiameterNode } from "../../src/diameter-node.ts";
import { withoutAuthData } from "../../src/trail/diameter-trail.ts";
import { startNode } from "../../testing/start-node.ts";

const SECRET = "0123456789abcdefSECRET";
const USER = { userName: "alice@example.com", publicIdentity: "sip:alice@example.com" };

function newTrail(): Trail {
  return new Trail({ bytes: 1_000_000, steps: 1_000, clock: systemClock() });
}

async function titles(trail: Trail, ...keys: string[]): Promise<string[]> {
  return (await steps(trail, ...keys)).map(({ direction, kind, title }) =>
    `${direction} ${kind} ${title}`.trim(),
  );
}

async function steps(trail: Trail, ...keys: string[]): Promise<readonly TrailStep[]> {
  return (await trail.find({ keys, limit: 100, text: true })).steps;
}

async function connect(hss: DiameterNode, sprout: DiameterNode): Promise<void> {
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  assert.equal(await sprout.whenConnected(2_000), true);
}

test("Cx requests and their answers are found by the user, at both ends, and are the same message there", async (t) => {
  const [atHss, atSprout] = [newTrail(), newTrail()];
  const hss = startNode(t, "hss.example.com", { trail: atHss });
  const sprout = startNode(t, "sprout.example.com", { trail: atSprout });
  hss.handle(Uar, () => cxResult("ERROR_USER_UNKNOWN"));
  await connect(hss, sprout);
  const asked = { ...USER, visitedNetworkIdentifier: "example.com" };
  await sprout.request(Uar, asked, { destinationRealm: "example.com" });
  for (const key of ["alice@example.com", "sip:alice@example.com", "alice"]) {
    assert.deepEqual(await titles(atSprout, key), ["out cx UAR", "in cx UAA 5001 ERROR_USER_UNKNOWN"]);
    assert.deepEqual(await titles(atHss, key), ["in cx UAR", "out cx UAA 5001 ERROR_USER_UNKNOWN"]);
  }
  assert.deepEqual(await titles(atSprout, "bob@example.com"), []);
  const [here, there] = [await steps(atSprout, "alice"), await steps(atHss, "alice")];
  assert.deepEqual(
    here.map(({ message }) => message),
    there.map(({ message }) => message),
  );
  assert.equal(here[0]?.ends?.remote, there[0]?.ends?.local);
  assert.equal(here[0]?.fields?.["visitedNetworkIdentifier"], "example.com");
});

test("TS 29.229 §6.3.13: authentication data is neither kept nor shown, the scheme is", async (t) => {
  const [atHss, atSprout] = [newTrail(), newTrail()];
  const kept: string[] = [];
  for (const trail of [atHss, atSprout])
    trail.attach(({ bytes, start, end }) => kept.push(bytes.toString("latin1", start, end)));
  const hss = startNode(t, "hss.example.com", { trail: atHss });
  const sprout = startNode(t, "sprout.example.com", { trail: atSprout });
  const secret = Buffer.from(SECRET);
  hss.handle(Mar, ({ avps }) => ({
    resultCode: 2001,
    userName: avps.userName,
    publicIdentity: avps.publicIdentity,
    sipNumberAuthItems: 2,
    sipAuthDataItem: [
      {
        sipItemNumber: 1,
        sipAuthenticationScheme: "Digest-AKAv1-MD5",
        sipAuthenticate: secret,
        sipAuthorization: secret,
        confidentialityKey: secret,
        integrityKey: secret,
      },
      {
        sipItemNumber: 2,
        sipAuthenticationScheme: "SIP Digest",
        sipDigestAuthenticate: { digestRealm: "example.com", digestQop: "auth", digestHa1: SECRET },
      },
    ],
  }));
  await connect(hss, sprout);
  const asked = {
    ...USER,
    sipAuthDataItem: { sipAuthenticationScheme: "Digest-AKAv1-MD5", sipAuthorization: secret },
    sipNumberAuthItems: 1,
    serverName: "sip:scscf.example.com",
  };
  const outcome = await sprout.request(Mar, asked, { destinationRealm: "example.com" });
  assert.equal(
    outcome.kind === "answer" && outcome.avps.sipAuthDataItem?.length,
    2,
    "the answer itself is whole",
  );
  const found = [...(await steps(atHss, "alice")), ...(await steps(atSprout, "alice"))];
  assert.deepEqual(
    found.map(({ title }) => title),
    ["MAR", "MAA 2001 DIAMETER_SUCCESS", "MAR", "MAA 2001 DIAMETER_SUCCESS"],
  );
  assert.equal(kept.length, 4);
  assert.ok(!kept.join("").includes(SECRET));
  assert.ok(!JSON.stringify(found).includes(SECRET));
  assert.match(JSON.stringify(found), /"sipAuthenticationScheme":"Digest-AKAv1-MD5"/);
});

test("a request that nobody answers leaves a note with its users", async (t) => {
  const trail = newTrail();
  const sprout = startNode(t, "sprout.example.com", { trail });
  const asked = { ...USER, visitedNetworkIdentifier: "example.com" };
  await sprout.request(Uar, asked, { destinationRealm: "example.com" });
  assert.deepEqual(await titles(trail, "alice@example.com"), ["cx UAR: outcome noPeer"]);
  const hss = startNode(t, "hss.example.com");
  hss.handle(Uar, () => new Promise(() => undefined));
  await connect(hss, sprout);
  await sprout.request(Uar, asked, { destinationRealm: "example.com", timeoutMs: 20 });
  assert.deepEqual((await titles(trail, "alice@example.com")).slice(1), [
    "out cx UAR",
    "cx UAR: outcome timeout",
  ]);
});

test("watchdogs and capabilities are of no call, and not kept", async (t) => {
  const trail = newTrail();
  let count = 0;
  trail.attach(() => count++);
  await connect(startNode(t, "hss.example.com", { trail }), startNode(t, "sprout.example.com", { trail }));
  assert.equal(count, 0);
});

test("where bytes cannot be followed as AVPs all of the rest is overwritten", () => {
  for (const length of [0, 7, 200, 0xffffff]) {
    const bytes = Buffer.alloc(64, "S");
    bytes.writeUInt32BE(612, 20);
    bytes[24] = 0x80;
    bytes.writeUIntBE(length, 25, 3);
    withoutAuthData(bytes, 0, 64);
    assert.ok(bytes.subarray(0, 20).equals(Buffer.alloc(20, "S")));
    assert.ok(bytes.subarray(20).equals(Buffer.alloc(44, 0)), String(length));
  }
});
