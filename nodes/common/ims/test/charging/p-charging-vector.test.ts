import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPChargingVector, icidGenerator, parsePChargingVector } from "../../src/index.ts";

test("RFC 7315 §5.6: P-Charging-Vector is read and written", () => {
  const text =
    'icid-value="a;b";icid-generated-at=192.0.2.1;orig-ioi=home.net;term-ioi=other.net;related-icid=z;x';
  const vector = parsePChargingVector(text);
  assert.deepEqual(vector, {
    icid: "a;b",
    icidGeneratedAt: "192.0.2.1",
    origIoi: "home.net",
    termIoi: "other.net",
    others: ["related-icid=z", "x"],
  });
  assert.equal(vector && buildPChargingVector(vector), text);
});

test("RFC 7315 §5.6: a vector without icid-value or with broken quotes is malformed", () => {
  for (const bad of ["", "orig-ioi=a", 'icid-value="a', "icid-value=", "=x", ";;;"]) {
    assert.equal(parsePChargingVector(bad), undefined, bad);
  }
});

test("TS 24.229 §7.2A.5: charging identifiers do not repeat", () => {
  const next = icidGenerator();
  assert.equal(new Set(Array.from({ length: 1000 }, next)).size, 1000);
  assert.notEqual(icidGenerator()(), icidGenerator()());
});
