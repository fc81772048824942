import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeResolver } from "@ims/runtime/testing";

test("a zone given as data answers, denies and fails", async () => {
  const resolver = fakeResolver({ "a.example.com": { a: ["192.0.2.1"] }, "mute.example.com": "failed" });
  assert.deepEqual(await resolver.addresses("A.example.com.", 4), {
    kind: "found",
    records: ["192.0.2.1"],
    ttlSeconds: 300,
  });
  assert.equal((await resolver.addresses("a.example.com", 6)).kind, "notFound");
  assert.equal((await resolver.srv("__proto__")).kind, "notFound");
  assert.equal((await resolver.naptr("mute.example.com")).kind, "failed");
  resolver.set("mute.example.com", { aaaa: ["2001:db8::1"] });
  assert.equal((await resolver.addresses("mute.example.com", 6)).kind, "found");
  assert.equal(resolver.asked.length, 5);
});
