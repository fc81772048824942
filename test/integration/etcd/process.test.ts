import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
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

  test("wrong options are refused with the reason", async (t) => {
    const own = ["--etcd", "http://127.0.0.1:1", "--pool", "sprout", "--member", "sprout-1"];
    for (const [args, reason] of [
      [[...own, "--addresses", "nowhere"], /IPv4 or IPv6/],
      [
        [...own, "--addresses", "192.0.2.1", "--pools-file", "x", "--pools-template", "/none"],
        /cannot be read/,
      ],
      [[...own, "--addresses", "192.0.2.1", "--memcached-file", "x"], /--metrics-url/],
    ] as const) {
      const { child, said } = run(t, ...args);
      const [code] = await once(child, "close");
      assert.ok(code === 1 || code === 2);
      assert.match(said(), reason);
    }
  });
});
