import assert from "node:assert/strict";
import { test } from "node:test";
import { isSuccess, resultClass, resultOf } from "../../src/base/result.ts";
import { resultCodeName } from "../../src/base/result-codes.ts";
import { CxResultCode, cxResult, cxResultOf } from "../../src/cx/result-codes.ts";

test("TS 29.229 §6.2: every Cx result goes into Experimental-Result and comes back by name", () => {
  for (const [name, code] of Object.entries(CxResultCode)) {
    const avps = cxResult(name as keyof typeof CxResultCode);
    assert.deepEqual(avps, { experimentalResult: { vendorId: 10415, experimentalResultCode: code } });
    assert.equal(cxResultOf(avps), name);
    assert.equal(isSuccess(avps), code < 3000);
  }
});

test("RFC 6733 §7.6: the result is read from either AVP, and is never missing", () => {
  assert.deepEqual(resultOf({ resultCode: 2001 }), { code: 2001, vendorId: 0 });
  assert.deepEqual(resultOf(cxResult("ERROR_USER_UNKNOWN")), { code: 5001, vendorId: 10415 });
  assert.deepEqual(resultOf({}), { code: 5012, vendorId: 0 });
  assert.equal(isSuccess({}), false);
});

test("TS 29.229 §6.2: 5001 of the base protocol or of another vendor is not USER_UNKNOWN", () => {
  assert.equal(cxResultOf({ resultCode: 5001 }), undefined);
  assert.equal(cxResultOf({ experimentalResult: { vendorId: 1, experimentalResultCode: 5001 } }), undefined);
  assert.equal(
    cxResultOf({ experimentalResult: { vendorId: 10415, experimentalResultCode: 5010 } }),
    undefined,
  );
});

test("RFC 6733 §7.1: classes and names of result codes", () => {
  assert.deepEqual([1001, 2001, 3002, 4003, 5012, 0, 6000, 999_999].map(resultClass), [
    "informational",
    "success",
    "protocol",
    "transient",
    "permanent",
    "other",
    "other",
    "other",
  ]);
  assert.equal(resultCodeName(5010), "DIAMETER_NO_COMMON_APPLICATION");
  assert.equal(resultCodeName(1), "1");
});
