import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "@ims/runtime/testing";
import { memcachedRunner } from "../../../src/up/pools/memcached-runner.ts";

const MODULE = join(import.meta.dirname, "../../../src/up/pools/memcached-runner.ts");
const HOST = "127.0.4.99";

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

test("memcached is ready when it answers, says when it ends, and is stopped", async (t) => {
  const port = await freePort(HOST);
  const runner = memcachedRunner("memcached-1", HOST, port);
  t.after(() => runner.stop());
  let ended = "";
  const { pid, ports } = await runner.start((why) => {
    ended = why;
  });
  assert.deepEqual(ports, { memcached: port });
  assert.equal(await isOpen(port), true);
  await assert.rejects(
    memcachedRunner("memcached-2", HOST, port).start(() => {}),
    /is in use by another process/,
  );
  process.kill(pid, "SIGKILL");
  await until(async () => ended === "SIGKILL", "its end");
  await runner.start(() => {});
  await runner.stop();
  assert.equal(await isOpen(port), false);
});

test("memcached ends with the process that started it, also when that is killed", async (t) => {
  const port = await freePort(HOST);
  const text = `import { memcachedRunner } from ${JSON.stringify(MODULE)};
    await memcachedRunner("m", "${HOST}", ${port}).start(() => {});
    console.log("started"); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", text], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  await once(parent.stdout, "data");
  assert.equal(await isOpen(port), true);
  parent.kill("SIGKILL");
  await until(async () => !(await isOpen(port)), "the end of memcached");
});

test("without memcached it is said what to install", async () => {
  const runner = memcachedRunner("memcached-1", HOST, 1, { folders: ["/nonexistent"] });
  await assert.rejects(
    runner.start(() => {}),
    /memcached, which is not installed: apt-get install memcached/,
  );
  await runner.stop();
});
