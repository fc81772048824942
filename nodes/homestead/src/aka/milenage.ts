import { createCipheriv, type KeyObject } from "node:crypto";

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

/** Outputs of f1 and f1*, 8 octets each. */
export type Macs = { readonly macA: Uint8Array; readonly macS: Uint8Array };

const BLOCK = 16;
/** Rotations r2..r5 in octets and constants c2..c5. */
const FUNCTIONS = [
  [0, 1],
  [4, 2],
  [8, 4],
  [12, 8],
] as const;

/** OPc of an operator's OP of 16 octets: TS 35.206 §4.1. */
export function opcOf(op: Uint8Array, k: KeyObject): Uint8Array {
  const opc = blockCipher(k)(op).slice();
  for (let i = 0; i < BLOCK; i++) opc[i] = (opc[i] ?? 0) ^ (op[i] ?? 0);
  return opc;
}

/** f1 and f1* for a SQN of 6 and an AMF of 2 octets. */
export function macs(
  k: KeyObject,
  opc: Uint8Array,
  rand: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): Macs {
  const encrypt = blockCipher(k);
  const block = new Uint8Array(BLOCK);
  writeF1(block, encrypt(xor(rand, opc)), opc, sqn, amf);
  return readMacs(encrypt(block), opc);
}

/** f2, f3, f4, f5 and f5*. */
export function keys(k: KeyObject, opc: Uint8Array, rand: Uint8Array): MilenageKeys {
  const encrypt = blockCipher(k);
  const blocks = new Uint8Array(BLOCK * 4);
  writeF2ToF5(blocks, encrypt(xor(rand, opc)), opc);
  return readKeys(encrypt(blocks), opc);
}

/** All of them for one challenge, in two passes of the cipher. */
export function milenage(
  k: KeyObject,
  opc: Uint8Array,
  rand: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): MilenageKeys & Macs {
  const encrypt = blockCipher(k);
  const temp = encrypt(xor(rand, opc));
  const blocks = new Uint8Array(BLOCK * 5);
  writeF2ToF5(blocks, temp, opc);
  writeF1(blocks.subarray(BLOCK * 4), temp, opc, sqn, amf);
  const out = encrypt(blocks);
  return { ...readKeys(out, opc), ...readMacs(out.subarray(BLOCK * 4), opc) };
}

/** IN1 = SQN || AMF || SQN || AMF; rotated by r1 = 64 bits, so its halves, which are equal, change places; c1 = 0. */
function writeF1(
  block: Uint8Array,
  temp: Uint8Array,
  opc: Uint8Array,
  sqn: Uint8Array,
  amf: Uint8Array,
): void {
  for (let i = 0; i < BLOCK; i++) {
    const at = i & 7;
    const input = (at < 6 ? sqn[at] : amf[at - 6]) ?? 0;
    block[i] = (temp[i] ?? 0) ^ input ^ (opc[(i + 8) & 15] ?? 0);
  }
}

function writeF2ToF5(blocks: Uint8Array, temp: Uint8Array, opc: Uint8Array): void {
  for (const [index, [rotation, constant]] of FUNCTIONS.entries()) {
    for (let i = 0; i < BLOCK; i++) {
      const from = (i + rotation) & 15;
      blocks[index * BLOCK + i] = (temp[from] ?? 0) ^ (opc[from] ?? 0);
    }
    const last = index * BLOCK + 15;
    blocks[last] = (blocks[last] ?? 0) ^ constant;
  }
}

function readMacs(out: Uint8Array, opc: Uint8Array): Macs {
  const value = xor(out, opc);
  return { macA: value.slice(0, 8), macS: value.slice(8) };
}

function readKeys(out: Uint8Array, opc: Uint8Array): MilenageKeys {
  const value = new Uint8Array(BLOCK * 4);
  for (let i = 0; i < value.length; i++) value[i] = (out[i] ?? 0) ^ (opc[i & 15] ?? 0);
  return {
    ak: value.slice(0, 6),
    res: value.slice(8, 16),
    ck: value.slice(16, 32),
    ik: value.slice(32, 48),
    akStar: value.slice(48, 54),
  };
}

/** AES-128 on whole blocks. The key is a KeyObject: octets would be imported anew for every cipher. */
function blockCipher(k: KeyObject): (blocks: Uint8Array) => Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", k, null).setAutoPadding(false);
  return (blocks) => cipher.update(blocks);
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) result[i] = (one[i] ?? 0) ^ (other[i] ?? 0);
  return result;
}
