import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readJoinTokenFile } from "../../src/scaler/join-token-file.ts";
import { readScalerConfig } from "../../src/scaler/scaler-config.ts";
import { setUp, sizeOf } from "../../testing/scaler-setting.ts";

const FIRST = "first-token-of-22-chars-and-more";
const SECOND = "second-token-of-22-chars-and-more";

function tokenFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "token-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "token");
}

test("each growth is given the join token that is in the file then; it is in no log and no state, and replaces no server", async (t) => {
  const set = await setUp(t);
  const { cloud, pace, again, log, path } = set;
  const file = tokenFile(t);
  const scaler = again({ joinToken: () => readJoinTokenFile(file) });
  const given = (): string | undefined => cloud.stacks.get("ims")?.parameters.get("join_token");
  const turn = async (direction: "out" | "in"): Promise<void> => {
    pace.advance(1_000_000);
    scaler.wish({ pool: "sprout", direction, from: "test" });
    await scaler.turn();
  };
  writeFileSync(file, `${FIRST}\n`, { mode: 0o600 });
  await turn("out");
  assert.deepEqual([sizeOf(set), given()], ["11", FIRST]);
  const before = new Set(cloud.compute.servers.keys());
  writeFileSync(file, SECOND);
  await turn("in");
  assert.deepEqual([sizeOf(set), given()], ["7", FIRST], "who leaves needs none");
  await turn("out");
  assert.deepEqual([sizeOf(set), given()], ["11", SECOND]);
  const stayed = [...cloud.compute.servers.keys()].filter((id) => before.has(id));
  assert.equal(stayed.length, before.size - 4);
  assert.notEqual(cloud.stacks.get("ims")?.parameters.get("user_data_update"), "REPLACE");
  const told = log.join() + readFileSync(path, "utf8");
  assert.ok(!told.includes(FIRST) && !told.includes(SECOND));
});

test("a join token that others may read, is none or is away: no pool grows, it is said why, and the wish is kept", async (t) => {
  const set = await setUp(t);
  const { again, log } = set;
  const file = tokenFile(t);
  const scaler = again({ joinToken: () => readJoinTokenFile(file) });
  scaler.wish({ pool: "sprout", direction: "out", from: "test" });
  await scaler.turn();
  writeFileSync(file, "too short", { mode: 0o600 });
  await scaler.turn();
  writeFileSync(file, FIRST);
  chmodSync(file, 0o640);
  await scaler.turn();
  assert.equal(sizeOf(set), "7");
  const held = log.filter((line) => line.startsWith("sprout: stays at 7: asked by a webhook, but joinToken"));
  assert.equal(held.length, 3, log.join("\n"));
  assert.match(held[0] ?? "", /: there is no such file$/);
  assert.match(held[1] ?? "", /: one line of 22 to 200 letters, digits or \._~- is expected$/);
  assert.match(held[2] ?? "", /: may be read by others; chmod 600 it$/);
  chmodSync(file, 0o600);
  await scaler.turn();
  assert.equal(sizeOf(set), "11");
});

test("what was begun before a restart does not go on without the join token either", async (t) => {
  const set = await setUp(t);
  const { again, log, state, cloud } = set;
  state.write({
    version: 1,
    vnf: "ims",
    changed: {},
    operation: { pool: "sprout", from: 7, to: 11, begun: 0, tries: 1 },
  });
  const file = tokenFile(t);
  const scaler = again({ joinToken: () => readJoinTokenFile(file) });
  // However long it is away: what was begun is not given up for it, nor are tries used up.
  for (let turn = 0; turn < 5; turn++) await scaler.turn();
  assert.equal(sizeOf(set), "7");
  assert.match(log.join("\n"), /^sprout: waits on its way to 11: .*there is no such file$/m);
  writeFileSync(file, FIRST, { mode: 0o600 });
  await scaler.turn();
  assert.deepEqual([sizeOf(set), cloud.stacks.get("ims")?.parameters.get("join_token")], ["11", FIRST]);
});

test("joinTokenFile is part of scaler.yaml", () => {
  const text = `version: 1
vnf: ims
joinTokenFile: /etc/tidewater/join-token
webhook: { port: 0, secretFile: secret }
pools: { sprout: { min: 7, max: 11 } }
`;
  const reading = readScalerConfig(text, "scaler.yaml");
  assert.equal(reading.kind === "config" && reading.config.joinTokenFile, "/etc/tidewater/join-token");
});
