import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { admin, ConfigManager, changeQueue, queueKey } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { freePort } from "@ims/runtime/testing";
import { z } from "zod";
import { clientOf, cluster, folder, read, skip, until } from "./support.ts";

const BIN = join(import.meta.dirname, "../../../etcd-cluster/bin/etcd-cluster.ts");

function run(t: TestContext, ...args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  return { child, said: () => said };
}

describe("the process beside the nodes", { skip }, () => {
  test("it registers its member, writes the pools file, and takes the member out when it ends", async (t) => {
    const { endpoints } = await cluster(t);
    const client = clientOf(t, endpoints);
    const dir = folder(t);
    const template = join(dir, "template.json");
    const pools = join(dir, "pools.json");
    const services = [{ protocol: "sip", transport: "tcp", port: 5054 }];
    writeFileSync(
      template,
      JSON.stringify({
        version: 1,
        domain: "example.com",
        pools: [{ name: "sprout", services, members: [] }],
      }),
    );
    const own = ["--etcd", endpoints, "--pool", "sprout", "--member", "sprout-1", "--addresses", "192.0.2.1"];
    const { child, said } = run(t, ...own, "--pools-file", pools, "--pools-template", template);
    await until("the member is in the pools file", () => read(pools).includes('"sprout-1"')).catch((error) =>
      assert.fail(`${error}\n${said()}`),
    );
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    const left = await client.range({ prefix: "/tidewater/members/" });
    assert.deepEqual(left.kind === "found" && left.entries, []);
  });

  test("a new configuration restarts the members one after the other, each when the last one is well again", async (t) => {
    const { endpoints } = await cluster(t);
    const client = clientOf(t, endpoints);
    const dir = folder(t);
    // Two nodes that say they are ready while the file is there which their restart makes anew.
    const restarts = join(dir, "restarts");
    writeFileSync(restarts, "");
    let most = 0;
    const busy = new Set<string>();
    const nodes = await Promise.all(
      [1, 2].map(async (number) => {
        const config = join(dir, `shared_config-${number}`);
        writeFileSync(config, "home_domain=old.example\n");
        const down = join(dir, `down-${number}`);
        const server = createServer((_, response) => {
          busy[existsSync(down) ? "add" : "delete"](String(number));
          most = Math.max(most, busy.size);
          response.writeHead(existsSync(down) ? 503 : 200).end();
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        t.after(() => server.close());
        t.after(() => server.closeAllConnections());
        const script = join(dir, `restart-${number}`);
        writeFileSync(
          script,
          `grep -q example.com ${config} || exit 1\ntouch ${down}; echo ${number} >>${restarts}; (sleep 0.7; rm ${down}) >/dev/null 2>&1 &\n`,
        );
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health/ready`;
        const own = ["--pool", "sprout", "--member", `sprout-${number}`, "--addresses", `192.0.2.${number}`];
        const queue = ["--restart-command", `sh ${script}`, "--health-url", url, "--config-file", config];
        return { config, ...run(t, "--etcd", endpoints, ...own, ...queue, "--manage=false") };
      }),
    );
    const said = () => nodes.map((node) => node.said()).join("\n");
    await until("both are registered", async () => {
      const found = await client.range({ prefix: "/tidewater/members/sprout/" });
      return found.kind === "found" && found.entries.length === 2;
    });
    const schema = z.object({ homeDomain: z.string() });
    const clock = systemClock();
    const manager = new ConfigManager({
      client,
      clock,
      root: "/tidewater",
      nodes: [{ pool: "sprout", schema }],
    });
    const applied = await manager.apply({ text: "home_domain=example.com\n", author: "op" });
    assert.equal(applied.kind, "applied");
    await until("both have restarted", () => read(restarts).trim().split("\n").length === 2, 40_000).catch(
      (error) => assert.fail(`${error}\n${said()}`),
    );
    assert.equal(most, 1);
    for (const { config } of nodes) assert.match(read(config), /home_domain=example\.com/);
    const key = queueKey("/tidewater", "sprout");
    await until("the queue is done", async () => {
      const result = await changeQueue(client, key, { kind: "enqueue", names: [] }, clock.now());
      return result.kind === "unchanged" && result.queue.entries.every(({ state }) => state === "done");
    });
    assert.deepEqual(read(restarts).trim().split("\n").sort(), ["1", "2"]);
  });

  test("an operator takes a backup and makes a token, by which a machine is let in", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const dir = folder(t);
    const lines: string[] = [];
    const ask = async (...args: string[]): Promise<number> => {
      lines.length = 0;
      return admin(args, (line) => lines.push(line));
    };
    const file = join(dir, "etcd.snapshot");
    assert.equal(await ask("backup", file, "--etcd", endpoints), 0);
    assert.equal(await ask("verify", file), 0);
    assert.match(lines.join(), /keys at revision .* whole/);
    assert.equal(await ask("verify", join(dir, "none")), 1);
    assert.equal(await ask("backup", file), 2);
    assert.equal(await ask("nonsense"), 2);
    assert.equal(await ask("token", "--etcd", endpoints, "--uses", "0"), 2);
    assert.equal(await ask("token", "--etcd", endpoints), 0);
    writeFileSync(join(dir, "join-token"), lines.join());
    const port = String(await freePort());
    const own = [
      "--etcd",
      endpoints,
      "--pool",
      "memcached",
      "--member",
      "memcached-1",
      "--addresses",
      "127.0.0.1",
    ];
    const authority = ["--authority-folder", join(dir, "authority"), "--enrol-port", port];
    run(t, ...own, ...authority);
    const machine = ["--name", "vellum-2", "--address", "127.0.0.1", "--folder", join(dir, "tls")];
    const enrol = [
      "enrol",
      "--server",
      `http://127.0.0.1:${port}`,
      "--token-file",
      join(dir, "join-token"),
      ...machine,
    ];
    await until("it is let in", async () => (await ask(...enrol)) === 0);
    assert.deepEqual(lines, ["enrolled"]);
    assert.match(read(join(dir, "tls/own.pem")), /BEGIN CERTIFICATE/);
  });

  test("wrong options are refused with the reason", async (t) => {
    const own = ["--etcd", "http://127.0.0.1:1", "--pool", "sprout", "--member", "sprout-1"];
    for (const [args, reason] of [
      [[...own, "--addresses", "nowhere"], /IPv4 or IPv6/],
      [
        [...own, "--addresses", "192.0.2.1", "--pools-file", "x", "--pools-template", "/none"],
        /cannot be read/,
      ],
      [[...own, "--addresses", "192.0.2.1", "--memcached-file", "x"], /--metrics-url/],
      [[...own, "--addresses", "192.0.2.1", "--restart-command", "x"], /--health-url/],
      [[...own, "--addresses", "192.0.2.1", "--cassandra-nodetool", "x"], /cassandraLaunch/],
    ] as const) {
      const { child, said } = run(t, ...args);
      const [code] = await once(child, "close");
      assert.ok(code === 1 || code === 2);
      assert.match(said(), reason);
    }
  });
});
