import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clusterConfig, STORE_QUIESCE_SECONDS } from "../../images/member/cluster.ts";
import { placesBelow } from "../../images/member/files.ts";
import { memberSchema } from "../../images/member/member-file.ts";

const ROOT = join(import.meta.dirname, "../..");
const UNIT = join(ROOT, "images/files/etc/systemd/system/tidewater-cluster.service");

const lines = (role: string): string[] => {
  const named = { role, pool: role, index: 1, cell: 0, name: `${role}-1` };
  const member = memberSchema.parse({
    ...named,
    ...{ domain: "example.com", address: "10.0.0.1", seeds: ["10.0.0.1"] },
  });
  return clusterConfig(member, placesBelow("/"), "http://10.0.0.1:9090/metrics").trim().split("\n");
};

test("a store that leaves is given minutes to hand its entries on, other members the usual time", () => {
  assert.ok(lines("vellum").includes("quiesce_seconds=300"), lines("vellum").join(" "));
  for (const role of ["sprout", "homestead"])
    assert.ok(!lines(role).some((line) => line.startsWith("quiesce_seconds")), role);
});

test("what is written for etcd-cluster are options that it knows", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cluster-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "cluster_config");
  // An option that is wrong ends it before anything is begun, and names the others that are.
  writeFileSync(config, `${lines("vellum").join("\n")}\nmanagement_port=none\n`);
  const bin = join(ROOT, "etcd-cluster/bin/etcd-cluster.ts");
  const { status, stderr } = spawnSync(process.execPath, [bin, "--config", config], {
    encoding: "utf8",
    timeout: 30_000,
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /management/i);
  assert.doesNotMatch(stderr, /quiesce/i);
});

test("systemd waits longer than that, and stops etcd and memcached only afterwards", () => {
  const unit = readFileSync(UNIT, "utf8");
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  assert.ok(seconds > STORE_QUIESCE_SECONDS, String(seconds));
  const after = /^After=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  for (const one of ["tidewater-etcd.service", "tidewater-memcached.service"])
    assert.ok(after.includes(one), one);
});
