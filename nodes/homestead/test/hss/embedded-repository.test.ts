import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { HomesteadError } from "../../src/errors.ts";
import { EmbeddedRepository } from "../../src/hss/embedded-repository.ts";
import { sealingWith } from "../../src/hss/sealing.ts";
import { SqliteTables } from "../../src/hss/sqlite-tables.ts";
import { notRegistered } from "../../src/hss/subscriber.ts";
import { addSubscriber, memoryHss } from "../cx/cx-under-test.ts";

const key = createSecretKey(Buffer.alloc(32, 1));

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "homestead-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function open(file: string, { clock = fakeClock(), cacheSize = 100, secret = key } = {}): EmbeddedRepository {
  return new EmbeddedRepository(
    new SqliteTables(file, sealingWith(secret)),
    { cacheSize },
    { clock, log: memoryLogger("silent") },
  );
}

test("TS 29.228 §6.1: registration states are written in groups after 10 ms and survive a restart", async (t) => {
  const file = join(directory(t), "subscribers.db");
  const clock = fakeClock();
  const hss = open(file, { clock });
  addSubscriber(hss);
  const alice = hss.byPrivateIdentity("alice@example.com");
  assert.ok(alice);
  hss.save(alice, {
    registration: { ...notRegistered, state: "registered", serverName: "sip:scscf.example.com" },
    sqn: 2 ** 47 + 5,
  });
  const observer = open(file);
  assert.equal(observer.byPrivateIdentity("alice@example.com")?.registration.state, "notRegistered");
  await observer.close();
  clock.advance(20);
  const restarted = open(file);
  const again = restarted.byPublicIdentity("sip:alice@example.com");
  assert.deepEqual(again?.registration, {
    state: "registered",
    authenticationPending: false,
    serverName: "sip:scscf.example.com",
    originHost: undefined,
    originRealm: undefined,
  });
  assert.equal(again?.sqn, 2 ** 47 + 5);
  await restarted.close();
  await hss.close();
});

test("what is queued is written when homestead stops", async (t) => {
  const file = join(directory(t), "subscribers.db");
  const hss = open(file);
  addSubscriber(hss);
  const alice = hss.byPrivateIdentity("alice@example.com");
  assert.ok(alice);
  hss.save(alice, { sqn: 99 });
  await hss.close();
  assert.deepEqual(readdirSync(dirname(file)), ["subscribers.db"], "nobody holds its log any more");
  await hss.close(); // a second time: harmless
  assert.equal(hss.size, 0);
  const restarted = open(file);
  assert.equal(restarted.byPrivateIdentity("alice@example.com")?.sqn, 99);
  await restarted.close();
});

test("the cache is bounded, and what falls out of it is written first", async (t) => {
  const file = join(directory(t), "subscribers.db");
  const hss = open(file, { cacheSize: 2 });
  for (const name of ["a", "b", "c"]) addSubscriber(hss, { impi: `${name}@example.com` });
  for (const name of ["a", "b", "c", "a"]) {
    const found = hss.byPublicIdentity(`sip:${name}@example.com`);
    assert.ok(found);
    hss.save(found, { sqn: found.sqn + 1 });
  }
  assert.equal(hss.byPrivateIdentity("a@example.com")?.sqn, 2);
  await hss.close();
});

test("TS 33.102 §C: keys and password hashes are not readable in the database, and only with the key", async (t) => {
  const file = join(directory(t), "subscribers.db");
  const k = Buffer.from("465b5ce8b199b49faa5f0a2ee238a6bc", "hex");
  const hss = open(file);
  addSubscriber(hss, {
    aka: { k: createSecretKey(k), opc: Buffer.alloc(16, 9), amf: Buffer.from("8000", "hex") },
  });
  const ha1 = hss.byPrivateIdentity("alice@example.com")?.credentials.digest?.ha1Md5 ?? "";
  await hss.close();
  const bytes = readFileSync(file);
  assert.equal(bytes.includes(k), false);
  assert.equal(bytes.includes(k.toString("hex")), false);
  assert.equal(bytes.includes(ha1), false);
  assert.equal(bytes.includes("secret"), false);
  const other = open(file, { secret: createSecretKey(Buffer.alloc(32, 2)) });
  assert.throws(
    () => other.byPrivateIdentity("alice@example.com"),
    (error) => error instanceof HomesteadError && error.detail.code === "SECRETS_UNREADABLE",
  );
  await other.close();
});

test("an identity belongs to one subscriber only", (t) => {
  const hss = memoryHss(t);
  addSubscriber(hss, { impus: ["sip:alice@example.com", "sip:list-!.*!@example.com"] });
  assert.throws(() => addSubscriber(hss), /conflict/);
  assert.throws(
    () => addSubscriber(hss, { impi: "b@example.com", impus: ["sip:alice@EXAMPLE.com"] }),
    /conflict/,
  );
  assert.equal(hss.byPrivateIdentity("b@example.com"), undefined);
  assert.equal(hss.byPublicIdentity("sip:list-9@example.com")?.impi, "alice@example.com");
  const alice = hss.byPrivateIdentity("alice@example.com");
  assert.ok(alice);
  assert.deepEqual(hss.remove(alice), { kind: "written" });
  assert.deepEqual(hss.remove(alice), { kind: "notFound" });
  assert.equal(hss.byPublicIdentity("sip:list-9@example.com"), undefined);
  assert.equal(hss.byPublicIdentity("sip:alice@example.com"), undefined);
});

test("subscribers are listed in pages and found by a part of an identity", (t) => {
  const hss = memoryHss(t);
  for (const name of ["a", "b", "c%"])
    addSubscriber(hss, { impi: `${name}@example.com`, impus: [`sip:x${name.charCodeAt(0)}@y.z`] });
  const names = (query: Partial<Parameters<typeof hss.page>[0]>) => {
    const page = hss.page({ after: "", limit: 2, search: undefined, ...query });
    return [page.subscribers.map(({ impi }) => impi.split("@")[0]), page.next];
  };
  assert.deepEqual(names({}), [["a", "b"], "b@example.com"]);
  assert.deepEqual(names({ after: "b@example.com" }), [["c%"], undefined]);
  assert.deepEqual(names({ search: "%" }), [["c%"], undefined]);
  assert.deepEqual(names({ search: "x98" }), [["b"], undefined]);
  assert.deepEqual(names({ search: "_" }), [[], undefined]);
});
