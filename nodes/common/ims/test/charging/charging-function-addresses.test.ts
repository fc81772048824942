import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChargingFunctionAddresses } from "../../src/index.ts";

test("RFC 7315 §5.5: P-Charging-Function-Addresses gives collection and event charging functions in order", () => {
  assert.deepEqual(
    parseChargingFunctionAddresses(
      'ccf="aaa://one.example:3868;transport=tcp"; ECF = 192.0.2.1;ccf=two, other=3;ecf=',
    ),
    { ccf: ["aaa://one.example:3868;transport=tcp", "two"], ecf: ["192.0.2.1"] },
  );
  for (const bad of ["", ";;;", '"', "ccf", `ccf="${"x".repeat(9_000)}`])
    assert.ok(parseChargingFunctionAddresses(bad).ccf.length <= 1);
});
