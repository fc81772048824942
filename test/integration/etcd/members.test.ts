import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { EtcdError, etcdStart, restoreSnapshot, saveSnapshot, verifySnapshot } from "@ims/etcd-cluster";
import { clientOf, cluster, folder, skip, until } from "./support.ts";

const never = new AbortController().signal;

describe("members of etcd, real ones", { skip }, () => {
  test("a member whose disk is lost is replaced at its address by itself; then another one may die", async (t) => {
    const { endpoints, members } = await cluster(t);
    const [one, two, three] = members as [
      (typeof members)[number],
      (typeof members)[number],
      (typeof members)[number],
    ];
    const client = clientOf(t, endpoints, { tryMs: 700 });
    for (let i = 0; i < 50; i++) await client.put(`m/${i}`, "x");
    const seats = members.map(({ name, peerUrl }) => ({ name, peerUrl }));
    const others = clientOf(t, `${one.url},${two.url}`, { tryMs: 700 });
    await three.restartAs({}, async (data) => {
      rmSync(data, { recursive: true });
    });
    // It believes that it begins anew and is not let in.
    await three.kill();

    const own = { own: three, seats, hasData: false, client: others };
    await until("it is admitted", async () => (await etcdStart(own)).kind === "start");
    const start = await etcdStart(own);
    assert.ok(start.kind === "start" && start.state === "existing");
    const found = await others.members();
    assert.ok(found.kind === "members" && found.members.length === 3, "asked again nothing more is done");
    const options = { "initial-cluster": start.cluster, "initial-cluster-state": start.state };
    await three.restartAs(options, async (data) => rmSync(data, { recursive: true, force: true }));
    await until("it has started", async () => {
      const found = await client.members();
      return found.kind === "members" && found.members.every(({ name }) => name !== "");
    });
    await one.kill();
    const alone = clientOf(t, three.url, { tryMs: 700 });
    await until("the new member has all and can lead on", async () => {
      const found = await alone.range({ prefix: "m/" });
      return found.kind === "found" && found.entries.length === 50;
    });
    assert.equal((await etcdStart({ own: one, seats, hasData: true, client: alone })).kind, "start");
  });

  test("a backup is whole and checked or not there; damage is found; three members are restored from it", async (t) => {
    const { endpoints, members, writable } = await cluster(t);
    const client = clientOf(t, endpoints, { tryMs: 700, watchCheckMs: 300 });
    const dir = folder(t);
    const file = join(dir, "etcd.snapshot");
    for (let i = 0; i < 300; i++) await client.put(`b/${i}`, `${i}`.repeat(200));
    const saved = await saveSnapshot(client, file, never);
    assert.ok(saved.keys >= 300);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(await verifySnapshot(file), saved);

    const bytes = readFileSync(file);
    const damaged = join(dir, "damaged");
    const middle = bytes.length >> 1;
    for (const wrong of [
      bytes.subarray(0, bytes.length - 512),
      Buffer.concat([
        bytes.subarray(0, middle),
        Buffer.from([(bytes[middle] ?? 0) ^ 1]),
        bytes.subarray(middle + 1),
      ]),
      Buffer.from("none"),
    ]) {
      writeFileSync(damaged, wrong);
      const data = join(dir, "data");
      await assert.rejects(
        restoreSnapshot({
          snapshot: damaged,
          dataDir: data,
          name: "x",
          peerUrl: "http://127.0.0.1:1",
          cluster: "x=http://127.0.0.1:1",
        }),
        (error) => error instanceof EtcdError && error.detail.code === "ETCD_SNAPSHOT",
      );
      assert.throws(() => statSync(data));
    }
    const gone = clientOf(t, "http://127.0.0.1:1", { deadlineMs: 200, tryMs: 100 });
    await assert.rejects(saveSnapshot(gone, join(dir, "none"), never), EtcdError);
    assert.throws(() => statSync(join(dir, "none")));

    // What came later is lost with a restore, and whoever watches is told.
    await client.put("b/late", "1");
    const all = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
    await Promise.all(members.map((member) => member.kill()));
    for (const member of members)
      await member.restartAs({}, async (dataDir) => {
        rmSync(dataDir, { recursive: true });
        const { name, peerUrl } = member;
        await restoreSnapshot({ snapshot: file, dataDir, name, peerUrl, cluster: all });
      });
    await writable();
    const found = await client.range({ prefix: "b/" });
    assert.ok(found.kind === "found");
    assert.equal(found.entries.length, 300);
    assert.equal(found.entries.find(({ key }) => key === "b/7")?.value, "7".repeat(200));
  });
});
