import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../src/index.ts";

test("RFC 1122 §3.2.1.3, RFC 4291 §2.5.3: an address of this machine is known in any of its texts", () => {
  for (const address of ["127.0.0.1", "127.0.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"])
    assert.ok(isLoopback(address), address);
});

test("what only looks like one is none: names, other addresses, no address", () => {
  const others = [
    "127.example.com",
    "127.1",
    "0.0.0.0",
    "192.0.2.1",
    "::",
    "::ffff:192.0.2.1",
    "::1.example",
    "",
  ];
  for (const address of others) assert.ok(!isLoopback(address), address);
});
