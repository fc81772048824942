import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { followServersFile, memcachedStore, readServersFile } from "@ims/store";
import type { MemcachedProcess } from "../../../../../test/support/memcached.ts";
import { bytes, pause, servers, skip, until } from "./support.ts";

function file(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "servers-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "memcached.json");
  const writeText = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const write = (on: readonly MemcachedProcess[], next?: readonly MemcachedProcess[]): void =>
    writeText(
      JSON.stringify({ version: 1, servers: on.map(({ id }) => id), next: next?.map(({ id }) => id) }),
    );
  return { path, write, writeText };
}

describe("servers of a memcached store from a file", { skip }, () => {
  test("a pool moves from its servers to others while it works, told by the file alone", async (t) => {
    const [a, b, c, d] = (await servers(t, 4)) as [
      MemcachedProcess,
      MemcachedProcess,
      MemcachedProcess,
      MemcachedProcess,
    ];
    const { path, write, writeText } = file(t);
    write([a, b]);
    const log = memoryLogger();
    const clock = systemClock();
    const nodes = await Promise.all(
      [1, 2].map(async () => {
        const store = memcachedStore({ ...readServersFile(path), clock, log });
        const follower = followServersFile({ path, store, clock, log, everyMs: 30, settleMs: 150 });
        await store.start();
        await follower.start();
        t.after(() => follower.stop());
        t.after(() => store.stop());
        return { store, follower };
      }),
    );
    const [one, two] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
    for (let i = 0; i < 100; i++)
      await one.store.put("aor", `${i}`, bytes(`${i}`), { ifVersion: "absent", ttlSeconds: 60 });

    write([a, b], [c, d]);
    await until("both have begun", () => nodes.every(({ store }) => store.servers().length === 4));
    assert.ok(!one.follower.synchronized && !two.follower.synchronized);
    await until("all entries are brought over", () => nodes.every(({ follower }) => follower.synchronized));

    // Rubbish in between changes nothing and is said once.
    for (const text of [
      '{"version":1,"servers":[',
      '{"version":2,"servers":["a:1"]}',
      '{"version":1,"servers":[]}',
    ]) {
      writeText(text);
      await pause(80);
      assert.equal(one.store.servers().length, 4);
    }
    rmSync(path);
    await pause(80);
    assert.equal(
      log.lines.filter(({ msg }) => msg === "memcached servers stay as they are").length,
      8,
      "once for each node and fault",
    );

    write([c, d]);
    await until("both have ended", () => nodes.every(({ store }) => store.servers().length === 2));
    await Promise.all([a.kill(), b.kill()]);
    for (let i = 0; i < 100; i++) {
      const read = await two.store.get("aor", `${i}`);
      assert.equal(read.kind === "found" && Buffer.from(read.value).toString(), `${i}`);
    }
  });

  test("a file that cannot be used when the node starts is a clear error", (t) => {
    const { path, writeText } = file(t);
    assert.throws(() => readServersFile(path), /STORE_SERVER_LIST .*ENOENT/);
    for (const text of [
      "",
      "[]",
      "{}",
      '{"version":1}',
      '{"version":1,"servers":"a:1"}',
      '{"version":1,"servers":[1]}',
      '{"version":1,"servers":["a:1,b:2"]}',
      '{"version":1,"servers":["a:0"]}',
      '{"version":1,"servers":["a:1"],"next":[]}',
      " ".repeat(70_000),
    ]) {
      writeText(text);
      assert.throws(() => readServersFile(path), /STORE_SERVER_LIST/, text.slice(0, 60));
    }
  });
});
