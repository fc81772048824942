import { timingSafeEqual } from "node:crypto";
import type { AkaCredentials } from "../hss/subscriber.ts";
import { keys, macs, milenage } from "./milenage.ts";
import { sqnBytes, sqnOf } from "./sequence-number.ts";

/** Authentication vector: TS 33.102 §6.3.2. */
export type AkaVector = {
  readonly rand: Uint8Array;
  readonly autn: Uint8Array;
  readonly xres: Uint8Array;
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
};

/** AUTN = SQN xor AK || AMF || MAC-A. */
export function akaVector(credentials: AkaCredentials, rand: Uint8Array, sqn: number): AkaVector {
  const { k, opc, amf } = credentials;
  const sequence = sqnBytes(sqn);
  const { macA, res, ck, ik, ak } = milenage(k, opc, rand, sequence, amf);
  const autn = new Uint8Array(16);
  for (let i = 0; i < 6; i++) autn[i] = (sequence[i] ?? 0) ^ (ak[i] ?? 0);
  autn.set(amf, 6);
  autn.set(macA, 8);
  return { rand, autn, xres: res, ck, ik };
}

/** AUTS is computed with an AMF of zeros (TS 33.102 §6.3.3). */
const RESYNCHRONISATION_AMF = new Uint8Array(2);

/**
 * The SQN a USIM says it is at: `auts` is SQN_MS xor AK* || MAC-S, 14 octets, for the RAND it was challenged with
 * (TS 33.102 §6.3.5). Undefined when MAC-S is wrong.
 */
export function sqnOfAuts(
  credentials: AkaCredentials,
  rand: Uint8Array,
  auts: Uint8Array,
): number | undefined {
  const { k, opc } = credentials;
  const { akStar } = keys(k, opc, rand);
  const sequence = new Uint8Array(6);
  for (let i = 0; i < 6; i++) sequence[i] = (auts[i] ?? 0) ^ (akStar[i] ?? 0);
  const { macS } = macs(k, opc, rand, sequence, RESYNCHRONISATION_AMF);
  return timingSafeEqual(macS, auts.subarray(6, 14)) ? sqnOf(sequence) : undefined;
}
