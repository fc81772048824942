import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { askedMetrics, metricsOf } from "../support/prometheus.ts";
import { SipUe } from "../support/sip-ue.ts";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools([
    ...["--pools", "bono=2,sprout=2,homestead=2", "--stores", "memcached,cassandra"],
    ...["--set", "sprout.local-lookup=false"],
  ]);
});
after(() => pools.stop());

/** One example subscriber at each bono. */
async function pair(t: TestContext): Promise<[SipUe, SipUe]> {
  const alice = await SipUe.open(t, pools.bono(1), { user: "6505550000", transport: "tcp" });
  const bob = await SipUe.open(t, pools.bono(2), { user: "6505550001", transport: "tcp" });
  for (const ue of [alice, bob]) {
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
  }
  return [alice, bob];
}

/** Calls in turn, so that every sprout has some. */
async function calls(alice: SipUe, bob: SipUe, count = 6): Promise<void> {
  for (let one = 0; one < count; one++) {
    const [from, to] = one % 2 === 0 ? [alice, bob] : [bob, alice];
    const call = await establish(from, to, to.impu);
    to.send(call.inDialog("callee", "BYE"));
    reply(from, await from.incoming("BYE"), 200);
    assert.equal((await to.final("BYE")).status, 200);
  }
}

async function scale(sizes: string): Promise<void> {
  const { exitCode, stderr } = await pools.tidewater(["scale", sizes]);
  assert.equal(exitCode, 0, `${stderr}\n${pools.output().slice(-2000)}`);
}

test("pools on shared stores: registered through any member, called through any other", async (t) => {
  assert.deepEqual(
    pools.nodes.map(({ name }) => name),
    [
      ...["memcached-1", "memcached-2", "cassandra-1", "homestead-1", "homestead-2"],
      ...["sprout-1", "sprout-2", "bono-1", "bono-2"],
    ],
  );
  const [alice, bob] = await pair(t);
  await calls(alice, bob);
  for (let round = 0; round < 6; round++) assert.equal((await alice.register()).status, 200);
});

test("what dashboards and alert rules ask of Cassandra and memcached is there", async () => {
  const there = new Set<string>();
  for (const address of [`${pools.network}.2.1:9102`, `${pools.network}.3.1:9103`])
    for (const name of metricsOf(await (await fetch(`http://${address}/metrics`)).text())) there.add(name);
  const asked = [...askedMetrics()].filter((name) => /_(?:cassandra|memcached|clock)_/.test(name));
  assert.ok(asked.length > 15, asked.join());
  // The others register the same ones.
  const missing = asked.filter(
    (name) => !there.has(name.replace(/^ims_(?:homer|ellis|ralf)_/, "ims_sprout_")),
  );
  assert.deepEqual(missing, []);
});

test("sprouts and homesteads come and go under registrations and calls that stay", async (t) => {
  const [alice, bob] = await pair(t);
  const held = await establish(alice, bob, bob.impu);
  await scale("sprout=3,homestead=3");
  await calls(alice, bob);
  await scale("sprout=1,homestead=1");
  await calls(alice, bob);
  assert.equal((await bob.register()).status, 200);
  await scale("sprout=2,homestead=2");
  await calls(alice, bob);
  alice.send(held.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
});

test("memcached grows and shrinks: entries are brought over, who is registered stays so", async (t) => {
  const [alice, bob] = await pair(t);
  const grown = await pools.tidewater(["scale", "memcached=3"]);
  assert.equal(grown.exitCode, 0, `${grown.stderr}\n${pools.output().slice(-2000)}`);
  assert.match(grown.stderr, /memcached-3 is ready on 127\.[0-9]+\.4\.3[\s\S]*entries are brought over/);
  await calls(alice, bob);
  await scale("memcached=2");
  await calls(alice, bob);
});

test("every sprout is restarted, one after the other: who is registered stays so", async (t) => {
  const [alice, bob] = await pair(t);
  const before = await pools.status();
  const { exitCode, stderr } = await pools.tidewater(["restart", "sprout", "memcached-1"]);
  assert.equal(exitCode, 0, `${stderr}\n${pools.output().slice(-2000)}`);
  const now = await pools.status();
  const changed = now.filter(({ name, pid }) => before.find((one) => one.name === name)?.pid !== pid);
  assert.deepEqual(changed.map(({ name }) => name).sort(), ["memcached-1", "sprout-1", "sprout-2"]);
  await calls(alice, bob);
});
