import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { test } from "node:test";
import { grOf, grParameter, publicGruu, temporaryGruu, temporaryGruuTarget } from "../../src/index.ts";

const key = createSecretKey(Buffer.alloc(16, 7));
const target = { impu: "sip:alice@example.com", instanceId: "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6" };

test("RFC 5627 §3.2: the public GRUU is the address of record with the instance", () => {
  const gruu = publicGruu(target.impu, target.instanceId);
  assert.equal(gruu, "sip:alice@example.com;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  assert.equal(grParameter(gruu ?? ""), target.instanceId);
  assert.equal(grParameter("sip:a;gr=x@example.com"), undefined);
  assert.equal(grParameter("sip:a@example.com;gr"), "");
  assert.equal(grParameter("sip:a@example.com;gr=%zz"), undefined);
  assert.equal(publicGruu("tel:+1650", target.instanceId), undefined);
});

test("TS 24.229 §5.4.7A.2: an IMEI does not show in a public GRUU", () => {
  const gr = grOf("urn:gsma:imei:90420156-025763-0");
  assert.match(gr, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(grOf("urn:gsma:imei:90420156-025763-0"), gr);
});

test("RFC 5627 §3.1.2: temporary GRUUs lead back to the instance, are never the same, and cannot be forged", () => {
  const one = temporaryGruu({ ...target, epoch: "call-1" }, "example.com", key);
  assert.notEqual(one, temporaryGruu({ ...target, epoch: "call-1" }, "example.com", key));
  assert.deepEqual(temporaryGruuTarget(one, key), { ...target, epoch: "call-1" });
  assert.equal(temporaryGruuTarget(one, createSecretKey(Buffer.alloc(16, 8))), undefined);
  const forged = one.replace(/.(?=@)/, (c) => (c === "A" ? "E" : "A"));
  assert.equal(temporaryGruuTarget(forged, key), undefined);
  assert.equal(temporaryGruuTarget("sip:alice@example.com;gr", key), undefined);
});
