import assert from "node:assert/strict";
import { test } from "node:test";
import { Ppr, Rtr } from "@ims/diameter/cx";
import { refusedWith, startApi } from "./api-under-test.ts";

const alice = {
  impi: "alice@example.com",
  publicIdentities: [{ impu: "sip:alice@example.com" }, { impu: "tel:+1650", barred: true }],
  credentials: { password: "s3cret-word" },
};
const tablet = {
  impi: "tablet@example.com",
  sharesWith: "alice@example.com",
  credentials: { password: "other-word" },
};

test("TS 23.228 §4.3.3.4: one more private identity shares the sets of another, is shown, changed, and leaves", async (t) => {
  const { client, url, cx } = await startApi(t);
  await client.add(alice);
  const added = await client.share(tablet);
  assert.deepEqual(added.sharesWith, ["alice@example.com"]);
  assert.deepEqual(
    added.publicIdentities.map(({ impu, barred }) => [impu, barred]),
    [
      ["sip:alice@example.com", false],
      ["tel:+1650", true],
    ],
  );
  assert.deepEqual(
    added.registrationSets?.map(({ privateIdentities }) => privateIdentities),
    [["alice@example.com", "tablet@example.com"]],
  );
  const text = await (await fetch(`${url}/subscribers/tablet@example.com`)).text();
  for (const secret of ["-word", "ha1"]) assert.equal(text.includes(secret), false);
  // What both have, either changes; what proves one is his own.
  await client.update("tablet@example.com", { addPublicIdentities: [{ impu: "tel:+1651" }] });
  assert.equal((await client.get("alice@example.com")).publicIdentities.length, 3);
  const before = cx.hss.byPrivateIdentity("alice@example.com")?.credentials.digest?.ha1Md5;
  await client.update("tablet@example.com", { credentials: { password: "third-word" } });
  assert.equal(cx.hss.byPrivateIdentity("alice@example.com")?.credentials.digest?.ha1Md5, before);
  await client.delete("alice@example.com");
  const left = await client.get("tablet@example.com");
  assert.deepEqual([left.sharesWith, left.publicIdentities.length], [undefined, 3]);
  await client.add({ ...alice, publicIdentities: [{ impu: "sip:new@example.com" }] });
  await client.delete("tablet@example.com");
  await client.add({ ...alice, impi: "other@example.com" });
});

test("sharing is refused with whom there is none, under a name in use, and with identities of one's own", async (t) => {
  const { client, url } = await startApi(t);
  await refusedWith(client.share(tablet), 404);
  await client.add(alice);
  await client.share(tablet);
  assert.match(await refusedWith(client.share(tablet), 409), /tablet@example\.com exists already/);
  await refusedWith(
    client.add({ ...alice, impi: "tablet@example.com", publicIdentities: [{ impu: "sip:t@y.z" }] }),
    409,
  );
  for (const wrong of [
    { ...tablet, impi: "nonsense" },
    { ...tablet, sharesWith: 5 },
    { ...tablet, credentials: {} },
    { ...tablet, publicIdentities: [{ impu: "sip:x@y.z" }] },
  ]) {
    const response = await fetch(`${url}/subscribers`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(wrong),
    });
    assert.equal(response.status, 400, JSON.stringify(wrong));
  }
});

test("TS 29.228 §6.1.3, §6.2.1: RTR goes out for the private identity that leaves, PPR for the set that changes", async (t) => {
  const { client, cx } = await startApi(t);
  const sent: string[] = [];
  cx.cscf.handle(Rtr, ({ avps }) => {
    sent.push(`RTR ${avps.userName} ${avps.publicIdentity?.join(" ")}`);
    return { resultCode: 2001 };
  });
  cx.cscf.handle(Ppr, ({ avps }) => {
    sent.push(`PPR ${/<Identity>tel:\+1652/.test(avps.userData ?? "")}`);
    return { resultCode: 2001 };
  });
  await client.add(alice);
  await cx.register();
  await client.share(tablet);
  const mine = { userName: "tablet@example.com" };
  await cx.mar(mine);
  await cx.sar("REGISTRATION", mine);
  await client.update("alice@example.com", { addPublicIdentities: [{ impu: "tel:+1652" }] });
  await client.delete("tablet@example.com");
  assert.deepEqual(sent, ["PPR true", "RTR tablet@example.com sip:alice@example.com tel:+1650 tel:+1652"]);
  // The other one is registered still.
  assert.equal((await client.get("alice@example.com")).publicIdentities[0]?.state, "registered");
});
