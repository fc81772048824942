import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { cassandraInstallation } from "@ims/tidewater";
import cassandra from "cassandra-driver";
import { writeCassandra } from "../../../images/member/cassandra.ts";
import { type CassandraStart, knowsPeer, startOfCassandra } from "../../../images/member/cassandra-start.ts";
import { placesBelow } from "../../../images/member/files.ts";
import { waitForPort } from "../../../images/member/ready.ts";
import { fastFolder, whyNoCassandra } from "../../support/cassandra.ts";

const FILES = join(import.meta.dirname, "../../../images/files/usr/lib/tidewater");
const network = `127.${randomInt(130, 220)}.${randomInt(1, 250)}`;
const ADDRESSES = [1, 2, 3].map((number) => `${network}.${number}`);
const ROWS = 200;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A vellum's Cassandra as the image starts it, in a folder of its own; small, and with the delays of a ring of seconds. */
function machine(t: TestContext, address: string, folder: string) {
  const { java, classPath, agent, classArguments } = cassandraInstallation();
  const root = join(folder, address);
  const places = { ...placesBelow(root), cassandraJars: dirname(agent) };
  const log = join(root, "log");
  let child: ChildProcess | undefined;
  const said = () => readFileSync(log, "utf8");
  const end = async (signal: NodeJS.Signals = "SIGKILL") => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child.kill(signal);
    await ended;
  };
  t.after(() => end());
  return {
    ...{ address, places, said, end },
    /** As the member's program decides; `hasServed`: what etcd says. */
    async start(hasServed: boolean): Promise<CassandraStart> {
      const member = { address, seeds: ADDRESSES };
      const ring = { hasServed: () => Promise.resolve(hasServed), knows: knowsPeer };
      const waiting = { say: () => undefined, deadline: performance.now() + 30_000, everyMs: 200 };
      const how = await startOfCassandra(member, places, ring, waiting);
      writeCassandra(member, places, how);
      for (const one of [places.cassandraData, join(root, "tmp")]) mkdirSync(one, { recursive: true });
      const options = [`${FILES}/cassandra.options`, `${places.run}/cassandra.jvm`]
        .flatMap((file) => readFileSync(file, "utf8").split("\n"))
        .filter((line) => line !== "" && !line.startsWith("#") && !/^-Xm[sx]|^-XX:\+UseG1GC/.test(line))
        .flatMap((line) => line.split(" "))
        .map((word) =>
          word
            .replace("/run/tidewater/", `${places.run}/`)
            .replace("/usr/lib/tidewater/", `${FILES}/`)
            .replace("/var/lib/tidewater/cassandra", places.cassandraData)
            .replace(/tmpdir=\/tmp$/, `tmpdir=${root}/tmp`),
        );
      const small = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
      const quick = [
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        `-Dcassandra.ring_delay_ms=${how === "replace" ? 8000 : 500}`,
      ];
      const output = openSync(log, "w");
      child = spawn(
        java,
        [
          ...classArguments,
          ...options,
          ...small,
          ...quick,
          ...["-cp", classPath, "org.apache.cassandra.service.CassandraDaemon"],
        ],
        { cwd: places.cassandraData, stdio: ["ignore", output, output] },
      );
      closeSync(output);
      return how;
    },
    async serves(): Promise<void> {
      const waiting = { say: () => undefined, deadline: performance.now() + 120_000, everyMs: 100 };
      const ended = new Promise<never>((_, reject) =>
        child?.once("exit", () => reject(new Error("it ended"))),
      );
      await Promise.race([waitForPort(address, 9042, "Cassandra", waiting), ended]).catch((error) =>
        assert.fail(`${address}: ${error}\n${said().slice(-3000)}`),
      );
      ended.catch(() => undefined);
      rmSync(places.cassandraUnfinished, { force: true });
    },
    async says(what: string): Promise<void> {
      for (const limit = performance.now() + 120_000; !said().includes(what); await pause(20))
        if (performance.now() > limit)
          assert.fail(`${address} does not say ${what}:\n${said().slice(-3000)}`);
    },
  };
}

/** What is only to be there before the test begins: a ring on a busy machine misses some of it. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const limit = performance.now() + 60_000; ; await pause(500))
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > limit) throw error;
    }
}

describe("Cassandra of the image, real", { skip: whyNoCassandra() ?? false }, () => {
  test("a vellum made anew without its disk takes its place and its rows again, also when it is killed over that", async (t) => {
    const folder = mkdtempSync(join(fastFolder(), "image-cassandra-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const machines = ADDRESSES.map((address) => machine(t, address, folder));
    assert.deepEqual(
      await Promise.all(machines.map((one) => one.start(false))),
      ["seat", "seat", "seat"],
      "a site begins",
    );
    await Promise.all(machines.map((one) => one.serves()));
    const [first, , lost] = machines;
    assert.ok(first && lost);
    // Else the schema does not reach all of them, and some have no quorum.
    for (const one of machines)
      for (const other of ADDRESSES) if (other !== one.address) await one.says(`/${other}:7000 is now UP`);
    const client = new cassandra.Client({
      contactPoints: [first.address],
      localDataCenter: "datacenter1",
      queryOptions: { consistency: cassandra.types.consistencies.quorum },
      socketOptions: { readTimeout: 20_000 },
    });
    t.after(() => client.shutdown());
    const replication = "{'class': 'SimpleStrategy', 'replication_factor': 3}";
    await client.execute(`CREATE KEYSPACE kept WITH replication = ${replication}`);
    await client.execute("CREATE TABLE kept.rows (k int PRIMARY KEY, v text)");
    for (let k = 0; k < ROWS; k++)
      await patiently(() =>
        client.execute("INSERT INTO kept.rows (k, v) VALUES (?, ?)", [k, `v${k}`], { prepare: true }),
      );
    // Read from all: a write that one of them had no time for is there now, too. What is copied comes from one of two.
    const consistency = cassandra.types.consistencies.all;
    const all = await patiently(() =>
      client.execute("SELECT * FROM kept.rows", [], { prepare: true, consistency }),
    );
    assert.equal(all.rowLength, ROWS);

    await lost.end();
    rmSync(dirname(lost.places.cassandraData), { recursive: true });
    assert.equal(await lost.start(true), "replace");
    await lost.says("JOINING");
    await lost.end();
    assert.ok(existsSync(lost.places.cassandraUnfinished));
    assert.equal(await lost.start(true), "replace", "half of it is not enough");
    await lost.serves();

    // It answers for all rows by itself.
    await Promise.all(machines.filter((one) => one !== lost).map((one) => one.end("SIGTERM")));
    const own = new cassandra.Client({
      contactPoints: [lost.address],
      localDataCenter: "datacenter1",
      queryOptions: { consistency: cassandra.types.consistencies.one },
    });
    t.after(() => own.shutdown());
    let rows = -1;
    for (const limit = performance.now() + 30_000; rows < 0 && performance.now() < limit; await pause(200))
      rows = await own.execute("SELECT k FROM kept.rows").then(
        ({ rowLength }) => rowLength,
        () => -1, // until it has seen that the others are gone
      );
    assert.equal(rows, ROWS, lost.said().slice(-3000));
    await lost.end();
    assert.equal(await lost.start(true), "seat", "from now on it knows its place itself");
    await lost.serves();
  });
});
