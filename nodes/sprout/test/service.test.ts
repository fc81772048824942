import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CxResultCode, Rtr } from "@ims/diameter/cx";
import { startNode, until } from "@ims/diameter/testing";
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
    { enumServers: ["1.2.3"] },
    { enumDomain: "e164 arpa" },
    { enumTimeoutMs: 0 },
  ])
    assert.equal(sproutOptions.safeParse(options).success, false, JSON.stringify(options));
});

test("stores that do not go together, or cannot be used, are named", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sprout-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const fault = (options: Record<string, unknown>): Promise<unknown> =>
    create(options).then(
      () => assert.fail("it was accepted"),
      (error: SproutError) => error.detail.code,
    );
  assert.equal(await fault({ memcached: ["127.0.0.1:1"], stateDir: folder }), "SPROUT_STORES");
  assert.equal(await fault({ site: "east", memcached: ["127.0.0.1:1"] }), "SPROUT_STORES");
  const copies = { cassandra: ["127.0.0.1:1"], cassandraReplication: ["west:3"] };
  assert.equal(await fault({ site: "east", ...copies }), "CASSANDRA_SCHEMA");
  const file = join(folder, "file");
  writeFileSync(file, "");
  assert.equal(await fault({ stateDir: join(file, "below") }), "SPROUT_STATE_DIR");
  mkdirSync(join(folder, "bad"));
  writeFileSync(
    join(folder, "bad", "registrations.db"),
    "no database, but long enough to look like one ".repeat(20),
  );
  assert.equal(await fault({ stateDir: join(folder, "bad") }), "STORE_DATABASE");
  for (const options of [
    { memcached: ["a b"] },
    { cassandra: ["127.0.0.1"] },
    { durableWrites: "never" },
    { cassandraKeyspace: "x; DROP" },
  ])
    assert.equal(sproutOptions.safeParse(options).success, false, JSON.stringify(options));
});

test("memcached that does not answer: not ready where it is all there is, and named", async (t) => {
  const health = createHealth();
  health.set("ready");
  const service = await createSprout(
    sproutOptions.parse({
      icscfPort: 0,
      scscfPort: 0,
      memcached: ["127.0.0.1:1", "127.0.0.1:2"],
      hssPeer: ["127.0.0.1:1"],
    }),
    {
      log: memoryLogger("silent"),
      register: metricsRegister(),
      clock: systemClock(),
      health,
      pacer: { received: () => undefined },
    },
  );
  t.after(() => service.stop());
  assert.ok(health.reasons().includes("memcached: no memcached answers"), `${health.reasons()}`);
  assert.deepEqual(health.notes(), ["memcached: 127.0.0.1:1, 127.0.0.1:2 away"]);
  assert.deepEqual(
    health.alarms.active().map(({ problem, objectInstance }) => `${problem.id} ${objectInstance}`.trim()),
    ["TW-1301 127.0.0.1:1", "TW-1301 127.0.0.1:2", "TW-1302"],
  );
});

test("TS 29.228 §6.1.3: what the HSS asks while sprout stops still reaches the stores", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sprout-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hss = startNode(t, "hss.example.com");
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  hss.start();
  const sprout = await create({
    homeDomain: "example.com",
    stateDir: folder,
    hssPeer: [`127.0.0.1:${port}`],
  });
  await sprout.start();
  const answers: unknown[] = [];
  const asking = (async () => {
    for (;;) {
      const rta = await hss.request(
        Rtr,
        {
          userName: "alice@example.com",
          publicIdentity: ["sip:alice@example.com"],
          deregistrationReason: { reasonCode: 0 },
        },
        { destinationRealm: "example.com", destinationHost: "sprout.example.com" },
      );
      if (rta.kind !== "answer") return;
      answers.push(rta.result);
    }
  })();
  await until(() => answers.length > 0, "the first answer");
  await sprout.stop();
  await asking;
  for (const answer of answers)
    assert.deepEqual(answer, { code: CxResultCode.ERROR_USER_UNKNOWN, vendorId: 10415 });
});
