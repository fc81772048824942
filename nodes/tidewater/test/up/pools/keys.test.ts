import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { poolKeys } from "../../../src/up/pools/keys.ts";

test("keys are made once, for this user alone; a file that holds none is not overwritten", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const keys = poolKeys(folder);
  assert.match(keys.flowTokenKey, /^[0-9a-f]{64}$/);
  assert.match(keys.gruuKey, /^[0-9a-f]{32}$/);
  assert.deepEqual(poolKeys(folder), keys);
  const file = join(folder, "pool-keys.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  for (const text of ["", "[]", '{"flowTokenKey":1}', JSON.stringify({ ...keys, gruuKey: "short" })]) {
    writeFileSync(file, text);
    assert.throws(() => poolKeys(folder), /pool-keys\.json does not hold the keys/);
  }
  assert.throws(() => poolKeys(join(folder, "no")), /no such file or directory/);
});
