import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ProvisioningError } from "@ims/api";
import { ResultCode } from "@ims/diameter";
import { CxResultCode, Ppr, Rtr } from "@ims/diameter/cx";
import { systemClock } from "@ims/runtime";
import { openCassandra } from "@ims/store";
import { keys, macs } from "../../../nodes/homestead/src/aka/milenage.ts";
import { sqnBytes } from "../../../nodes/homestead/src/aka/sequence-number.ts";
import { type CassandraUnderTest, launchCassandra, whyNoCassandra } from "../../support/cassandra.ts";
import { CxClient, codeOf, SCSCF } from "./cx-client.ts";
import { HomesteadProcess } from "./homestead-process.ts";

const skip = whyNoCassandra() ?? false;
const { SUCCESS, UNABLE_TO_COMPLY } = ResultCode;
const { FIRST_REGISTRATION, SUBSEQUENT_REGISTRATION, ERROR_IDENTITY_ALREADY_REGISTERED } = CxResultCode;

const K = "465b5ce8b199b49faa5f0a2ee238a6bc";
const OPC = "cd63cb71954a9f4e48a5994e37a02baf";
const usim = { k: createSecretKey(Buffer.from(K, "hex")), opc: Buffer.from(OPC, "hex") };

function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ (other[i] ?? 0)));
}

/** The SQN in a challenge, as the USIM finds it (TS 33.102 §6.3.3). */
function sqnIn(challenge: Uint8Array | undefined): number {
  const bytes = challenge ?? new Uint8Array(32);
  return xor(bytes.subarray(16, 22), keys(usim.k, usim.opc, bytes.subarray(0, 16)).ak).readUIntBE(0, 6);
}

function autsOf(rand: Uint8Array, sqn: number): Uint8Array {
  const sequence = sqnBytes(sqn);
  const { macS } = macs(usim.k, usim.opc, rand, sequence, new Uint8Array(2));
  return Buffer.concat([xor(sequence, keys(usim.k, usim.opc, rand).akStar), macS]);
}

const row = (name: string) => ({
  impi: `${name}@example.com`,
  publicIdentities: [{ impu: `sip:${name}@example.com` }],
  credentials: { password: "s3cret-word" },
});

describe("A pool of homesteads on a Cassandra of three nodes", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "homestead-pool-"));
  const keyFile = join(folder, "pool.key");
  let cassandra: CassandraUnderTest;
  let one: HomesteadProcess;
  let other: HomesteadProcess;
  const started: HomesteadProcess[] = [];
  const start = async (index: number, key = keyFile): Promise<HomesteadProcess> => {
    const args = ["--cassandra", cassandra.contactPoints.join(","), "--subscriber-key-file", key];
    const homestead = await HomesteadProcess.start(index, args);
    started.push(homestead);
    return homestead;
  };

  before(async () => {
    cassandra = await launchCassandra(3);
    // At once, on a cluster that has neither keyspace nor tables, and without a key file.
    const both = await Promise.allSettled([start(1), start(2)]);
    [one, other] = both.map((each) => {
      if (each.status === "fulfilled") return each.value;
      throw each.reason;
    }) as [HomesteadProcess, HomesteadProcess];
  });
  after(async () => {
    for (const homestead of started) await homestead.kill();
    await cassandra?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function provisioned(kind: string, count: number): Promise<string[]> {
    const names = Array.from({ length: count }, (_, i) => `${kind}-${i}`);
    const report = await one.client.import(names.map(row), { dryRun: false, partial: false });
    assert.deepEqual(report, { applied: count, rows: [] });
    return names;
  }

  test("TS 29.228 §6.1: who is added through one homestead registers through the others, and every one knows it", async (t) => {
    await one.client.add(row("alice"));
    const cx = await CxClient.connect(t, "sprout-1.example.com", [one, other]);
    assert.deepEqual(await cx.register("alice", [other, one, other]), [FIRST_REGISTRATION, SUCCESS, SUCCESS]);
    for (const homestead of [one, other]) {
      const [identity] = (await homestead.client.get("alice@example.com")).publicIdentities;
      assert.deepEqual([identity?.state, identity?.serverName], ["registered", SCSCF]);
      assert.equal((await cx.lir(homestead, "sip:alice@example.com")).serverName, SCSCF);
      assert.equal(codeOf(await cx.uar(homestead, "alice")), SUBSEQUENT_REGISTRATION);
    }
    assert.equal(codeOf(await cx.sar(one, "alice", "USER_DEREGISTRATION")), SUCCESS);
    assert.equal(codeOf(await cx.uar(other, "alice")), FIRST_REGISTRATION);
    assert.deepEqual(
      (await other.client.list({ search: "ALICE" })).subscribers.map(({ impi }) => impi),
      ["alice@example.com"],
    );
  });

  test("of two operators that add the same identity through two homesteads exactly one succeeds", async () => {
    for (let round = 0; round < 10; round++) {
      const wanted = [{ impu: `tel:+1650${round}` }, { impu: `sip:shared-${round}@example.com` }];
      const results = await Promise.allSettled([
        one.client.add({ ...row(`left-${round}`), publicIdentities: wanted }),
        other.client.add({ ...row(`right-${round}`), publicIdentities: [...wanted].reverse() }),
      ]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      const refused = results.find((each) => each.status === "rejected");
      assert.ok(refused?.reason instanceof ProvisioningError);
      assert.match(JSON.stringify(refused.reason.detail), /409.*belongs to/);
      const { subscribers } = await one.client.list({ search: `shared-${round}@` });
      assert.equal(subscribers.length, 1);
      const loser = results[0]?.status === "rejected" ? "left" : "right";
      await assert.rejects(other.client.get(`${loser}-${round}@example.com`), ProvisioningError);
    }
  });

  test("TS 29.228 §6.1.2.1: of two S-CSCFs that register one user over two homesteads at once one is told of the other", async (t) => {
    await one.client.add(row("bob"));
    const cxs = await Promise.all([
      CxClient.connect(t, "scscf-a.example.com", [one, other], "sip:scscf-a.example.com"),
      CxClient.connect(t, "scscf-b.example.com", [one, other], "sip:scscf-b.example.com"),
    ]);
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        cxs.map((cx, index) => cx.sar(index === round % 2 ? one : other, "bob", "REGISTRATION")),
      );
      assert.deepEqual(answers.map(codeOf).sort(), [SUCCESS, ERROR_IDENTITY_ALREADY_REGISTERED].sort());
      const winner = answers.findIndex((each) => codeOf(each) === SUCCESS);
      const serverName = ["sip:scscf-a.example.com", "sip:scscf-b.example.com"][winner];
      assert.equal(answers[1 - winner]?.serverName, serverName);
      assert.equal((await one.client.get("bob@example.com")).publicIdentities[0]?.serverName, serverName);
      assert.equal(codeOf((await cxs[winner]?.sar(other, "bob", "USER_DEREGISTRATION")) ?? {}), SUCCESS);
    }
  });

  test("TS 33.102 §C.1.1, §6.3.5: no SQN is used twice by a pool, and AUTS to one homestead counts for all", async (t) => {
    await one.client.add({ ...row("sim"), credentials: { k: K, opc: OPC } });
    const cx = await CxClient.connect(t, "sprout-2.example.com", [one, other]);
    const challenge = async (to: HomesteadProcess, item: object = {}): Promise<number> => {
      const answer = await cx.mar(to, "sim", item);
      assert.equal(codeOf(answer), SUCCESS);
      return sqnIn(answer.sipAuthDataItem?.[0]?.sipAuthenticate);
    };
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) seen.push(await challenge(round % 2 === 0 ? one : other));
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
    const atOnce = await Promise.all(
      Array.from({ length: 20 }, (_, i) => challenge(i % 2 === 0 ? one : other)),
    );
    assert.equal(new Set([...seen, ...atOnce]).size, 26);
    assert.ok(Math.min(...atOnce) > Math.max(...seen));
    const rand = Buffer.alloc(16, 5);
    const ahead = 2 ** 40 + 17;
    const item = {
      sipAuthenticationScheme: "Digest-AKAv1-MD5",
      sipAuthorization: Buffer.concat([rand, autsOf(rand, ahead)]),
    };
    const after = [await challenge(one, item), await challenge(other), await challenge(one)];
    assert.deepEqual(
      after.map((sqn) => Math.floor(sqn / 32)),
      [1, 2, 3].map((step) => 2 ** 35 + step),
    );
  });

  test("TS 29.228 §6.2.1, §6.1.3.1: PPR and RTR reach the S-CSCF, and another of its pool when that one died", async (t) => {
    await one.client.add(row("carol"));
    const first = await CxClient.connect(t, "sprout-a.example.com", [one, other]);
    const second = await CxClient.connect(t, "sprout-b.example.com", [one, other]);
    const reached: string[] = [];
    for (const [name, { node }] of [
      ["first", first],
      ["second", second],
    ] as const) {
      node.handle(Ppr, () => {
        reached.push(`${name} PPR`);
        return { resultCode: SUCCESS };
      });
      node.handle(Rtr, () => {
        reached.push(`${name} RTR`);
        return { resultCode: SUCCESS };
      });
    }
    await first.register("carol", [other]);
    // A re-registration over another member of the S-CSCF pool does not cost a write while the first is there.
    await second.sar(one, "carol", "RE_REGISTRATION");
    await second.mar(other, "carol");
    const change = (tel: string) => ({
      publicIdentities: [{ impu: "sip:carol@example.com" }, { impu: tel }],
    });
    await one.client.update("carol@example.com", change("tel:+1"));
    assert.deepEqual(reached, ["first PPR"]);
    await first.node.stop();
    await other.client.update("carol@example.com", change("tel:+2"));
    await one.client.deregister("carol@example.com");
    assert.deepEqual(reached, ["first PPR", "second PPR", "second RTR"]);
    assert.equal((await other.client.get("carol@example.com")).publicIdentities[0]?.state, "not-registered");
  });

  test("an import through one homestead is there at the others; wrong rows are named, all or nothing is kept", async () => {
    await other.client.add(row("taken"));
    const rows = Array.from({ length: 200 }, (_, i) => row(`bulk-${i}`));
    const clash = { ...row("clash"), publicIdentities: [{ impu: "sip:taken@example.com" }] };
    const refused = await one.client.import([...rows, clash], { dryRun: false, partial: false });
    assert.deepEqual([refused.applied, refused.rows.map(({ index }) => index)], [0, [200]]);
    assert.equal((await other.client.list({ search: "bulk-" })).subscribers.length, 0);
    const written = await one.client.import([...rows, clash], { dryRun: false, partial: true });
    assert.deepEqual([written.applied, written.rows.map(({ index }) => index)], [200, [200]]);
    assert.equal((await other.client.list({ search: "bulk-", limit: 1000 })).subscribers.length, 200);
  });

  test("kill -9 of a homestead amid registrations: everything that was answered is there, the other one goes on", async (t) => {
    const names = await provisioned("kill", 200);
    const third = await start(3);
    t.after(() => third.kill());
    const cx = await CxClient.connect(t, "sprout-4.example.com", [third, other]);
    const registered: string[] = [];
    const failures: unknown[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let name = names[next++]; name !== undefined; name = names[next++]) {
        if (next === 60) void third.kill();
        try {
          // To whichever is there, as a CSCF sends: retried over the other homestead when one dies.
          const codes = await cx.register(name, [undefined]);
          assert.deepEqual(codes.slice(1), [SUCCESS, SUCCESS], name);
          registered.push(name);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(failures, []);
    assert.equal(registered.length, 200);
    const shown = (await other.client.list({ search: "kill-", limit: 1000 })).subscribers;
    assert.equal(shown.length, 200);
    assert.deepEqual(
      shown.filter(({ publicIdentities }) => publicIdentities[0]?.state !== "registered"),
      [],
    );
  });

  test("secrets are not readable in Cassandra, nor in what homesteads print; a homestead with another key does not start", async (t) => {
    const session = await openCassandra({
      contactPoints: cassandra.contactPoints,
      keyspace: "tidewater",
      clock: systemClock(),
    });
    t.after(() => session.shutdown());
    const result = await session.execute({ cql: "SELECT * FROM keyspace.subscriber", idempotent: true }, []);
    assert.ok(result.kind === "rows" && result.rows.length > 1);
    const stored = result.rows.map((each) => Object.values(each).map(String).join(" ")).join("\n");
    for (const secret of [K, OPC, Buffer.from(K, "hex").toString(), "s3cret-word", "ha1"]) {
      assert.equal(stored.includes(secret), false, secret);
      assert.equal((one.output + other.output).includes(secret), false, secret);
    }
    await assert.rejects(
      start(9, join(folder, "another.key")),
      /sealed with another key than that of .*another\.key/,
    );
  });

  test("TS 29.228 §6.1: one Cassandra node of three killed, then frozen: nothing fails", async (t) => {
    const names = await provisioned("steady", 100);
    const cx = await CxClient.connect(t, "sprout-5.example.com", [one, other]);
    for (const name of names) assert.deepEqual((await cx.register(name, [one])).slice(1), [SUCCESS, SUCCESS]);
    const [, second, victim] = cassandra.cluster.nodes;
    assert.ok(second && victim);
    const slowest: Record<string, number> = {};
    const load = async (what: string, rounds: number): Promise<void> => {
      const latencies: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await Promise.all(
          Array.from({ length: 4 }, async (_, i) => {
            const name = names[(round * 4 + i) % names.length] ?? "";
            const began = performance.now();
            // As a CSCF sends: what one homestead could not look up is asked of the other.
            const codes = await cx.register(name, [undefined]);
            latencies.push(performance.now() - began);
            assert.deepEqual(codes, [SUBSEQUENT_REGISTRATION, SUCCESS, SUCCESS], `${what}: ${name}`);
            assert.equal(codeOf(await cx.sar(undefined, name, "USER_DEREGISTRATION")), SUCCESS, what);
            assert.deepEqual(
              await cx.register(name, [undefined]),
              [FIRST_REGISTRATION, SUCCESS, SUCCESS],
              what,
            );
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      slowest[what] = Math.round(Math.max(...latencies));
    };
    await load("all there", 5);
    const killed = load("one killed", 25);
    setTimeout(() => void victim.kill(), 300);
    await killed;
    await one.client.add(row("while-one-is-dead"));
    victim.start();
    await victim.waitUntilReady();
    const frozen = load("one frozen", 25);
    setTimeout(() => second.freeze(), 300);
    try {
      await frozen;
      await other.client.add(row("while-one-is-frozen"));
    } finally {
      second.thaw();
      const causes = [one, other].flatMap(({ output }) => output.match(/"reason":"[^"]*"/g) ?? []);
      t.diagnostic(`what homesteads were not answered: ${causes.slice(-5).join(" ") || "nothing"}`);
    }
    t.diagnostic(`slowest registration, ms: ${JSON.stringify(slowest)}`);
  });

  test("Cassandra away: Cx answers UNABLE_TO_COMPLY and provisioning 503 within 2 s; it comes back by itself", async (t) => {
    await one.client.add(row("dave"));
    const cx = await CxClient.connect(t, "sprout-6.example.com", [one, other]);
    for (const node of cassandra.cluster.nodes) node.freeze();
    // A process on another core may run on for a moment.
    await new Promise((resolve) => setTimeout(resolve, 200));
    try {
      for (let round = 0; round < 3; round++) {
        const began = performance.now();
        const answers = await Promise.all([
          cx.uar(one, "dave"),
          cx.lir(other, "sip:dave@example.com"),
          cx.sar(one, "dave", "REGISTRATION"),
        ]).catch((error: unknown) => assert.fail(String(error)));
        assert.deepEqual(answers.map(codeOf), [UNABLE_TO_COMPLY, UNABLE_TO_COMPLY, UNABLE_TO_COMPLY]);
        const response = await fetch(`${one.url("provisioning")}/subscribers`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(row("late")),
        });
        assert.equal(response.status, 503);
        assert.match(response.headers.get("content-type") ?? "", /application\/problem\+json/);
        assert.ok(Number(response.headers.get("retry-after")) > 0);
        assert.match(((await response.json()) as { detail: string }).detail, /store/);
        t.diagnostic(`answered in ${Math.round(performance.now() - began)} ms`);
        assert.ok(performance.now() - began < 2 * 2000, "each in less than 2 s");
      }
      const listed = await fetch(`${other.url("provisioning")}/subscribers`);
      assert.equal(listed.status, 503);
      await listed.body?.cancel();
    } finally {
      for (const node of cassandra.cluster.nodes) node.thaw();
    }
    const began = performance.now();
    const until = async (works: () => Promise<boolean>): Promise<number> => {
      while (!(await works())) {
        assert.ok(performance.now() - began < 20_000, "comes back");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return Math.round(performance.now() - began);
    };
    const reads = await until(async () => codeOf(await cx.uar(one, "dave")) !== UNABLE_TO_COMPLY);
    const writes = await until(() =>
      other.client.add(row("after-all")).then(
        () => true,
        () => false,
      ),
    );
    t.diagnostic(`back after ${reads} ms for reads, ${writes} ms for writes`);
    const ready = await fetch(`${one.url("management")}/health/ready`);
    assert.equal(ready.status, 200);
    await ready.body?.cancel();
  });
});
