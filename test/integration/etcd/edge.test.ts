import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { bonoOptions } from "@ims/bono";
import { admitToken, ConfigManager, EdgeReceiver, EdgeSender, newJoinToken } from "@ims/etcd-cluster";
import { parsePoolsFile, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { z } from "zod";
import { clientOf, cluster, folder, pause, read, register, skip, until } from "./support.ts";

const clock = systemClock();
const log = memoryLogger();
const services = [{ protocol: "sip", transport: "tcp", port: 5054 } as const];
const plan = { domain: "example.com", pools: [{ name: "sprout", services: [...services] }] };

async function edge(t: TestContext, name: string, token: string, restarting: Set<string>, port = 0) {
  const dir = folder(t);
  const at = (file: string): string => join(dir, file);
  const files = {
    joinToken: at("join-token"),
    state: at("edge-state"),
    sharedConfig: at("shared_config"),
    pools: at("pools.json"),
  };
  writeFileSync(files.joinToken, `${token}\n`, { mode: 0o600 });
  let restarts = 0;
  let most = 0;
  const receiver = new EdgeReceiver({
    ...{ clock, log, name, host: "127.0.0.1", port, files },
    async restart() {
      restarting.add(name);
      most = Math.max(most, restarting.size);
      await pause(100);
      restarting.delete(name);
      restarts++;
    },
  });
  await receiver.start();
  t.after(() => receiver.stop());
  const flowTokenKey = (): string => /^flow_token_key=(\S+)$/m.exec(read(files.sharedConfig))?.[1] ?? "";
  return {
    url: `http://127.0.0.1:${receiver.port}`,
    files,
    flowTokenKey,
    restarts: () => restarts,
    most: () => most,
  };
}

describe("nodes in the DMZ are told by the core", { skip }, () => {
  test("the same flow token key and the pools for all, sealed; what others read is not sent; one restarts at a time", async (t) => {
    const { endpoints } = await cluster(t);
    const client = clientOf(t, endpoints, { tryMs: 700 });
    const [one, two, stranger] = [newJoinToken(), newJoinToken(), newJoinToken()];
    for (const token of [one, two])
      await admitToken(client, "/site", token, { uses: 1, expires: clock.now() + 60_000 });
    const restarting = new Set<string>();
    const a = await edge(t, "bono-1", one, restarting);
    const b = await edge(t, "bono-2", two, restarting);
    const c = await edge(t, "bono-3", stranger, restarting);
    const sprout = { pool: "sprout", name: "sprout-1", addresses: ["192.0.2.1"], state: "up" } as const;
    const registration = await register(t, client, {
      ...sprout,
      ...{ addresses: [...sprout.addresses], management: "192.0.2.55" },
    });
    await register(t, client, {
      pool: "homestead",
      name: "homestead-1",
      addresses: ["192.0.2.9"],
      state: "up",
    });
    const edges = [a, b, c].map(({ url }) => url);
    for (let i = 0; i < 2; i++) {
      const lease = () => registration.lease;
      const sender = new EdgeSender({
        client,
        clock,
        log,
        root: "/site",
        pool: "bono",
        plan,
        edges,
        lease,
        everyMs: 100,
      });
      await sender.start();
      t.after(() => sender.stop());
    }
    await until("both have a key", () => a.flowTokenKey() !== "" && b.flowTokenKey() !== "");
    assert.match(a.flowTokenKey(), /^[0-9a-f]{64}$/);
    assert.equal(a.flowTokenKey(), b.flowTokenKey());
    await until(
      "the tokens are gone",
      () => read(a.files.joinToken) === "" && read(b.files.joinToken) === "",
    );
    assert.equal(statSync(a.files.state).mode & 0o777, 0o600);
    assert.equal(statSync(a.files.sharedConfig).mode & 0o777, 0o640);
    const pools = parsePoolsFile(read(a.files.pools));
    assert.ok(pools.kind === "pools");
    assert.deepEqual(
      pools.pools.pools.map(({ name }) => name),
      ["sprout"],
    );
    assert.ok(!read(a.files.pools).includes("192.0.2.9"), "the DMZ does not learn where homesteads are");
    assert.ok(!read(a.files.pools).includes("192.0.2.55"), "nor where anybody's management port is");
    assert.match(read(a.files.sharedConfig), /^home_domain=example\.com$/m);
    assert.equal(c.flowTokenKey(), "", "without a known token there is nothing");

    const nodes = [
      { pool: "bono", schema: bonoOptions },
      { pool: "homestead", schema: z.object({ hssSecret: z.string() }) },
    ];
    const manager = new ConfigManager({ client, clock, root: "/site", nodes });
    const applied = await manager.apply({
      text: "udp_keep_alive_seconds=25\nhss_secret=inner\n",
      author: "op",
    });
    assert.equal(applied.kind, "applied");
    await until("both have restarted", () => a.restarts() === 1 && b.restarts() === 1);
    assert.match(read(b.files.sharedConfig), /udp_keep_alive_seconds=25/);
    assert.ok(!read(b.files.sharedConfig).includes("inner"));
    assert.equal(Math.max(a.most(), b.most()), 1);
    const key = a.flowTokenKey();
    await registration.change({ addresses: ["192.0.2.77"] });
    await until("the pools follow", () => read(b.files.pools).includes("192.0.2.77"));
    assert.equal(a.restarts(), 1, "pools are read without a restart");
    assert.equal(a.flowTokenKey(), key);

    // Whoever is on the network can neither read nor replay nor make a bundle.
    for (const body of ["", "x".repeat(2000), Buffer.alloc(100).toString("base64")]) {
      const answer = await fetch(`${a.url}/edge`, { method: "POST", body });
      assert.equal(answer.status, 403);
    }
    const long = await fetch(`${a.url}/edge`, { method: "POST", body: "x".repeat(2_000_000) }).catch(
      () => undefined,
    );
    assert.ok(long === undefined || long.status === 413);
    const said = await (await fetch(`${a.url}/edge`)).text();
    assert.ok(!said.includes(key) && !said.includes(one));
    assert.ok(!JSON.stringify(log.lines).includes(key));
  });
});
