import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reply } from "../support/call-flow.ts";
import { type CassandraUnderTest, launchCassandra, whyNoCassandra } from "../support/cassandra.ts";
import { memcachedMissing } from "../support/memcached.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { runProgram } from "../support/program.ts";
import { SipUe } from "../support/sip-ue.ts";

const SUBSCRIBERS = 40;
const REGISTERED = 20;

test("vellum is lost, Cassandra with its disk and memcached: restored into new ones, subscribers and registrations are audited equal, and who was registered is reached", {
  skip: whyNoCassandra() ?? memcachedMissing() ?? false,
  timeout: 240_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "vellum-"));
  const place = { network: `127.${randomInt(130, 250)}`, stateDir: join(folder, "state") };
  const ends: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const end of ends.reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  });
  const vellum = async (): Promise<CassandraUnderTest> => {
    const cassandra = await launchCassandra();
    ends.push(cassandra.stop);
    return cassandra;
  };
  const start = async ({ contactPoints: [contact = ""] }: CassandraUnderTest): Promise<PoolsUnderTest> => {
    const pools = await launchPools(
      [
        ...["--pools", "bono=1,sprout=1,homestead=1", "--stores", "memcached=1", "--no-examples"],
        ...[
          "--no-restart",
          "--set",
          `sprout.cassandra=${contact}`,
          "--set",
          `homestead.cassandra=${contact}`,
        ],
      ],
      place,
    );
    ends.push(pools.stop);
    return pools;
  };
  const done = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runProgram(args, { timeoutMs: 120_000 });
    assert.deepEqual([exitCode, stderr], [0, ""], `${args.join(" ")}: ${stdout}`);
    return stdout;
  };
  const url = ["--url", `http://${place.network}.3.1:8889`];
  const subscribers = (): Promise<string> => done("subscriber", "list", "--json", ...url);

  const lost = await vellum();
  const first = await start(lost);
  const csv = join(folder, "subscribers.csv");
  const rows = Array.from(
    { length: SUBSCRIBERS },
    (_, at) => `user${at}@${first.domain},sip:user${at}@${first.domain} tel:+1650555${1000 + at},secret\n`,
  );
  writeFileSync(csv, `impi,impu,password\n${rows.join("")}`);
  await done("subscriber", "import", csv, ...url);
  const ues: SipUe[] = [];
  const told: string[] = [];
  for (let at = 0; at < REGISTERED; at++) {
    const ue = await SipUe.open(t, first.bono(1), { user: `user${at}` });
    const accepted = await ue.register();
    assert.equal(accepted.status, 200);
    const [, contact = "", expires] = /<([^>]+)>.*;expires=(\d+)/.exec(accepted.top("Contact") ?? "") ?? [];
    const now = Date.now();
    const { callId, impu: aor } = ue;
    told.push(
      JSON.stringify({
        aor,
        contact,
        callId,
        cseq: accepted.cseqNumber,
        expiresAt: now + Number(expires) * 1_000,
        at: now,
      }),
    );
    ues.push(ue);
  }
  const toldFile = join(folder, "told.jsonl");
  writeFileSync(toldFile, told.join("\n"));
  const before = await subscribers();
  assert.equal(before.match(/"impi"/g)?.length, SUBSCRIBERS);

  // While it serves.
  const key = join(folder, "backup.key");
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const [sealing = ""] = globSync(`${place.stateDir}/**/subscribers.key`);
  const file = join(folder, "vellum.backup");
  const keys = ["--key-file", key, "--subscriber-key-file", sealing];
  await done("backup", file, "--cassandra", lost.contactPoints.join(), ...keys);

  const [alice, bob] = ues;
  assert.ok(alice !== undefined && bob !== undefined);
  await lost.stop();
  for (const { pool, pid } of first.nodes) if (pool === "memcached") process.kill(pid, "SIGKILL");
  assert.ok((await alice.register()).status >= 400, "nothing is left of it");
  await first.stop();

  const fresh = await vellum();
  const to = ["--cassandra", fresh.contactPoints.join()];
  await done("restore", file, ...to, "--cassandra-replication-factor", "1", ...keys);
  t.diagnostic((await done("audit", "bindings", "--told", toldFile, ...to)).trim());
  const second = await start(fresh);
  assert.equal(await subscribers(), before);
  const sprout = ["--sprout-url", `http://${place.network}.2.1:9102`];
  for (const { impu } of ues)
    assert.match(
      await done("subscriber", "registration", impu, ...sprout),
      /^ {2}registered.*\n(?:.*\n)* {2}contact /m,
    );
  assert.equal(second.domain, first.domain);
  assert.equal((await alice.register()).status, 200);
  const message = alice.request("MESSAGE", bob.impu, { callId: `${alice.callId}-m` });
  for (const route of alice.serviceRoute) message.append("Route", route);
  alice.send(message.setBody("still there?", "text/plain"));
  reply(bob, await bob.incoming("MESSAGE"), 200);
  assert.equal((await alice.final("MESSAGE")).status, 200);
});
