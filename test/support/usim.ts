import { createCipheriv, randomBytes } from "node:crypto";

/** A USIM with Milenage (TS 35.206) and the sequence number check of TS 33.102 §6.3.3; independent of the product's code. */
export class Usim {
  readonly #k: Buffer;
  readonly #opc: Buffer;
  readonly #checksAutn: boolean;
  #highestSqn: bigint;

  /** `checksAutn` false: as many a soft phone, which answers whoever asks. */
  constructor(k: string, opc: string, sqn = 0n, { checksAutn = true } = {}) {
    this.#checksAutn = checksAutn;
    this.#k = Buffer.from(k, "hex");
    this.#opc = Buffer.from(opc, "hex");
    this.#highestSqn = sqn;
  }

  /** Runs AKA on RAND || AUTN: RES, CK, IK; or AUTS when the sequence number is too old; or what is wrong. */
  authenticate(
    nonce: Buffer,
  ):
    | { readonly kind: "ok"; readonly res: Buffer; readonly ck: Buffer; readonly ik: Buffer }
    | { readonly kind: "resync"; readonly auts: Buffer }
    | { readonly kind: "macFailure" } {
    const rand = nonce.subarray(0, 16);
    const autn = nonce.subarray(16, 32);
    const temp = this.#encrypt(xor(rand, this.#opc));
    const out = (rotation: number, constant: number): Buffer => {
      const mixed = rotate(xor(temp, this.#opc), rotation);
      mixed[15] = (mixed[15] ?? 0) ^ constant;
      return xor(this.#encrypt(mixed), this.#opc);
    };
    const out2 = out(0, 1);
    const sqn = xor(autn.subarray(0, 6), out2.subarray(0, 6));
    const mac = this.#f1(temp, sqn, autn.subarray(6, 8)).subarray(0, 8);
    if (!this.#checksAutn) return { kind: "ok", res: out2.subarray(8, 16), ck: out(4, 2), ik: out(8, 4) };
    if (!mac.equals(autn.subarray(8, 16))) return { kind: "macFailure" };
    const number = BigInt(`0x${sqn.toString("hex")}`);
    if (number <= this.#highestSqn) {
      const ms = Buffer.from(this.#highestSqn.toString(16).padStart(12, "0"), "hex");
      const macS = this.#f1(temp, ms, Buffer.alloc(2)).subarray(8, 16);
      return { kind: "resync", auts: Buffer.concat([xor(ms, out(12, 8).subarray(0, 6)), macS]) };
    }
    this.#highestSqn = number;
    return { kind: "ok", res: out2.subarray(8, 16), ck: out(4, 2), ik: out(8, 4) };
  }

  #f1(temp: Buffer, sqn: Buffer, amf: Buffer): Buffer {
    const input = Buffer.concat([sqn, amf, sqn, amf]);
    return xor(this.#encrypt(xor(temp, rotate(xor(input, this.#opc), 8))), this.#opc);
  }

  #encrypt(block: Buffer): Buffer {
    const cipher = createCipheriv("aes-128-ecb", this.#k, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]);
  }
}

/** K and OPc of a new SIM, as hex. */
export function newSim(): { k: string; opc: string } {
  return { k: randomBytes(16).toString("hex"), opc: randomBytes(16).toString("hex") };
}

/** OPc of a SIM of an operator, as hex: TS 35.206 §4.1. */
export function opcFrom(k: string, op: string): string {
  const cipher = createCipheriv("aes-128-ecb", Buffer.from(k, "hex"), null).setAutoPadding(false);
  const plain = Buffer.from(op, "hex");
  return xor(Buffer.concat([cipher.update(plain), cipher.final()]), plain).toString("hex");
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

function rotate(block: Buffer, bytes: number): Buffer {
  return Buffer.concat([block.subarray(bytes), block.subarray(0, bytes)]);
}
