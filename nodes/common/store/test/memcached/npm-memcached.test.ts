import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "@ims/runtime";
import Memcached from "memcached";
import { metaArithmetic, metaDelete, metaGet, metaSet } from "../../src/memcached/commands.ts";
import { Connection } from "../../src/memcached/connection.ts";
import { bytes, servers, skip, storeOn } from "./support.ts";

/** The npm package, callbacks turned into promises. */
function npmClient(t: TestContext, id: string) {
  const client = new Memcached(id, { poolSize: 1, retries: 0, timeout: 1_000 });
  t.after(() => client.end());
  const call = <T>(run: (done: (error: unknown, data: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      run((error, data) => (error === undefined || error === null ? resolve(data) : reject(error)));
    });
  return {
    get: (key: string) => call<string | undefined>((done) => client.get(key, done)),
    gets: (key: string) => call<{ cas: string }>((done) => client.gets(key, done)),
    set: (key: string, value: string, seconds: number) =>
      call<boolean>((done) => client.set(key, value, seconds, done)),
    cas: (key: string, value: string, cas: string, seconds: number) =>
      call<boolean>((done) => client.cas(key, value, cas, seconds, done)),
    incr: (key: string, by: number) => call<number | boolean>((done) => client.incr(key, by, done)),
  };
}

function ourClient(t: TestContext, host: string, port: number) {
  const connection = new Connection(
    { host, port, clock: systemClock(), deadlineMs: 1_000, maxPending: 100 },
    () => {},
  );
  t.after(() => connection.close());
  const ask = (command: (opaque: number) => string, data?: Uint8Array) => {
    const opaque = connection.nextOpaque();
    return connection.request(opaque, command(opaque), data);
  };
  return {
    get: (key: string) => ask((opaque) => metaGet(key, opaque)),
    set: (key: string, value: string, cas: number | "absent" | "any") =>
      ask((opaque) => metaSet(key, Buffer.byteLength(value), "60", cas, opaque), Buffer.from(value)),
    delete: (key: string, cas: number | "any") => ask((opaque) => metaDelete(key, cas, opaque)),
    add: (key: string, delta: number) => ask((opaque) => metaArithmetic(key, delta, 60, opaque)),
  };
}

describe("our client of the meta protocol and the npm package `memcached` on one server", { skip }, () => {
  const both = async (t: TestContext) => {
    const [server] = await servers(t, 1);
    assert.ok(server);
    return { server, npm: npmClient(t, server.id), ours: ourClient(t, server.host, server.port) };
  };

  test("each reads what the other wrote", async (t) => {
    const { npm, ours } = await both(t);
    assert.equal((await ours.set("k", "für uns", "absent")).code, "HD");
    assert.equal(await npm.get("k"), "für uns");
    assert.equal(await npm.set("k", "und zurück", 60), true);
    const read = await ours.get("k");
    assert.ok(read.code === "VA");
    assert.equal(read.value?.toString(), "und zurück");
    assert.ok(read.seconds > 50 && read.seconds <= 60);
    assert.equal((await ours.delete("k", "any")).code, "HD");
    assert.equal(await npm.get("k"), undefined);
    assert.equal((await ours.get("k")).code, "EN");
  });

  test("CAS numbers are the same for both, and each refuses what the other overtook", async (t) => {
    const { npm, ours } = await both(t);
    const set = await ours.set("k", "one", "any");
    assert.ok(set.code === "HD");
    const seen = await npm.gets("k");
    assert.equal(Number(seen.cas), set.cas);
    assert.equal(await npm.cas("k", "two", String(seen.cas), 60), true);
    assert.equal((await ours.set("k", "three", set.cas)).code, "EX");
    assert.equal((await ours.delete("k", set.cas)).code, "EX");
    const read = await ours.get("k");
    assert.ok(read.code === "VA");
    assert.equal((await ours.set("k", "four", read.cas)).code, "HD");
    assert.equal(await npm.cas("k", "five", String(read.cas), 60), false);
    assert.equal(await npm.get("k"), "four");
    assert.equal((await ours.set("k", "six", "absent")).code, "NS");
    assert.equal((await ours.set("other", "six", 5)).code, "NF");
  });

  test("both count the same number up", async (t) => {
    const { npm, ours } = await both(t);
    const first = await ours.add("n", 5);
    assert.ok(first.code === "VA" && first.value?.toString() === "5");
    assert.equal(await npm.incr("n", 3), 8);
    const last = await ours.add("n", 5);
    assert.ok(last.code === "VA" && last.value?.toString() === "13");
  });

  test("an entry of the store lies under a readable key, its value at the end of the item", async (t) => {
    const { server, npm } = await both(t);
    const store = await storeOn(t, [server]);
    const text = "Contact: <sip:alice@192.0.2.1>";
    await store.put("aor", "sip:alice@example.com", bytes(text), { ifVersion: "absent", ttlSeconds: 60 });
    const item = await npm.get("r/aor/sip:alice@example.com");
    assert.equal(item?.slice(-text.length), text);
  });

  test("an item that another program put in the place of an entry is no entry", async (t) => {
    const { server, npm } = await both(t);
    const store = await storeOn(t, [server]);
    await npm.set("r/aor/a", "made up", 60);
    assert.equal((await store.get("aor", "a")).kind, "unavailable");
    assert.equal(store.counters.rubbish, 1);
  });
});
