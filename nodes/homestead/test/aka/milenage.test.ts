import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keys, macs, milenage, opcOf } from "../../src/aka/milenage.ts";

type TestSet = {
  readonly set: number;
  readonly [name: string]: string | number;
};

const sets = JSON.parse(
  readFileSync(join(import.meta.dirname, "ts35208-test-sets.json"), "utf8"),
) as TestSet[];

for (const one of sets) {
  test(`TS 35.208 §4.3.${one.set}: OPc, f1, f1*, f2, f3, f4, f5 and f5* of test set ${one.set}`, () => {
    const bytes = (name: string): Buffer => Buffer.from(String(one[name]), "hex");
    const k = createSecretKey(bytes("k"));
    const [opc, rand] = [bytes("opc"), bytes("rand")];
    assert.deepEqual(Buffer.from(opcOf(bytes("op"), k)), opc);
    const { macA, macS } = macs(k, opc, rand, bytes("sqn"), bytes("amf"));
    const { res, ck, ik, ak, akStar } = keys(k, opc, rand);
    const all = milenage(k, opc, rand, bytes("sqn"), bytes("amf"));
    assert.deepEqual(all, { macA, macS, res, ck, ik, ak, akStar });
    const computed = { f1: macA, f1Star: macS, f2: res, f3: ck, f4: ik, f5: ak, f5Star: akStar };
    for (const [name, value] of Object.entries(computed)) {
      assert.equal(Buffer.from(value).toString("hex"), one[name], name);
    }
  });
}
