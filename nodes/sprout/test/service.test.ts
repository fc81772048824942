import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHealth, metricsRegister, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { createSprout, type SproutError, sproutOptions } from "../src/index.ts";

function create(options: Record<string, unknown>): ReturnType<typeof createSprout> {
  return createSprout(sproutOptions.parse({ icscfPort: 0, scscfPort: 0, ...options }), {
    log: memoryLogger("silent"),
    register: metricsRegister(),
    clock: systemClock(),
    health: createHealth(),
    pacer: { received: () => undefined },
  });
}

test("a mistake in an URI or in the list of S-CSCFs is named, with the option or file", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sprout-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "scscfs.json");
  const fault = (options: Record<string, unknown>): Promise<unknown> =>
    create(options).then(
      () => assert.fail("it was accepted"),
      (error: SproutError) => error.detail,
    );
  assert.deepEqual(await fault({ scscfUri: "tel:+1" }), {
    code: "SPROUT_BAD_URI",
    option: "scscf-uri",
    value: "tel:+1",
  });
  assert.deepEqual(await fault({ scscfFile: file }), {
    code: "SPROUT_SCSCF_FILE",
    file,
    problem: "cannot be read",
  });
  writeFileSync(file, "[");
  assert.deepEqual(await fault({ scscfFile: file }), {
    code: "SPROUT_SCSCF_FILE",
    file,
    problem: "is not JSON",
  });
  writeFileSync(file, '[{"uri":"sip:a.example.com"},{"uri":"mailto:x"}]');
  assert.deepEqual(await fault({ scscfFile: file }), {
    code: "SPROUT_SCSCF_FILE",
    file,
    problem: "1.uri: no SIP URI",
  });
});

test("options refuse what cannot be", () => {
  for (const options of [
    { hssPeer: ["no port here:x"] },
    { gruuKey: "short" },
    { minExpires: 0 },
    { digestAlgorithms: ["CRC32"] },
    { scscfPort: 70_000 },
  ])
    assert.equal(sproutOptions.safeParse(options).success, false, JSON.stringify(options));
});
