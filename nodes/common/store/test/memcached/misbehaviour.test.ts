import assert from "node:assert/strict";
import net from "node:net";
import { describe, test } from "node:test";
import { update } from "@ims/store";
import { encodeEntry } from "../../src/memcached/entry.ts";
import { type Command, fakeMemcached, obliging } from "./fake-memcached.ts";
import { bytes, pause, servers, skip, storeOn, until } from "./support.ts";

const TABLE = "aor";
const KEY = "sip:a@example.com";
const WIRE = `r/${TABLE}/${KEY}`;
const absent = { ifVersion: "absent", ttlSeconds: 60 } as const;

const entry = (value: string, key = WIRE): Buffer =>
  encodeEntry(key, {
    born: 1_800_000_000_000,
    count: 3,
    stamp: 77,
    ancestors: [],
    grace: 0,
    tombstone: false,
    name: undefined,
    value: bytes(value),
  });

const found = (value: Buffer, { opaque }: Command): Buffer =>
  Buffer.concat([Buffer.from(`VA ${value.length} c5 t60 O${opaque}\r\n`), value, Buffer.from("\r\n")]);

/** Good as long as only its own bookkeeping is asked. */
const onEntries =
  (wrong: (command: Command) => string | Buffer | undefined) =>
  (command: Command): string | Buffer | undefined =>
    command.key === WIRE ? wrong(command) : obliging(command);

const half = (whole: Buffer): Buffer => whole.subarray(0, whole.length - 10);

/** None of these is a value. */
const WRONG: Readonly<Record<string, (command: Command) => string | Buffer | undefined>> = {
  "nothing at all": () => undefined,
  "half a reply": (command) => half(found(entry("wrong"), command)),
  "another protocol": () => "HTTP/1.1 200 OK\r\n\r\n",
  "binary rubbish": () => Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 37) & 0xff)),
  "a wrong length": ({ opaque }) => `VA 4 c5 t60 O${opaque}\r\nabcdefgh\r\n`,
  "a reply to another request": ({ opaque }) => `EN O${Number(opaque) + 1}\r\n`,
  "a reply without opaque": () => "EN\r\n",
  "a code that does not answer": ({ verb, opaque }) =>
    verb === "mg" ? `EX O${opaque}\r\n` : `EN O${opaque}\r\n`,
  "a value of two megabytes": ({ opaque }) => `VA 2000000 c5 t60 O${opaque}\r\n`,
  ERROR: () => "ERROR\r\n",
  SERVER_ERROR: () => "SERVER_ERROR out of order\r\n",
};

/** Well framed, but not what was stored. */
const SPOILED: Readonly<Record<string, Buffer>> = {
  "text of somebody else": Buffer.from("hello world"),
  nothing: Buffer.alloc(0),
  "half an entry": half(entry("wrong value here")),
  "the entry of another key": entry("wrong", "r/aor/sip:b@example.com"),
  "an entry with a bit turned over": (() => {
    const spoiled = entry("wrong");
    spoiled[spoiled.length - 1] = (spoiled[spoiled.length - 1] ?? 0) ^ 1;
    return spoiled;
  })(),
};

describe("memcached store and servers that misbehave", { skip }, () => {
  for (const [what, wrong] of Object.entries(WRONG))
    test(`a server that answers ${what} makes operations unavailable, and fails nobody beside a good one`, async (t) => {
      const bad = await fakeMemcached(t, onEntries(wrong));
      const lone = await storeOn(t, [bad], { deadlineMs: 100 });
      assert.equal((await lone.get(TABLE, KEY)).kind, "unavailable");
      assert.equal((await lone.put(TABLE, KEY, bytes("one"), absent)).kind, "unavailable");
      assert.equal((await lone.delete(TABLE, KEY)).kind, "unavailable");

      const [good] = await servers(t, 1);
      assert.ok(good);
      const store = await storeOn(t, [bad, good]);
      assert.deepEqual(await store.put(TABLE, KEY, bytes("one"), absent), { kind: "stored" });
      // The bad one is tried again and again meanwhile.
      for (let i = 0; i < 40; i++) {
        const read = await store.get(TABLE, KEY);
        assert.equal(read.kind === "found" && Buffer.from(read.value).toString(), "one");
        await pause(10);
      }
    });

  for (const [what, item] of Object.entries(SPOILED))
    test(`an item that is ${what} is never given out, and replaced where a good copy is`, async (t) => {
      const bad = await fakeMemcached(t, (command) => {
        if (command.key !== WIRE) return obliging(command);
        return command.verb === "mg" ? found(item, command) : obliging(command);
      });
      const lone = await storeOn(t, [bad]);
      assert.equal((await lone.get(TABLE, KEY)).kind, "unavailable");
      assert.equal((await lone.put(TABLE, KEY, bytes("one"), absent)).kind, "unavailable");

      const [good] = await servers(t, 1);
      assert.ok(good);
      const before = await storeOn(t, [good]);
      await before.put(TABLE, KEY, bytes("one"), absent);
      const store = await storeOn(t, [bad, good]);
      const read = await store.get(TABLE, KEY);
      assert.equal(read.kind === "found" && Buffer.from(read.value).toString(), "one");
      const repair = bad.commands.find(({ verb, key }) => verb === "ms" && key === WIRE);
      assert.match(repair?.line ?? "", / C5$/);
      assert.ok(store.counters.rubbish >= 1);
    });

  test("an entry of a newer format is unavailable and is not overwritten", async (t) => {
    const [good, other] = await servers(t, 2);
    assert.ok(good && other);
    const newer = Buffer.from(entry("of tomorrow"));
    newer[5] = 2;
    const { crc32 } = await import("node:zlib");
    newer.writeUInt32BE(crc32(newer.subarray(4), crc32(WIRE)), 0);
    const future = await fakeMemcached(t, (command) => {
      if (command.key !== WIRE) return obliging(command);
      return command.verb === "mg" ? found(newer, command) : obliging(command);
    });
    const store = await storeOn(t, [future, good]);
    const read = await store.get(TABLE, KEY);
    assert.match(String(read.kind === "unavailable" && read.cause), /newer format/);
    assert.equal((await store.put(TABLE, KEY, bytes("one"), absent)).kind, "unavailable");
    assert.equal((await store.delete(TABLE, KEY)).kind, "unavailable");
    assert.deepEqual(
      future.commands.filter(({ verb, key }) => verb === "ms" && key === WIRE),
      [],
    );
  });

  test("a reply more than there were requests ends the connection", async (t) => {
    const bad = await fakeMemcached(
      t,
      onEntries((command) => `${obliging(command)}${obliging(command)}`),
    );
    const store = await storeOn(t, [bad]);
    await store.get(TABLE, KEY);
    await until("given up", () => store.counters.broken === 1);
  });

  for (const [what, dump] of Object.entries({
    "is no dump": "HTTP/1.1 400 Bad Request\r\n\r\n",
    "has no line ends": "key=".padEnd(10_000, "x"),
    "is an error": "ERROR\r\n",
    "breaks off": undefined,
  }))
    test(`resynchronisation is incomplete when a list of entries ${what}`, async (t) => {
      const bad = await fakeMemcached(t, (command, socket) => {
        if (command.verb !== "lru_crawler") return obliging(command);
        if (dump === undefined)
          socket.end("key=r%2Faor%2Fa exp=1 la=1 cas=1 fetch=no cls=1 size=1\nkey=r%2F");
        return dump;
      });
      const store = await storeOn(t, [bad]);
      assert.deepEqual(await store.resync(), { entries: 0, complete: false });
    });

  test("resynchronisation waits for a crawler that is busy and passes over keys that are not ours", async (t) => {
    let asked = 0;
    const lines = [
      "key=r%2Faor%2Fa exp=1",
      "key=%zz exp=1",
      "key=other exp=1",
      "key=tidewater%2Fwhole exp=-1",
      "END",
    ];
    const fake = await fakeMemcached(t, (command) => {
      if (command.verb !== "lru_crawler") return obliging(command);
      return ++asked === 1 ? "BUSY currently processing crawler request\r\n" : `${lines.join("\n")}\r\n`;
    });
    const store = await storeOn(t, [fake]);
    assert.deepEqual(await store.resync(), { entries: 1, complete: true });
    assert.equal(asked, 2);
  });

  test("a slow server within the deadline is only slow", async (t) => {
    const slow = await fakeMemcached(t, (command, socket) => {
      setTimeout(() => socket.write(obliging(command)), 120);
      return undefined;
    });
    const store = await storeOn(t, [slow]);
    assert.deepEqual(await store.get(TABLE, KEY), { kind: "notFound" });
    assert.deepEqual(await store.put(TABLE, KEY, bytes("one"), absent), { kind: "stored" });
    assert.equal(slow.connections, 1);
    assert.equal(store.counters.timeouts, 0);
  });

  test("a process that was busy past the deadline reads what came meanwhile before it gives up", async (t) => {
    const [good] = await servers(t, 1);
    assert.ok(good);
    const store = await storeOn(t, [good], { deadlineMs: 30 });
    const read = store.get(TABLE, KEY);
    await new Promise((resolve) => setImmediate(resolve)); // written
    const end = performance.now() + 80;
    while (performance.now() < end);
    assert.deepEqual(await read, { kind: "notFound" });
    assert.equal(store.counters.timeouts, 0);
  });

  test("requests beyond the bound are refused at once, those before are answered", async (t) => {
    const slow = await fakeMemcached(t, (command, socket) => {
      setTimeout(() => socket.write(obliging(command)), 50);
      return undefined;
    });
    const store = await storeOn(t, [slow], { maxPending: 10, random: () => 0.999 });
    const kinds = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => (await store.get(TABLE, `${i}`)).kind),
    );
    assert.equal(kinds.filter((kind) => kind === "notFound").length, 10);
    assert.equal(kinds.filter((kind) => kind === "unavailable").length, 20);
  });

  test("lifetimes of items do not grow however often an entry is shortened, deleted and put again", async (t) => {
    const [good] = await servers(t, 1);
    assert.ok(good);
    const store = await storeOn(t, [good]);
    await store.put(TABLE, KEY, bytes("long"), { ifVersion: "absent", ttlSeconds: 600 });
    for (let i = 0; i < 50; i++) {
      const put = () => ({ kind: "put", value: bytes(`${i}`), ttlSeconds: 20 }) as const;
      assert.equal((await update(store, TABLE, KEY, put)).kind, "stored");
      assert.equal((await update(store, TABLE, KEY, put)).kind, "stored");
      assert.deepEqual(await store.delete(TABLE, KEY), { kind: "stored" });
    }
    const raw = net.connect(good.port, good.host);
    t.after(() => raw.destroy());
    raw.write(`mg ${WIRE} t\r\n`);
    const line = String(await new Promise((resolve) => raw.once("data", resolve)));
    const seconds = Number(/^HD t(\d+)/.exec(line)?.[1]);
    assert.ok(seconds >= 595 && seconds <= 603, line);
  });

  test("a server that is away is tried again with pauses that grow, not in a circle", async (t) => {
    const hangUp = await fakeMemcached(t, (_, socket) => void socket.destroy());
    const store = await storeOn(t, [hangUp], { random: () => 1 });
    await pause(1_000);
    assert.ok(
      hangUp.connections >= 3 && hangUp.connections <= 7,
      `${hangUp.connections} connections in a second`,
    );
    assert.equal((await store.get(TABLE, KEY)).kind, "unavailable");
  });
});
