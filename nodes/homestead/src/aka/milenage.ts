import { createCipheriv } from "node:crypto";

/** The MILENAGE functions of TS 35.206 §4.1, with the constants c1..c5 and r1..r5 it recommends. */

/** Outputs of f2 to f5 and f5* for one RAND. */
export type MilenageKeys = {
  readonly res: Uint8Array;
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
  readonly ak: Uint8Array;
  /** Anonymity key of f5*, for resynchronisation. */
  readonly akStar: Uint8Array;
};

/** OPc of an operator's OP: TS 35.206 §4.1. 16 octets each. */
export function opcOf(op: Uint8Array, k: Uint8Array): Uint8Array {
  const opc = encrypt(k, op);
  for (let i = 0; i < 16; i++) opc[i] = (opc[i] ?? 0) ^ (op[i] ?? 0);
  return opc;
}

/** f1 (MAC-A) and f1* (MAC-S), 8 octets each, for a SQN of 6 and an AMF of 2 octets. */
export function macs(
  k: Uint8Array,
  opc: Uint8Array,
  rand: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): { readonly macA: Uint8Array; readonly macS: Uint8Array } {
  const temp = encrypt(k, xor(rand, opc));
  // IN1 = SQN || AMF || SQN || AMF; rotated by r1 = 64 bits, so its halves, which are equal, change places.
  const block = new Uint8Array(16);
  for (let half = 0; half < 16; half += 8) {
    block.set(sqn, half);
    block.set(amf, half + 6);
  }
  for (let i = 0; i < 16; i++) block[i] = (temp[i] ?? 0) ^ (block[i] ?? 0) ^ (opc[(i + 8) & 15] ?? 0);
  const out = xor(encrypt(k, block), opc);
  return { macA: out.slice(0, 8), macS: out.slice(8) };
}

/** Rotations r2..r5 in octets and constants c2..c5. */
const FUNCTIONS = [
  [0, 1],
  [4, 2],
  [8, 4],
  [12, 8],
] as const;

/** f2, f3, f4, f5 and f5*. */
export function keys(k: Uint8Array, opc: Uint8Array, rand: Uint8Array): MilenageKeys {
  const temp = encrypt(k, xor(rand, opc));
  const blocks = new Uint8Array(64);
  for (const [index, [rotation, constant]] of FUNCTIONS.entries()) {
    for (let i = 0; i < 16; i++) {
      const from = (i + rotation) & 15;
      blocks[index * 16 + i] = (temp[from] ?? 0) ^ (opc[from] ?? 0);
    }
    blocks[index * 16 + 15] = (blocks[index * 16 + 15] ?? 0) ^ constant;
  }
  const out = encrypt(k, blocks);
  for (let i = 0; i < 64; i++) out[i] = (out[i] ?? 0) ^ (opc[i & 15] ?? 0);
  return {
    ak: out.slice(0, 6),
    res: out.slice(8, 16),
    ck: out.slice(16, 32),
    ik: out.slice(32, 48),
    akStar: out.slice(48, 54),
  };
}

function encrypt(k: Uint8Array, blocks: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", k, null).setAutoPadding(false);
  return Uint8Array.from(cipher.update(blocks));
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  const result = new Uint8Array(one.length);
  for (let i = 0; i < one.length; i++) result[i] = (one[i] ?? 0) ^ (other[i] ?? 0);
  return result;
}
