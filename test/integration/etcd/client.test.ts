import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type EtcdClient, EtcdError, type EtcdTls, type WatchEvent, type WatchTurn } from "@ims/etcd-cluster";
import { makeCertificate } from "../../support/certificate.ts";
import { startEtcdCluster } from "../../support/etcd.ts";
import { clientOf, cluster, pause, skip, until } from "./support.ts";

function follow(t: TestContext, client: EtcdClient, prefix: string, from: number) {
  const abort = new AbortController();
  const turns: WatchTurn[] = [];
  const ended = (async () => {
    for await (const turn of client.watch({ prefix }, from, abort.signal)) turns.push(turn);
  })();
  t.after(() => abort.abort());
  const events = (): WatchEvent[] => turns.flatMap((turn) => (turn.kind === "events" ? turn.events : []));
  const puts = (): string[] =>
    events().flatMap((event) => (event.kind === "put" ? [`${event.entry.key}=${event.entry.value}`] : []));
  return { turns, events, puts, ended, stop: () => abort.abort() };
}

describe("client of etcd, against three real ones", { skip }, () => {
  test("keys, ranges in pages, transactions and what etcd refuses", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const client = clientOf(t, endpoints);
    assert.deepEqual(await client.range({ key: "__proto__" }), { kind: "found", revision: 2, entries: [] });
    const first = await client.put("a/ü", "wert ✓");
    assert.deepEqual(first, { kind: "stored", revision: 3 });
    assert.deepEqual(await client.range({ prefix: "a/" }), {
      kind: "found",
      revision: 3,
      entries: [{ key: "a/ü", value: "wert ✓", revision: 3, createRevision: 3, lease: "0" }],
    });
    for (let i = 0; i < 11; i++)
      await client.transact({
        when: [],
        run: Array.from({ length: 100 }, (_, j) => ({ do: "put", key: `p/${i}-${j}`, value: "x" }) as const),
      });
    const all = await client.range({ prefix: "p/" });
    assert.ok(all.kind === "found");
    assert.equal(new Set(all.entries.map(({ key }) => key)).size, 1100);

    const swap = (revision: number, value: string) =>
      client.transact({
        when: [{ key: "a/ü", is: "at", revision }],
        run: [{ do: "put", key: "a/ü", value }],
        otherwise: [{ do: "get", range: { key: "a/ü" } }],
      });
    const done = await swap(3, "two");
    assert.ok(done.kind === "done" && done.held);
    const late = await swap(3, "three");
    assert.ok(late.kind === "done" && !late.held);
    assert.equal(late.found[0]?.[0]?.value, "two");
    assert.deepEqual(
      [
        await client.delete({ prefix: "a/" }),
        await client.delete({ prefix: "a/" }),
        await client.put("x", "y", { lease: "4711" }),
      ].map((result) => ("count" in result ? result.count : result.kind)),
      [1, 0, "noLease"],
    );
    const twice = { do: "put", key: "same", value: "" } as const;
    await assert.rejects(
      client.transact({ when: [], run: [twice, twice] }),
      (error) => error instanceof EtcdError && error.detail.code === "ETCD_REFUSED",
    );
  });

  test("a lease takes its keys along when it lapses, and lives while it is kept alive", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const client = clientOf(t, endpoints);
    const [kept, left] = [await client.grantLease(2), await client.grantLease(2)];
    assert.ok(kept.kind === "granted" && left.kind === "granted");
    await client.put("lease/kept", "", { lease: kept.lease });
    await client.put("lease/left", "", { lease: left.lease });
    await until("the one lease has lapsed", async () => {
      assert.deepEqual(await client.keepAlive(kept.lease), { kind: "alive", ttlSeconds: 2 });
      const now = await client.range({ prefix: "lease/" });
      return now.kind === "found" && now.entries.length === 1;
    });
    assert.deepEqual(await client.keepAlive(left.lease), { kind: "gone" });
    assert.deepEqual(await client.revokeLease(kept.lease), { kind: "revoked" });
    assert.deepEqual(await client.revokeLease(kept.lease), { kind: "gone" });
  });

  test("a killed and a frozen member are passed over; a watch tells every change once, in order", async (t) => {
    const { endpoints, members, leader } = await cluster(t);
    const client = clientOf(t, endpoints, { tryMs: 500, watchCheckMs: 300 });
    const start = await client.range({ prefix: "w/" });
    assert.ok(start.kind === "found");
    const watch = follow(t, client, "w/", start.revision + 1);
    const expected: string[] = [];
    let n = 0;
    const writeSome = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const value = String(n++);
        await until(`${value} is written`, async () => (await client.put("w/k", value)).kind === "stored");
        expected.push(`w/k=${value}`);
      }
    };
    // What was sent again may arrive twice, and late: told as often as it was done, in the order of the revisions.
    const distinct = (): string[] => [...new Set(watch.puts())];
    await writeSome(5);
    await (members[0] as (typeof members)[number]).kill();
    await writeSome(20);
    await (members[0] as (typeof members)[number]).restart();
    await writeSome(5);
    const frozen = await leader();
    frozen.freeze();
    await writeSome(20);
    frozen.thaw();
    // Long enough for reads that look after the server to be under way while changes are told.
    await writeSome(300);
    await until("the watch has told all", () => distinct().length === expected.length);
    assert.deepEqual(distinct().sort(), expected.sort());
    const revisions = watch.events().map((event) => (event.kind === "put" ? event.entry.revision : 0));
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].sort((a, b) => a - b),
    );
    watch.stop();
    await watch.ended;
  });

  test("without quorum requests end in time and say so; with it again all goes on", async (t) => {
    const { endpoints, members, writable } = await cluster(t);
    const client = clientOf(t, endpoints, { deadlineMs: 1500, tryMs: 700 });
    const before = await client.put("q", "1");
    assert.ok(before.kind === "stored");
    const watch = follow(t, client, "q", before.revision + 1);
    const [one, two] = members as [(typeof members)[number], (typeof members)[number]];
    await Promise.all([one.kill(), two.kill()]);
    for (const request of [() => client.put("q", "2"), () => client.range({ key: "q" })]) {
      const began = Date.now();
      const result = await request();
      assert.equal(result.kind, "unavailable");
      assert.ok(Date.now() - began < 3000);
    }
    await Promise.all([one.restart(), two.restart()]);
    await writable();
    await until("a write passes", async () => (await client.put("q", "3")).kind === "stored");
    await until("the watch tells it", () => watch.puts().at(-1) === "q=3");
  });

  test("a watch from before a compaction is told to read again", async (t) => {
    const { endpoints } = await cluster(t, 1);
    const client = clientOf(t, endpoints);
    for (let i = 0; i < 5; i++) await client.put("c", String(i));
    const now = await client.range({ key: "c" });
    assert.ok(now.kind === "found");
    await client.compact(now.revision);
    const late = follow(t, client, "c", 2);
    await late.ended;
    assert.deepEqual(late.turns, [{ kind: "restart", reason: "compacted" }]);
    const watch = follow(t, client, "c", now.revision + 1);
    await pause(100);
    await client.delete({ key: "c" });
    await until("the delete is told", () => watch.events().length === 1);
    assert.deepEqual(watch.events(), [{ kind: "delete", key: "c" }]);
  });

  test("TLS: etcd is believed by its certificate, and believes us by ours", async (t) => {
    const ours = makeCertificate(t, ["localhost"]);
    const other = makeCertificate(t, ["localhost"]);
    const { certFile, keyFile, cert, key } = ours;
    const { endpoints, stop } = await startEtcdCluster(1, { certFile, keyFile, caFile: certFile });
    t.after(stop);
    const client = clientOf(t, endpoints, { tls: { ca: cert, cert, key } });
    await until("etcd answers", async () => (await client.put("tls", "1")).kind === "stored");
    const watch = follow(t, client, "tls", 2);
    await until("the watch passes, too", () => watch.puts().length > 0);
    const refusals: [EtcdTls | undefined, RegExp][] = [
      [{ ca: other.cert, cert, key }, /SELF_SIGNED|UNABLE_TO_VERIFY/],
      [{ ca: cert }, /./],
      [{ ca: cert, cert: other.cert, key: other.key }, /./],
    ];
    for (const [tls, problem] of refusals) {
      const refused = await clientOf(t, endpoints, { ...(tls && { tls }), deadlineMs: 300 }).put("tls", "2");
      assert.ok(refused.kind === "unavailable");
      assert.match(refused.cause.message, problem);
      assert.doesNotMatch(refused.cause.message, /PRIVATE KEY/);
    }
    watch.stop();
  });
});
