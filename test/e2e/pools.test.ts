import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, type TestContext, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools(["--pools", "bono=2"]);
});
after(() => pools.stop());

/** One example subscriber at each bono. */
async function pair(t: TestContext, transport: "udp" | "tcp" = "udp"): Promise<[SipUe, SipUe]> {
  const ues: SipUe[] = [];
  for (const [index, user] of ["6505550000", "6505550001"].entries()) {
    const ue = await SipUe.open(t, pools.bono(index + 1), { user, transport });
    assert.equal((await ue.register()).status, 200);
    assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
    assert.equal((await ue.register()).status, 200);
    ues.push(ue);
  }
  return ues as [SipUe, SipUe];
}

async function call(from: SipUe, to: SipUe): Promise<void> {
  const established = await establish(from, to, to.impu);
  from.send(established.inDialog("caller", "BYE"));
  reply(to, await to.incoming("BYE"), 200);
  assert.equal((await from.final("BYE")).status, 200);
}

test("every node is a process on its own address, and the line on standard output says which", () => {
  assert.deepEqual(
    pools.nodes.map(({ name, pool, host }) => [name, pool, host.slice(pools.network.length)]),
    [
      ["homestead-1", "homestead", ".3.1"],
      ["sprout-1", "sprout", ".2.1"],
      ["bono-1", "bono", ".1.1"],
      ["bono-2", "bono", ".1.2"],
    ],
  );
  assert.equal(new Set(pools.nodes.map(({ pid }) => pid)).size, 4);
  assert.equal(pools.nodes[2]?.ports["udp"], 5060);
});

for (const transport of ["udp", "tcp"] as const)
  test(`TS 24.229 §5.2.2, §5.4.1: UEs at different bonos register and call each other over ${transport}, by names of pools and members`, async (t) => {
    const [alice, bob] = await pair(t, transport);
    assert.deepEqual(alice.serviceRoute, ["<sip:scscf.sprout.example.com;transport=tcp;lr;orig>"]);
    const there = await establish(alice, bob, bob.impu);
    const ways = there.received
      .values("Record-Route")
      .map((value) => /@?([^@:;]+)[:;]/.exec(value.slice(4))?.[1]);
    assert.deepEqual(ways.slice(1), [
      "bono-2.bono.example.com",
      "scscf.sprout.example.com",
      "bono-1.bono.example.com",
      `${pools.network}.1.1`,
    ]);
    bob.send(there.inDialog("callee", "BYE"));
    reply(alice, await alice.incoming("BYE"), 200);
    assert.equal((await bob.final("BYE")).status, 200);
    await call(bob, alice);
  });

test("a bono comes and goes while the others keep their processes and their calls", async (t) => {
  const [alice, bob] = await pair(t, "tcp");
  const before = await pools.status();
  const held = await establish(alice, bob, bob.impu);
  const grown = await pools.tidewater(["scale", "bono=3"]);
  assert.equal(grown.exitCode, 0, grown.stderr);
  assert.match(grown.stderr, /bono-3 is ready on 127\.[0-9]+\.1\.3/);
  const carol = await SipUe.open(t, pools.bono(3), { user: "6505550001" });
  assert.equal((await carol.register()).status, 200);
  assert.equal((await carol.register({ expires: 0 })).status, 200);
  await call(bob, alice);
  assert.equal((await pools.tidewater(["scale", "bono=2"])).exitCode, 0);
  const now = await pools.status();
  assert.deepEqual(
    now.map(({ name, pid }) => [name, pid]),
    before.map(({ name, pid }) => [name, pid]),
  );
  alice.send(held.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
});

test("RFC 5626 §5: a bono that is killed is started again and still knows the flow tokens of its UEs on UDP", async (t) => {
  const [alice, bob] = await pair(t);
  const bono = (await pools.status()).find(({ name }) => name === "bono-2");
  process.kill(bono?.pid ?? 0, "SIGKILL");
  let now = bono;
  for (let tries = 0; tries < 50 && (now?.state !== "ready" || now.pid === bono?.pid); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    now = (await pools.status()).find(({ name }) => name === "bono-2");
  }
  assert.equal(now?.restarts, 1);
  const established = await establish(alice, bob, bob.impu);
  alice.send(established.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
});

test("what cannot be done is said: sizes without stores, names that are not there, two with one state directory", async () => {
  const cases: [string[], RegExp][] = [
    [["scale", "sprout=2"], /sprout=2 needs --stores memcached/],
    [["scale", "homestead=2"], /homestead=2 needs --stores cassandra/],
    [["restart", "sprout-7"], /there is no sprout-7; there are homestead-1/],
    [["up", "--pools", "bono=1"], /another tidewater up is running with it \(pid [0-9]+\)/],
  ];
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await pools.tidewater(args);
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
  }
  const { exitCode } = await pools.tidewater(["scale", "sprout=0"]);
  assert.equal(exitCode, 2);
});

test("keys of the pool are in a file of their own and in no command line", () => {
  const file = `${pools.stateDir}/pool-keys.json`;
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const keys = Object.values(JSON.parse(readFileSync(file, "utf8")) as Record<string, string>);
  assert.equal(keys.length, 2);
  for (const { pid } of pools.nodes) {
    let commandLine = "";
    try {
      commandLine = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    } catch {
      continue; // killed above
    }
    for (const key of keys) assert.equal(commandLine.includes(key), false);
  }
  for (const key of keys) assert.equal(pools.output().includes(key), false);
});
