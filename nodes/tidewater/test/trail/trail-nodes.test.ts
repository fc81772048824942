import assert from "node:assert/strict";
import { test } from "node:test";
import { nodesIn, trailNodeOf } from "../../src/trail/trail-nodes.ts";

test("nodes are named by a URL, or by what a running core lists", () => {
  assert.deepEqual(trailNodeOf("bono-1=http://127.0.0.1:9101/x"), {
    name: "bono-1",
    url: "http://127.0.0.1:9101",
  });
  assert.deepEqual(trailNodeOf("http://[::1]:9101"), { name: "[::1]:9101", url: "http://[::1]:9101" });
  for (const text of ["bono", "ftp://x", "=http://x", "http://"])
    assert.throws(() => trailNodeOf(text), text);
  const ports = { management: 9_101 };
  assert.deepEqual(
    nodesIn({
      host: "::",
      nodes: [
        { name: "memcached-1", ports },
        { name: "bono", ports },
        { name: "sprout-2", host: "127.0.2.2", ports },
        { name: "homestead", ports: {} },
      ],
    }),
    [
      { name: "bono", url: "http://[::1]:9101" },
      { name: "sprout-2", url: "http://127.0.2.2:9101" },
    ],
  );
});
