import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench } from "../support/bench.ts";

const ALICE = { impi: "alice@example.com", impus: ["sip:alice@example.com", "tel:+15550001"] } as const;

test("TS 24.229 §4.11: the 200 to REGISTER tells the P-CSCF what the subscription may claim as Resource-Priority", async () => {
  const b = new Bench();
  b.cx.subscribers.push({ ...ALICE, resourcePriorities: ["ets.1", "wps.3"] });
  assert.deepEqual((await b.registered()).values("Resource-Priority"), ["ets.1", "wps.3"]);
});

test("RFC 4412 §3.1: priorities of a profile that are no tokens, and those of barred identities, grant nothing", async () => {
  const b = new Bench();
  b.cx.subscribers.push({ ...ALICE, resourcePriorities: ["e ts.0", "ets.0\r\nRoute: <sip:x>", "dsn.flash"] });
  assert.deepEqual((await b.registered()).values("Resource-Priority"), ["dsn.flash"]);
});

test("a subscription without priorities grants none", async () => {
  const b = new Bench();
  b.cx.subscribers.push(ALICE);
  assert.equal((await b.registered()).has("Resource-Priority"), false);
});
