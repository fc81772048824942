import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { VERSION } from "@ims/runtime";

test("the version that programs say is that of the packages", () => {
  for (const manifest of ["../package.json", "../../../../package.json", "../../../tidewater/package.json"]) {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, manifest), "utf8"));
    assert.equal(version, VERSION, manifest);
  }
});
