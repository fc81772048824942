import assert from "node:assert/strict";
import { test } from "node:test";
import { startCore } from "../support/core-under-test.ts";

test("a provisioning request too long for one subscriber is refused before it is read, and answers stay short", async (t) => {
  const core = await startCore(t);
  const post = async (body: string): Promise<{ status: number; text: string }> => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${core.provisioning}/subscribers`, { method: "POST", headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  const keys = (count: number): string =>
    `{${Array.from({ length: count }, (_, index) => `"key${index}":1`).join(",")}}`;
  assert.equal((await post(keys(200_000))).status, 413);
  assert.equal((await post("[".repeat(1_000_000))).status, 413);
  const wrong = await post(keys(4_000));
  assert.equal(wrong.status, 400);
  assert.ok(wrong.text.length < 5_000, `${wrong.text.length} octets`);
  for (const body of [
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    "null",
    "[]",
    '"x"',
    "",
  ])
    assert.equal((await post(body)).status, 400, body);
  assert.equal((await fetch(`http://${core.host}:9103/health/ready`)).status, 200);
});
