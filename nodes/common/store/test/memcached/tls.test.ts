import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { CoreTls, systemClock } from "@ims/runtime";
import { memoryLogger, type TestCertificate, testAuthority } from "@ims/runtime/testing";
import type { MemcachedStore } from "@ims/store";
import { type MemcachedProcess, startMemcached } from "../../../../../test/support/memcached.ts";
import { bytes, skip, storeOn, until } from "./support.ts";

const TABLE = "aor";
const absent = { ifVersion: "absent", ttlSeconds: 600 } as const;

/** A memcached that speaks TLS alone, with clients that have a certificate. */
async function secure(t: TestContext, host: string, files: TestCertificate): Promise<MemcachedProcess> {
  const { coreTlsCertificate, coreTlsKey, coreTlsCa, cert, key } = files;
  // It gives up being root before it reads its key.
  chmodSync(coreTlsKey, 0o644);
  const paths = `ssl_chain_cert=${coreTlsCertificate},ssl_key=${coreTlsKey},ssl_ca_cert=${coreTlsCa},ssl_verify_mode=2`;
  const server = await startMemcached({ host, args: ["-Z", "-o", paths], tls: { ca: files.ca, cert, key } });
  t.after(() => server.kill());
  return server;
}

async function client(t: TestContext, files: TestCertificate, on: readonly MemcachedProcess[]) {
  const log = memoryLogger();
  const tls = new CoreTls(
    { coreTls: "off", coreTlsNames: [], coreTlsPlainPeers: [], ...files },
    { clock: systemClock(), log },
  );
  t.after(() => tls.stop());
  return { store: await storeOn(t, on, { tls, log }), log, tls };
}

async function works(store: MemcachedStore, key: string): Promise<void> {
  assert.deepEqual(await store.put(TABLE, key, bytes("one"), absent), { kind: "stored" }, key);
  const read = await store.get(TABLE, key);
  assert.equal(read.kind === "found" && Buffer.from(read.value).toString(), "one");
}

describe("memcached over TLS", { skip }, () => {
  test("entries pass on two servers; who has no certificate of the core, or speaks in the clear, gets nothing", async (t) => {
    const authority = testAuthority(t);
    chmodSync(authority.folder, 0o755);
    const on = [
      await secure(t, "127.0.7.11", authority.issue({ names: "IP:127.0.7.11" })),
      await secure(t, "127.0.7.12", authority.issue({ names: "IP:127.0.7.12" })),
    ];
    const own = authority.issue({ names: "IP:127.0.0.1" });
    const { store } = await client(t, own, on);
    assert.deepEqual(
      store.servers().map(({ up }) => up),
      [true, true],
    );
    const keys = Array.from({ length: 200 }, (_, i) => `sip:${i}@example.com`);
    await Promise.all(keys.map((key) => works(store, key)));
    await on[0]?.kill();
    assert.equal((await store.get(TABLE, "sip:7@example.com")).kind, "found");
    await on[0]?.restart();
    await until("back", () => store.servers().every(({ up }) => up));

    const plain = await storeOn(t, on);
    const stranger = await client(t, testAuthority(t).issue({ names: "IP:127.0.0.1" }), on);
    for (const nobody of [plain, stranger.store]) {
      assert.deepEqual(
        nobody.servers().map(({ up }) => up),
        [false, false],
      );
      assert.equal((await nobody.get(TABLE, "sip:7@example.com")).kind, "unavailable");
    }
    const problems = stranger.log.lines.flatMap(({ problem }) =>
      typeof problem === "string" ? [problem] : [],
    );
    assert.ok(
      problems.includes("its certificate is of an authority that is not in --core-tls-ca"),
      JSON.stringify(problems),
    );
  });

  test("a server with a certificate for another address is not believed", async (t) => {
    const authority = testAuthority(t);
    chmodSync(authority.folder, 0o755);
    const on = [await secure(t, "127.0.7.11", authority.issue({ names: "IP:127.0.7.99" }))];
    const { store, log } = await client(t, authority.issue({ names: "IP:127.0.0.1" }), on);
    assert.deepEqual(
      store.servers().map(({ up }) => up),
      [false],
    );
    const problems = new Set(log.lines.map(({ problem }) => problem));
    assert.ok(problems.has("its certificate names IP Address:127.0.7.99, not 127.0.7.11"));
  });
});
