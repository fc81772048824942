import assert from "node:assert/strict";
import { test } from "node:test";
import {
  credentialsSchema,
  ellisOpenApiDocument,
  newSubscriberSchema,
  openApiDocument,
  subscriberSchema,
} from "../src/index.ts";

test("OpenAPI 3.1: every reference leads somewhere, every operation has a name of its own", () => {
  for (const document of [openApiDocument(), ellisOpenApiDocument()]) {
    const text = JSON.stringify(document);
    const schemas = (document["components"] as { schemas: Record<string, unknown> }).schemas;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(schemas[name ?? ""], name);
    const names = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((match) => match[1]);
    assert.equal(new Set(names).size, names.length);
    assert.equal(text.includes("$schema"), false);
  }
});

test("what a subscriber may be shown with holds no credentials", () => {
  const shown = Object.keys(subscriberSchema.shape);
  for (const secret of ["credentials", "password", "k", "opc"]) assert.equal(shown.includes(secret), false);
});

test("credentials need a password, or k with exactly one of opc and op", () => {
  const hex = "00".repeat(16);
  const cases: [object, boolean][] = [
    [{ password: "x" }, true],
    [{ k: hex, opc: hex }, true],
    [{ k: hex, op: hex, password: "x", amf: "8000", sqn: "000000000020" }, true],
    [{}, false],
    [{ k: hex }, false],
    [{ k: hex, op: hex, opc: hex }, false],
    [{ k: "0g".repeat(16), opc: hex }, false],
    [{ password: "" }, false],
    [{ password: "x".repeat(129) }, false],
  ];
  for (const [given, good] of cases)
    assert.equal(credentialsSchema.safeParse(given).success, good, JSON.stringify(given));
});

test("a new subscriber is refused with names nobody asked for", () => {
  const good = { impi: "a@b", publicIdentities: [{ impu: "sip:a@b" }], credentials: { password: "x" } };
  assert.equal(newSubscriberSchema.safeParse(good).success, true);
  assert.equal(newSubscriberSchema.safeParse({ ...good, admin: true }).success, false);
  assert.equal(newSubscriberSchema.safeParse({ ...good, publicIdentities: [] }).success, false);
});
