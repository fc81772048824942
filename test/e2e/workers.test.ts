import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startRegistrations } from "../performance/load.ts";
import { usersOf } from "../performance/users.ts";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { runProgram } from "../support/program.ts";
import { SipUe, type UeOptions } from "../support/sip-ue.ts";

const ALICE = "6505550000";
const BOB = "6505550001";
const NETWORK = `127.${randomInt(130, 250)}`;
const HOST = `${NETWORK}.0.9`;
const PLACE = ["--network", NETWORK, "--host", HOST, "--stores", "memcached=1"];

let core: PoolsUnderTest;
before(async () => {
  core = await launchPools([...PLACE, "--workers", "2", "--log-level", "info"]);
});
after(() => core.stop());

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, text: await response.text() };
}

/** A gauge of each worker, by the port that all of them have. */
async function ofWorkers(name: string): Promise<number[]> {
  const { text } = await get(`http://${HOST}:9101/metrics`);
  const values = [...text.matchAll(new RegExp(`^${name}\\{worker="(\\d+)"\\} (\\d+)$`, "gm"))];
  return values.sort((a, b) => Number(a[1]) - Number(b[1])).map((one) => Number(one[2]));
}

/** A registered UE that this worker serves: the kernel chooses by its port, so others are tried until one fits. */
async function ueAt(t: TestContext, worker: number, options: UeOptions): Promise<SipUe> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const before = await ofWorkers("ims_bono_registered_flows");
    const ue = await SipUe.open(t, core.access(), options);
    const { status } = await ue.register();
    if (status === 503) {
      // A worker that was just started again may have a queue to work off.
      ue.close();
      await delay(500);
      continue;
    }
    assert.equal(status, 200);
    const now = await ofWorkers("ims_bono_registered_flows");
    if ((now[worker - 1] ?? 0) > (before[worker - 1] ?? 0)) return ue;
    await leave(ue);
  }
  return assert.fail(`no UE came to worker ${worker}`);
}

/** A UE that connects until it is let in: what stood in the queue of a listener that ends is refused. */
async function reconnected(t: TestContext, options: UeOptions): Promise<SipUe> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const ue = await SipUe.open(t, core.access(), options).catch(() => undefined);
    if (ue !== undefined) return ue;
    await delay(50);
  }
  return assert.fail("nobody listens");
}

async function leave(...ues: SipUe[]): Promise<void> {
  for (const ue of ues) assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
}

async function until(what: string, holds: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds().catch(() => false))) {
    assert.ok(Date.now() < deadline, what);
    await delay(100);
  }
}

const pidOf = async (name: string): Promise<number> =>
  (await core.status()).find((one) => one.name === name)?.pid ?? 0;
const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const isReady = async (): Promise<boolean> => (await get(`http://${HOST}:9101/health/ready`)).status === 200;

test("a worker is a bono and a sprout in one process, with names and addresses of their own behind one address", () => {
  assert.deepEqual(
    core.nodes.map(({ name, host }) => [name, host.replace(NETWORK, "")]),
    [
      ["memcached-1", ".4.1"],
      ["homestead-1", ".0.9"],
      ["sprout-1", ".2.1"],
      ["bono-1", ".1.1"],
      ["sprout-2", ".2.2"],
      ["bono-2", ".1.2"],
    ],
  );
  const pids = new Map(core.nodes.map(({ name, pid }) => [name, pid]));
  assert.equal(pids.get("bono-1"), pids.get("sprout-1"));
  assert.equal(pids.get("bono-2"), pids.get("sprout-2"));
  assert.equal(new Set(pids.values()).size, 4);
});

for (const transport of ["udp", "tcp"] as const)
  test(`UEs of different workers register at one address and call each other over ${transport}; each worker asks its own sprout`, async (t) => {
    const alice = await ueAt(t, 1, { user: ALICE, transport });
    const bob = await ueAt(t, 2, { user: BOB, transport });
    for (const [from, to, names] of [
      [alice, bob, ["bono-2", "scscf", "bono-1"]],
      [bob, alice, ["bono-1", "scscf", "bono-2"]],
    ] as const) {
      const callee = to;
      const call = await establish(from, callee, callee.impu);
      const hosts = call.received
        .values("Record-Route")
        .map((one) => /@?([^@:;]+)[:;]/.exec(one.slice(4))?.[1]);
      assert.deepEqual(
        hosts.slice(1, 4).map((host) => host?.split(".")[0]),
        names,
      );
      assert.deepEqual([hosts[0], hosts[4]], [HOST, HOST]);
      callee.send(call.inDialog("callee", "INFO"));
      reply(from, await from.incoming("INFO"), 200);
      assert.equal((await callee.final("INFO")).status, 200);
      from.send(call.inDialog("caller", "BYE"));
      reply(callee, await callee.incoming("BYE"), 200);
      assert.equal((await from.final("BYE")).status, 200);
    }
    const [first = 0, second = 0] = await ofWorkers("ims_bono_registered_flows");
    assert.ok(first >= 1 && second >= 1, `${first} and ${second}`);
    await leave(alice, bob);
  });

test("a REGISTER goes to the sprout of its own worker", async (t) => {
  const alice = await ueAt(t, 2, { user: ALICE });
  const count = async (index: number): Promise<number> => {
    const { text } = await get(`http://${NETWORK}.2.${index}:9102/metrics`);
    return Number(/^ims_sprout_sip_requests_total\{.*method="REGISTER".*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const before = [await count(1), await count(2)];
  for (let round = 0; round < 5; round++) assert.equal((await alice.register()).status, 200);
  const now = [await count(1), await count(2)];
  assert.equal(now[0], before[0]);
  assert.ok((now[1] ?? 0) >= (before[1] ?? 0) + 5, `${before} and ${now}`);
  await leave(alice);
});

test("one management port for all: metrics by worker, readiness of all, and lines of the log that name the worker", async () => {
  const { status, text } = await get(`http://${HOST}:9101/metrics`);
  assert.equal(status, 200);
  assert.equal(text.match(/^# TYPE ims_bono_registered_flows /gm)?.length, 1);
  assert.match(text, /^ims_bono_workers_ready 2$/m);
  assert.deepEqual(await get(`http://${HOST}:9102/health/ready`), { status: 200, text: "ready\n" });
  const lines = core.output().split("\n");
  for (const node of ["bono", "sprout"])
    for (const worker of [1, 2])
      assert.ok(
        lines.some(
          (line) => line.includes(`"node":"${node}","worker":${worker},`) && line.includes('"msg":"ready"'),
        ),
        `${node} of worker ${worker}`,
      );
});

test("a second core does not take a share of the UEs of the first", async () => {
  const { exitCode, stderr } = await core.tidewater(["up", ...PLACE, "--workers", "2"]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /bono cannot listen on TCP .*:5060: EADDRINUSE/);
});

/** Registrations a second. */
const RATE = 30;

test("kill -9 of a worker under load: registrations go on, calls and UEs of the other see nothing, its own go on when it is back", async (t) => {
  const lane = 60;
  const users = usersOf("c", 450, 0, lane);
  const file = join(core.stateDir, "load.csv");
  const rows = users.map(({ name, password }) => `${name}@example.com,sip:${name}@example.com,${password}\n`);
  writeFileSync(file, `impi,impu,password\n${rows.join("")}`);
  const imported = await runProgram(["subscriber", "import", "--url", `http://${HOST}:8889`, file], {
    timeoutMs: 60_000,
  });
  assert.equal(imported.exitCode, 0, imported.stderr);
  const alice = await ueAt(t, 1, { user: ALICE });
  const bob = await ueAt(t, 2, { user: BOB });
  const call = await establish(alice, bob, bob.impu);
  const load = startRegistrations({
    system: { target: `${HOST}:5060`, lane },
    ...{ users, role: "visitor", rate: RATE, behaviour: "register" },
  });
  await delay(3_000);
  const killed = await pidOf("bono-2");
  const dead = performance.now();
  process.kill(killed, "SIGKILL");
  await until("an alarm, and no readiness", async () => {
    const { status, text } = await get(`http://${HOST}:9101/health/ready`);
    const alarms = await get(`http://${HOST}:9101/alarms`);
    return status === 503 && text.includes("worker 2") && alarms.text.includes("TW-9002");
  });
  // The other worker: as if nothing had been.
  assert.equal((await alice.register()).status, 200);
  const bye = call.inDialog("caller", "BYE");
  const again = setInterval(() => alice.send(bye), 500);
  try {
    alice.send(bye);
    reply(bob, await bob.incoming("BYE", 30_000), 200);
    assert.equal((await alice.final("BYE", 20_000)).status, 200);
  } finally {
    clearInterval(again);
  }
  await until("ready again", isReady);
  const away = (performance.now() - dead) / 1000;
  const result = await load.done;
  t.diagnostic(`away for ${away.toFixed(1)} s; ${result.stats.failed} of ${users.length} refused meanwhile`);
  // What waited in the socket is refused when it is too old, and one whose answer was on its way is challenged again: SIPp comes once only.
  const meanwhile = RATE * (away + 1);
  assert.ok(
    result.stats.failed <= meanwhile,
    `${result.stats.failed} failed: ${result.errors.slice(0, 500)}`,
  );
  assert.equal(result.stats.failed + result.stats.successful, users.length);
  assert.notEqual(await pidOf("bono-2"), killed);
  assert.match((await get(`http://${HOST}:9101/metrics`)).text, /^ims_bono_worker_restarts_total 1$/m);
  // It is the same worker for its UEs as before.
  assert.equal((await bob.register()).status, 200);
  assert.ok(((await ofWorkers("ims_bono_registered_flows"))[1] ?? 0) >= 1);
  const next = await establish(bob, alice, alice.impu);
  bob.send(next.inDialog("caller", "BYE"));
  reply(alice, await alice.incoming("BYE"), 200);
  assert.equal((await bob.final("BYE")).status, 200);
  await leave(alice, bob);
});

test("a UE on UDP whose worker is being started again is called: another worker stands in, and has its answers", async (t) => {
  const alice = await ueAt(t, 1, { user: ALICE });
  const bob = await ueAt(t, 2, { user: BOB });
  process.kill(await pidOf("bono-2"), "SIGKILL");
  const call = await establish(alice, bob, bob.impu);
  assert.match(call.received.values("Record-Route")[1] ?? "", /@?bono-[12]\.bono\.example\.com/);
  await until("ready again", isReady);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  assert.equal((await bob.register()).status, 200);
  await leave(alice, bob);
});

test("kill -9 of a worker: its UE on TCP connects again, is served by another at once, and is called there", async (t) => {
  const alice = await ueAt(t, 1, { user: ALICE, transport: "tcp" });
  await ueAt(t, 2, { user: BOB, transport: "tcp" });
  const killed = await pidOf("bono-2");
  process.kill(killed, "SIGKILL");
  const began = Date.now();
  // Its connection breaks when the process ends; who comes before may still be put into the queue of its listener.
  await until("it has ended", async () => !isRunning(killed));
  const back = await reconnected(t, { user: BOB, transport: "tcp" });
  assert.equal((await back.register()).status, 200);
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  const call = await establish(alice, back, back.impu);
  alice.send(call.inDialog("caller", "BYE"));
  reply(back, await back.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  await until("ready again", isReady);
  await leave(alice, back);
});

test("restart of workers one after the other: a UE on TCP is moved, one on UDP stays, both are served", async (t) => {
  const alice = await ueAt(t, 1, { user: ALICE });
  const bob = await ueAt(t, 2, { user: BOB, transport: "tcp" });
  const { exitCode, stderr } = await core.tidewater(["restart", "worker"]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /worker-1 is ready again.*\n.*worker-2 is ready again/);
  const back = await SipUe.open(t, core.access(), { user: BOB, transport: "tcp" });
  for (const ue of [alice, back]) assert.equal((await ue.register()).status, 200);
  await establish(alice, back, back.impu);
  await leave(alice, back);
  bob.close();
});

test("the number of workers is that of the start", async () => {
  const wrong = await core.tidewater(["scale", "sprout=3"]);
  assert.match(wrong.stderr, /bono and sprout run in workers/);
  assert.equal(wrong.exitCode, 1);
});
