import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { etcdClusterOptions } from "@ims/etcd-cluster";
import { loadOptions, withServiceOptions } from "@ims/runtime";
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
  return clusterConfig(member, placesBelow("/"), "http://10.0.0.1:9090").trim().split("\n");
};

test("a store that leaves is given minutes to hand its entries on, other members the usual time", () => {
  assert.ok(lines("vellum").includes("quiesce_seconds=300"), lines("vellum").join(" "));
  for (const role of ["sprout", "homestead"])
    assert.ok(!lines(role).some((line) => line.startsWith("quiesce_seconds")), role);
});

for (const role of ["vellum", "sprout", "homestead"])
  test(`what is written for etcd-cluster on a ${role} are options that it knows`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "cluster-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const config = join(folder, "cluster_config");
    writeFileSync(
      config,
      lines(role)
        .map((line) => `${line}\n`)
        .join(""),
    );
    const loaded = loadOptions({
      name: "etcd-cluster",
      schema: withServiceOptions(etcdClusterOptions),
      argv: ["--config", config],
      env: {},
      sharedConfigPath: join(folder, "none"),
    });
    assert.equal(loaded.kind, "loaded", JSON.stringify(loaded));
  });

test("systemd waits longer than that, and stops etcd and memcached only afterwards", () => {
  const unit = readFileSync(UNIT, "utf8");
  const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  assert.ok(seconds > STORE_QUIESCE_SECONDS, String(seconds));
  const after = /^After=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  for (const one of ["tidewater-etcd.service", "tidewater-memcached.service"])
    assert.ok(after.includes(one), one);
});
