import { hash } from "node:crypto";
import type { AkaAnswer, AkaVerdict } from "@ims/api";
import { akaHa1, digestResponse, parseAkaNonce } from "@ims/sip";
import type { AkaCredentials } from "../hss/subscriber.ts";
import { keys, opcOf } from "./milenage.ts";

/**
 * Why a UE's answer to an AKA challenge was wrong: it is what a SIM answers whose OP was provisioned as OPc, the most frequent mistake
 * with SIMs (TS 35.206 §4.1). For people who look for a fault: nothing is authenticated by it.
 */
export function akaAnswerFits(
  impi: string,
  { k, opc }: AkaCredentials,
  answer: AkaAnswer,
): AkaVerdict["fits"] {
  const rand = parseAkaNonce(answer.nonce)?.rand;
  if (rand === undefined) return "neither";
  const { algorithm, method, realm, nonce, uri, qop, nc, cnonce, print } = answer;
  const isOf = (candidate: Uint8Array): boolean => {
    const ha1 = akaHa1(algorithm === "AKAv1-MD5" ? 1 : 2, impi, realm, keys(k, candidate, rand));
    const response = digestResponse({ algorithm, ha1, nonce, method, uri, qop, nc, cnonce });
    return hash("sha256", response).startsWith(print.toLowerCase());
  };
  if (isOf(opc)) return "opc";
  return isOf(opcOf(opc, k)) ? "op" : "neither";
}
