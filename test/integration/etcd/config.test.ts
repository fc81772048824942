import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bonoOptions } from "@ims/bono";
import { ConfigManager, ConfigWriter, changeQueue, queueKey } from "@ims/etcd-cluster";
import { homesteadOptions } from "@ims/homestead";
import { systemClock, withServiceOptions } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { sproutOptions } from "@ims/sprout";
import { clientOf, cluster, folder, pause, read, skip, until } from "./support.ts";

const clock = systemClock();
const nodes = [
  { pool: "bono", schema: withServiceOptions(bonoOptions) },
  { pool: "sprout", schema: withServiceOptions(sproutOptions) },
  { pool: "homestead", schema: withServiceOptions(homesteadOptions) },
];

describe("shared configuration on three real etcds", { skip }, () => {
  test("it is checked by the nodes' own schemas, applied whole, written, queued for a restart, and taken back", async (t) => {
    const { endpoints, members, writable } = await cluster(t);
    const client = clientOf(t, endpoints, { deadlineMs: 1500, tryMs: 500, watchCheckMs: 300 });
    const manager = new ConfigManager({ client, clock, root: "/site", nodes, keep: 4 });
    assert.deepEqual(await manager.show(), { kind: "none" });
    assert.deepEqual(await manager.rollback({ to: 1, author: "op" }), { kind: "none" });

    const path = join(folder(t), "shared_config");
    writeFileSync(path, "home_domain=example.com\n");
    const log = memoryLogger();
    const writer = async (pool: string, file: string) => {
      const member = { pool, name: `${pool}-1` };
      const started = new ConfigWriter({
        client,
        clock,
        log,
        root: "/site",
        path: file,
        member,
        everyMs: 50,
      });
      await started.start();
      t.after(() => started.stop());
    };
    await writer("sprout", path);
    const first = join(folder(t), "shared_config");
    await writer("bono", first);
    await pause(200);
    assert.equal(read(path), "home_domain=example.com\n", "nothing stands in etcd: the file stays");

    const bad = await manager.apply({
      text: "home_domain=example.com\nlog_level=loud\nnonsense=1\n",
      author: "op",
    });
    assert.ok(bad.kind === "invalid");
    assert.deepEqual(
      bad.problems.map(({ line, key }) => [line, key]),
      [
        [2, "log_level"],
        [3, "nonsense"],
      ],
    );
    const key = "00112233445566778899aabbccddeeff";
    const one = await manager.apply({
      text: `home_domain=example.com\nflow_token_key=${key}\n`,
      author: "op",
    });
    assert.ok(one.kind === "applied");
    assert.equal(one.document.number, 1);
    assert.doesNotMatch(JSON.stringify(one.changes), new RegExp(key));
    await until("the files are written", () => read(path).includes(key) && read(first).includes(key));
    assert.equal(statSync(path).mode & 0o777, 0o640);
    const queued = async (pool: string): Promise<string> => {
      const result = await changeQueue(
        client,
        queueKey("/site", pool),
        { kind: "enqueue", names: [] },
        clock.now(),
      );
      return result.kind === "unchanged" ? result.queue.entries.map(({ name }) => name).join() : result.kind;
    };
    await until("sprout is to restart", async () => (await queued("sprout")) === "sprout-1");
    assert.equal(
      await queued("bono"),
      "",
      "a machine that had no file yet has nothing running on an old one",
    );
    await changeQueue(client, queueKey("/site", "sprout"), { kind: "cancel" }, clock.now());

    // An option of bono alone: sprout's file follows, sprout goes on.
    const text = `home_domain=example.com\nflow_token_key=${key}\nudp_keep_alive_seconds=25\n`;
    const difference = await manager.diff(text);
    assert.ok(difference.kind === "changes");
    assert.deepEqual(difference.changes, [{ key: "udp_keep_alive_seconds", after: "25" }]);
    const two = await manager.apply({ text, author: "op", on: 1 });
    assert.ok(two.kind === "applied");
    assert.deepEqual(two.document.restart, ["bono"]);
    await until("bono is to restart", async () => (await queued("bono")) === "bono-1");
    assert.match(read(path), /udp_keep_alive_seconds=25/);
    assert.equal(await queued("sprout"), "");
    assert.deepEqual(await manager.apply({ text: "log_level=info\n", author: "late", on: 1 }), {
      kind: "contention",
      number: 2,
    });
    assert.equal((await manager.apply({ text, author: "op" })).kind, "unchanged");

    await Promise.all(members.slice(0, 2).map((member) => member.kill()));
    const before = read(path);
    const refused = await manager.apply({ text: "log_level=info\n", author: "op" });
    assert.ok(refused.kind === "unavailable");
    assert.equal(refused.maybeDone, false, "it was never proposed");
    assert.equal((await manager.show()).kind, "unavailable");
    await Promise.all(members.map((member) => member.kill()));
    await pause(300);
    assert.equal(read(path), before);
    await Promise.all(members.map((member) => member.restart()));
    await writable();

    const back = await manager.rollback({ to: 1, author: "op" });
    assert.ok(back.kind === "applied");
    assert.equal(back.document.number, 3);
    await until(
      "the old state is written",
      () => /^# configuration 3$/m.test(read(path)) && !read(path).includes("udp_"),
    );
    for (const level of ["info", "debug", "warn"])
      await manager.apply({ text: `log_level=${level}\n`, author: "op" });
    const history = await manager.history();
    assert.ok(history.kind === "history");
    assert.deepEqual(
      history.documents.map(({ number, comment }) => `${number} ${comment}`),
      ["6 ", "5 ", "4 ", "3 back to 1"],
    );
    // A damaged state changes no file and is not overwritten.
    await until("the last one is written", () => read(path).includes("log_level=warn"));
    await client.put("/site/config/current", '{"version":9}');
    await pause(200);
    assert.match(read(path), /log_level=warn/);
    assert.equal((await manager.apply({ text: "log_level=info\n", author: "op" })).kind, "unreadable");
  });
});
