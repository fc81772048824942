import assert from "node:assert/strict";
import { createSecretKey, hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { AkaAnswer } from "@ims/api";
import { akaHa1, akaNonce, digestResponse } from "@ims/sip";
import { akaAnswerFits } from "../../src/aka/answer-fits.ts";
import { keys } from "../../src/aka/milenage.ts";

const [set = {}] = JSON.parse(
  readFileSync(join(import.meta.dirname, "ts35208-test-sets.json"), "utf8"),
) as Readonly<Record<string, string>>[];
const bytes = (name: string): Buffer => Buffer.from(set[name] ?? "", "hex");
const k = createSecretKey(bytes("k"));
const amf = Buffer.from("8000", "hex");
const IMPI = "001010000000001@example.com";

/** What a SIM answers whose OPc is this. */
function answerOf(opc: Uint8Array, algorithm: AkaAnswer["algorithm"] = "AKAv1-MD5"): AkaAnswer {
  const rand = bytes("rand");
  const fields = {
    ...{ algorithm, realm: "example.com", nonce: akaNonce(rand, Buffer.alloc(16)) },
    ...{ method: "REGISTER", uri: "sip:example.com", qop: "auth" as const, nc: "00000001", cnonce: "c" },
  };
  const ha1 = akaHa1(algorithm === "AKAv1-MD5" ? 1 : 2, IMPI, fields.realm, keys(k, opc, rand));
  return { ...fields, print: hash("sha256", digestResponse({ ...fields, ha1 })).slice(0, 32) };
}

test("TS 35.206 §4.1: the answer of a SIM whose OP is stored as OPc is told from that of another SIM", () => {
  const [op, opc] = [bytes("op"), bytes("opc")];
  for (const algorithm of ["AKAv1-MD5", "AKAv2-MD5"] as const) {
    assert.equal(akaAnswerFits(IMPI, { k, opc: op, amf }, answerOf(opc, algorithm)), "op");
    assert.equal(akaAnswerFits(IMPI, { k, opc, amf }, answerOf(opc, algorithm)), "opc");
    assert.equal(akaAnswerFits(IMPI, { k, opc, amf }, answerOf(op, algorithm)), "neither");
  }
  assert.equal(akaAnswerFits("another@example.com", { k, opc, amf }, answerOf(opc)), "neither");
});

test("a nonce that is none fits nothing", () => {
  const answer = { ...answerOf(bytes("opc")), nonce: "short" };
  assert.equal(akaAnswerFits(IMPI, { k, opc: bytes("opc"), amf }, answer), "neither");
});
