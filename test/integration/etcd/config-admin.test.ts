import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bonoOptions } from "@ims/bono";
import { configAdmin } from "@ims/etcd-cluster";
import { sproutOptions } from "@ims/sprout";
import { clientOf, cluster, folder, register, skip } from "./support.ts";

const nodes = [
  { pool: "bono", schema: bonoOptions },
  { pool: "sprout", schema: sproutOptions },
];

describe("an operator's commands for the configuration of a site", { skip }, () => {
  test("a file is checked, compared, applied, shown without its secrets and taken back; members are asked to restart", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const dir = folder(t);
    const lines: string[] = [];
    const ask = async (...args: string[]): Promise<number> => {
      lines.length = 0;
      const site = ["--etcd", endpoints, "--root", "/site"];
      return configAdmin([...args, ...site], nodes, (line) => void lines.push(line));
    };
    const file = (text: string): string => {
      const path = join(dir, "shared_config");
      writeFileSync(path, text);
      return path;
    };
    const said = (): string => lines.join("\n");
    assert.equal(await ask("show"), 1);
    assert.match(said(), /nothing has been applied yet/);
    for (const wrong of [
      [],
      ["nonsense"],
      ["__proto__"],
      ["apply"],
      ["show", "--colour"],
      ["show", "--on", "x"],
    ])
      assert.equal(await ask(...wrong), 2, wrong.join(" "));
    assert.equal(await configAdmin(["show"], nodes, () => undefined), 2, "without --etcd");
    assert.equal(await ask("apply", join(dir, "none")), 1);
    assert.match(said(), /ENOENT/);

    assert.equal(await ask("apply", file("home_domain=example.com\nlog_level=loud\nnonsense=1\n")), 1);
    assert.match(said(), /^line 2: log_level: bono would refuse it/);
    assert.match(said(), /line 3: nonsense: no node has such an option/);
    const key = "00112233445566778899aabbccddeeff";
    const good = file(`home_domain=example.com\nflow_token_key=${key}\n`);
    assert.equal(await ask("diff", good), 0);
    assert.match(said(), /\+ flow_token_key=\(secret\)/);
    assert.equal(await ask("apply", good, "--author", "op"), 0);
    assert.match(said(), /configuration 1 is in force/);
    assert.ok(!said().includes(key));
    assert.equal(await ask("apply", good), 0);
    assert.match(said(), /says the same already/);
    assert.equal(await ask("apply", file("home_domain=other.example\n"), "--on", "0"), 1);
    assert.match(said(), /configuration 1 is in force meanwhile/);
    assert.equal(await ask("apply", file("home_domain=other.example\n"), "--on", "1"), 0);
    assert.equal(await ask("rollback", "1"), 0);
    assert.equal(await ask("rollback", "77"), 1);
    assert.equal(await ask("history"), 0);
    assert.deepEqual(
      lines.map((line) => line.split("  ")[0]),
      ["3", "2", "1"],
    );
    assert.equal(await ask("show"), 0);
    assert.match(said(), /^# configuration 3, .*\nflow_token_key=\(secret\)\nhome_domain=example\.com$/);

    assert.equal(await ask("set", "quiesce_seconds=3"), 0);
    assert.match(said(), /^\+ quiesce_seconds=3\nconfiguration 4 is in force/);
    assert.equal(await ask("set", "quiesce_seconds=none"), 1);
    assert.match(said(), /quiesce_seconds: bono would refuse it/);
    assert.equal(await ask("set", "nothing"), 2);
    assert.equal(await ask("unset", "log_level"), 2);
    assert.equal(await ask("unset", "quiesce_seconds"), 0);
    assert.match(said(), /^- quiesce_seconds=3$/m);

    assert.equal(await ask("restart", "sprout"), 1);
    assert.match(said(), /nobody is registered in the pool sprout/);
    const client = clientOf(t, endpoints);
    for (const name of ["sprout-0", "sprout-1"])
      await register(t, client, { pool: "sprout", name, addresses: ["192.0.2.1"], state: "up" });
    assert.equal(await ask("restart", "sprout"), 0);
    assert.deepEqual(
      lines.map((line) => line.split("  ").slice(0, 2).join(" ")),
      ["sprout-0 queued", "sprout-1 queued"],
    );
    const now = Date.now();
    const servers = [{ id: "192.0.2.9:11211", state: "failed", since: now }];
    await client.put(
      "/site/clusters/memcached/document",
      JSON.stringify({ version: 1, step: 3, phase: "adopting", nodes: servers }),
    );
    const ring = [{ id: "192.0.2.9:7000", state: "normal", since: now, due: "cleanup" }];
    const operation = { task: 2, kind: "repair", on: "192.0.2.9:7000", since: now };
    await client.put(
      "/site/clusters/cassandra/document",
      JSON.stringify({ version: 1, task: 2, nodes: ring, operation }),
    );
    assert.equal(await ask("status"), 0);
    for (const line of [
      /^member sprout\/sprout-0: up, 192\.0\.2\.1$/m,
      /^memcached: adopting$/m,
      /^memcached 192\.0\.2\.9:11211: failed since /m,
      /^cassandra: repair on 192\.0\.2\.9:7000 since /m,
      /^cassandra 192\.0\.2\.9:7000: normal since .*, cleanup is due$/m,
      /^restart sprout\/sprout-1: queued since /m,
    ])
      assert.match(said(), line);
    assert.equal(await ask("cancel", "sprout"), 0);
    assert.equal(await ask("restarts", "sprout"), 0);
    assert.equal(said(), "nobody waits");
  });
});
