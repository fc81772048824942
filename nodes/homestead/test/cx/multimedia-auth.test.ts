import assert from "node:assert/strict";
import { createHash, createSecretKey } from "node:crypto";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { cxResultOf } from "@ims/diameter/cx";
import { keys, macs } from "../../src/aka/milenage.ts";
import { sqnBytes } from "../../src/aka/sequence-number.ts";
import type { AkaCredentials } from "../../src/hss/subscriber.ts";
import { ALICE, SCSCF, startCx } from "./cx-under-test.ts";

const usim: AkaCredentials = {
  k: createSecretKey(Buffer.from("465b5ce8b199b49faa5f0a2ee238a6bc", "hex")),
  opc: Buffer.from("cd63cb71954a9f4e48a5994e37a02baf", "hex"),
  amf: Buffer.from("8000", "hex"),
};

function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ (other[i] ?? 0)));
}

/** What a USIM at `sqn` answers to a challenge out of its range. */
function autsOf(rand: Uint8Array, sqn: number): Uint8Array {
  const sequence = sqnBytes(sqn);
  const { macS } = macs(usim.k, usim.opc, rand, sequence, new Uint8Array(2));
  return Buffer.concat([xor(sequence, keys(usim.k, usim.opc, rand).akStar), macS]);
}

function sqnIn(autn: Uint8Array, rand: Uint8Array): number {
  return xor(autn.subarray(0, 6), keys(usim.k, usim.opc, rand).ak).readUIntBE(0, 6);
}

test("TS 29.228 §6.3.1: SIP Digest hands out the hashes for MD5 and SHA-256 and never the password", async (t) => {
  const cx = await startCx(t);
  cx.add({ password: "secret" });
  for (const sipAuthenticationScheme of ["SIP Digest", "Unknown"]) {
    const answer = await cx.mar({ sipAuthDataItem: { sipAuthenticationScheme } });
    assert.equal(answer.resultCode, ResultCode.SUCCESS);
    assert.equal(answer.userName, ALICE);
    const [item] = answer.sipAuthDataItem ?? [];
    const a1 = "alice@example.com:example.com:secret";
    assert.equal(item?.sipAuthenticationScheme, "SIP Digest");
    assert.deepEqual(
      { ...item?.sipDigestAuthenticate },
      {
        digestRealm: "example.com",
        digestAlgorithm: "MD5",
        digestQop: "auth",
        digestHa1: createHash("md5").update(a1).digest("hex"),
        alternateDigestAlgorithm: "SHA-256",
        alternateDigestHa1: createHash("sha256").update(a1).digest("hex"),
      },
    );
  }
  const { registration } = cx.hss.byPrivateIdentity(ALICE) ?? {};
  assert.equal(registration?.authenticationPending, true);
  assert.equal(registration?.serverName, SCSCF);
});

test("TS 29.228 §6.3.1: a scheme the user has no credentials for is refused", async (t) => {
  const cx = await startCx(t);
  cx.add();
  cx.add({ impi: "sim@example.com", password: undefined, aka: usim });
  const sim = { userName: "sim@example.com", publicIdentity: "sip:sim@example.com" };
  for (const [scheme, user] of [
    ["Digest-AKAv1-MD5", {}],
    ["SIP Digest", sim],
    ["NASS-Bundled", sim],
    ["__proto__", {}],
  ] as const) {
    const answer = await cx.mar({ sipAuthDataItem: { sipAuthenticationScheme: scheme }, ...user });
    assert.equal(cxResultOf(answer), "ERROR_AUTH_SCHEME_NOT_SUPPORTED", scheme);
  }
});

test("TS 33.102 §6.3.2: AKA vectors are what the USIM computes, every SQN once", async (t) => {
  const cx = await startCx(t);
  cx.add({ password: undefined, aka: usim, sqn: 64 });
  const seen: number[] = [];
  for (const scheme of ["Digest-AKAv1-MD5", "Digest-AKAv2-MD5", "Unknown"]) {
    const answer = await cx.mar({
      sipAuthDataItem: { sipAuthenticationScheme: scheme },
      sipNumberAuthItems: 2,
    });
    assert.equal(answer.sipAuthDataItem?.length, 2);
    for (const item of answer.sipAuthDataItem ?? []) {
      assert.equal(item.sipAuthenticationScheme, scheme === "Unknown" ? "Digest-AKAv1-MD5" : scheme);
      const rand = item.sipAuthenticate?.subarray(0, 16) ?? new Uint8Array();
      const autn = item.sipAuthenticate?.subarray(16) ?? new Uint8Array();
      const expected = keys(usim.k, usim.opc, rand);
      const sqn = sqnIn(autn, rand);
      const { macA } = macs(usim.k, usim.opc, rand, sqnBytes(sqn), usim.amf);
      assert.deepEqual(Buffer.from(autn.subarray(8)), Buffer.from(macA));
      assert.deepEqual(Buffer.from(item.sipAuthorization ?? []), Buffer.from(expected.res));
      assert.deepEqual(Buffer.from(item.confidentialityKey ?? []), Buffer.from(expected.ck));
      assert.deepEqual(Buffer.from(item.integrityKey ?? []), Buffer.from(expected.ik));
      seen.push(sqn);
    }
  }
  // §C.3.2: SEQ counts up by one, IND goes round.
  assert.deepEqual(seen, [97, 130, 163, 196, 229, 262]);
});

test("TS 33.102 §6.3.5: AUTS of the USIM sets the sequence number, a forged one is refused", async (t) => {
  const cx = await startCx(t);
  cx.add({ password: undefined, aka: usim });
  const rand = Buffer.alloc(16, 5);
  const ahead = 2 ** 40 + 17;
  const resynchronise = (auts: Uint8Array) =>
    cx.mar({
      sipAuthDataItem: {
        sipAuthenticationScheme: "Digest-AKAv1-MD5",
        sipAuthorization: Buffer.concat([rand, auts]),
      },
    });
  const forged = Buffer.from(autsOf(rand, ahead));
  forged[13] = (forged[13] ?? 0) ^ 1;
  assert.equal((await resynchronise(forged)).resultCode, ResultCode.UNABLE_TO_COMPLY);
  assert.equal((await resynchronise(forged.subarray(0, 5))).resultCode, ResultCode.UNABLE_TO_COMPLY);
  const answer = await resynchronise(autsOf(rand, ahead));
  const challenge = answer.sipAuthDataItem?.[0]?.sipAuthenticate ?? new Uint8Array();
  const sqn = sqnIn(challenge.subarray(16), challenge.subarray(0, 16));
  assert.equal(Math.floor(sqn / 32), Math.floor(ahead / 32) + 1);
  // An AUTS that is played again does not set it back.
  await resynchronise(autsOf(rand, ahead - 3200));
  assert.equal(Math.floor((cx.hss.byPrivateIdentity(ALICE)?.sqn ?? 0) / 32), Math.floor(ahead / 32) + 2);
});

test("TS 29.228 §6.3.1: a challenge of a registered user by its own S-CSCF leaves the state alone", async (t) => {
  const cx = await startCx(t);
  cx.add();
  await cx.register();
  await cx.mar();
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.authenticationPending, false);
  await cx.mar({ serverName: "sip:new.example.com" });
  assert.equal(cx.hss.byPrivateIdentity(ALICE)?.registration.serverName, "sip:new.example.com");
});
