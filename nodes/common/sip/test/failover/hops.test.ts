import assert from "node:assert/strict";
import { test } from "node:test";
import { metricsRegister } from "@ims/runtime";
import { fakeClock } from "@ims/runtime/testing";
import type { Hop, HopUser } from "../../src/failover/hop.ts";
import type { ProbeOptions } from "../../src/failover/hop-prober.ts";
import { Hops } from "../../src/failover/hops.ts";
import { DEFAULT_POLICIES, policyFor } from "../../src/failover/policy.ts";
import { sipGauges, type Target } from "../../src/index.ts";
import { FakeTransportLayer } from "../../testing/index.ts";

const invite = policyFor(DEFAULT_POLICIES, "INVITE");
const keys = (callId: string) => ({ callId, requestUri: "sip:bob@example.com" });

function at(index: number, priority?: number): Target {
  return {
    protocol: "TCP",
    address: `192.0.2.${index}`,
    port: 5054,
    ...(priority === undefined ? {} : { priority }),
  };
}

function bench(probe: Partial<ProbeOptions> = {}, roundTrip = 1) {
  const clock = fakeClock();
  const transport = new FakeTransportLayer();
  transport.answerPings(clock, roundTrip);
  const changes: string[] = [];
  const hops = new Hops({
    clock,
    transport: () => transport,
    probe,
    onChange: ({ target, state }) => changes.push(`${target.address} ${state}`),
  });
  /** A request in flight to a target. */
  const ask = (target: Target) => {
    const hop = hops.hop(target, "core");
    const flow = hops.flowTo(hop);
    const waiting: HopUser & { downs: number } = {
      downs: 0,
      hopPlace: -1,
      onHopDown: () => void waiting.downs++,
    };
    hop.enter(waiting, invite, clock.monotonic());
    hops.busy(hop);
    return { hop, flow, waiting };
  };
  const order = (targets: readonly Target[], callId = "a", newDialog = true) =>
    hops.order(targets, "core", keys(callId), invite, newDialog).map(({ address }) => address.slice(8));
  /** Lets time pass until the silent hop is asked. */
  const asked = (hop: Hop): void => {
    for (let ms = 0; ms < 500 && hop.pingedAt === 0; ms++) clock.advance(1);
    assert.equal(hop.pingedAt, clock.monotonic());
  };
  return { clock, transport, hops, changes, ask, order, asked };
}

test("design §4: a hop that hangs is suspect after 5 intervals, 30 ms at least, and out of service after 30, 300 ms at least", () => {
  const { clock, transport, changes, ask, asked } = bench({ tickMs: 1 });
  const { hop, waiting } = ask(at(1));
  clock.advance(200);
  assert.equal(hop.answersPings, true);
  assert.equal(hop.state, "up");
  transport.hang(at(1));
  const heard = hop.flow?.lastReceived ?? 0;
  asked(hop);
  assert.ok(hop.pingedAt - heard <= 101, "silence is asked about after 100 ms");
  clock.advance(29);
  assert.equal(hop.state, "up");
  clock.advance(2);
  assert.equal(hop.state, "suspect");
  clock.advance(268);
  assert.equal(hop.state, "suspect");
  assert.equal(waiting.downs, 0);
  clock.advance(2);
  assert.equal(hop.state, "down");
  assert.equal(waiting.downs, 1);
  assert.deepEqual(changes, ["192.0.2.1 down"]);
  transport.wake(at(1));
  clock.advance(100);
  assert.equal(hop.state, "up");
  assert.deepEqual(changes, ["192.0.2.1 down", "192.0.2.1 up"]);
});

test("the limits grow with the round-trip time", () => {
  const { clock, transport, ask, asked } = bench({ tickMs: 1 });
  const { hop } = ask(at(1));
  clock.advance(200);
  hop.roundTrip = 40;
  transport.hang(at(1));
  asked(hop);
  clock.advance(5 * 40 - 1);
  assert.equal(hop.state, "up");
  clock.advance(2);
  assert.equal(hop.state, "suspect");
  clock.advance(25 * 40 - 3);
  assert.equal(hop.state, "suspect");
  clock.advance(3);
  assert.equal(hop.state, "down");
});

test("what we slept through ourselves is no silence of the peer", () => {
  const inner = fakeClock();
  let asleep = 0;
  const clock = { ...inner, monotonic: () => inner.monotonic() + asleep };
  const transport = new FakeTransportLayer();
  transport.answerPings(clock);
  const hops = new Hops({ clock, transport: () => transport, probe: { tickMs: 1 } });
  const hop = hops.hop(at(1), "core");
  hops.flowTo(hop);
  hop.enter({ hopPlace: -1, onHopDown: () => assert.fail("out of service") }, invite, 0);
  hops.busy(hop);
  inner.advance(200);
  transport.hang(at(1));
  while (hop.pingedAt === 0) inner.advance(1);
  // The loop stands still for five seconds; timers come before sockets then.
  asleep = 5_000;
  inner.advance(1);
  assert.equal(hop.state, "up");
  transport.wake(at(1));
  inner.advance(60);
  assert.equal(hop.state, "up");
  assert.equal(hop.pingedAt, 0);
  hops.stop();
});

test("silence means nothing of a peer that never answers keep-alives", () => {
  const { clock, transport, ask } = bench();
  transport.hang(at(1));
  const { hop, waiting } = ask(at(1));
  clock.advance(20_000);
  assert.equal(hop.state, "up");
  assert.equal(waiting.downs, 0);
  const asked = hop.lastPing;
  clock.advance(20_000);
  assert.equal(hop.lastPing, asked, "RFC 6223: it is not asked on and on");
});

test("what a peer says otherwise is no answer to a keep-alive: its silence still means nothing", () => {
  const { clock, transport, ask } = bench();
  transport.hang(at(1));
  const { hop, waiting } = ask(at(1));
  for (let ms = 0; ms < 3_000; ms += 50) {
    clock.advance(50);
    const flow = transport.dialled[0];
    if (flow !== undefined) flow.lastReceived = clock.monotonic();
  }
  assert.equal(hop.answersPings, false);
  clock.advance(10_000);
  assert.equal(hop.state, "up");
  assert.equal(waiting.downs, 0);
});

test("a process that died is found out by trying: refused, it is out of service; started again, it is back", async () => {
  const { clock, transport, changes, ask, order } = bench();
  const { flow } = ask(at(1));
  ask(at(2));
  clock.advance(300);
  transport.refuse(at(1));
  assert.equal(flow.open, false);
  await clock.advanceAsync(1);
  assert.deepEqual(changes, ["192.0.2.1 down"]);
  for (const callId of ["a", "b", "c", "d"])
    assert.deepEqual(order([at(1), at(2)], callId), ["2", "1"], "skipped as long as there is another");
  await clock.advanceAsync(5_000);
  transport.allow(at(1));
  await clock.advanceAsync(2_500);
  assert.deepEqual(changes, ["192.0.2.1 down", "192.0.2.1 up"]);
});

test("other ports of a machine whose one port is out of service are asked at once, and others are preferred meanwhile", () => {
  const { clock, transport, ask } = bench();
  const { hop } = ask(at(1));
  const neighbour = ask({ ...at(1), port: 5052 });
  const elsewhere = ask(at(2));
  clock.advance(200);
  neighbour.hop.leave(neighbour.waiting);
  transport.hang(at(1));
  for (let ms = 0; ms < 1_000 && hop.state !== "down"; ms++) clock.advance(1);
  assert.equal(hop.state, "down");
  assert.equal(neighbour.hop.state, "suspect");
  assert.equal(elsewhere.hop.state, "up");
  clock.advance(25);
  assert.equal(neighbour.hop.state, "up", "it is another process");
});

test("a connection that only closes is opened again, and nobody is out of service", async () => {
  const { clock, changes, ask } = bench();
  const { flow, hop } = ask(at(1));
  clock.advance(300);
  flow.close();
  await clock.advanceAsync(50);
  assert.equal(hop.state, "up");
  assert.equal(hop.flow?.open, true);
  assert.notEqual(hop.flow, flow);
  assert.deepEqual(changes, []);
});

test("a hop that is out of service for long gets a new connection", async () => {
  const { clock, transport, ask } = bench();
  const { flow } = ask(at(1));
  clock.advance(300);
  transport.hang(at(1));
  await clock.advanceAsync(2_900);
  assert.equal(flow.open, true);
  await clock.advanceAsync(1_000);
  assert.equal(flow.open, false);
  transport.wake(at(1));
  await clock.advanceAsync(3_000);
  assert.equal(transport.dialled.at(-1)?.open, true);
});

test("what has gone elsewhere is not delivered later: the connection of a hop out of service is reset, and another is asked at once", async () => {
  const { clock, transport, ask, changes } = bench();
  const { hop, flow, waiting } = ask(at(1));
  // It has another target, as a request to a pool has.
  waiting.onHopDown = () => hop.leave(waiting);
  clock.advance(200);
  transport.hang(at(1));
  for (let ms = 0; ms < 1_000 && changes.length === 0; ms++) await clock.advanceAsync(1);
  assert.deepEqual(changes, ["192.0.2.1 down"]);
  const { wasReset } = transport.dialled[0] ?? assert.fail();
  assert.deepEqual(
    { wasReset, open: flow.open, dialled: transport.dialled.length },
    {
      wasReset: true,
      open: false,
      dialled: 2,
    },
  );
  await clock.advanceAsync(1_000);
  assert.equal(hop.flow, transport.dialled[1], "one new connection, which waits");
  transport.wake(at(1));
  await clock.advanceAsync(100);
  assert.deepEqual(changes, ["192.0.2.1 down", "192.0.2.1 up"]);
});

test("who has nowhere else to go waits for a hop out of service; when that is given up, its connection is reset too", async () => {
  const { clock, transport, ask, changes } = bench();
  const { flow } = ask(at(1));
  clock.advance(200);
  transport.hang(at(1));
  await clock.advanceAsync(2_000);
  assert.deepEqual(changes, ["192.0.2.1 down"]);
  assert.equal(flow.open, true);
  await clock.advanceAsync(2_000);
  assert.deepEqual([flow.open, transport.dialled[0]?.wasReset], [false, true]);
});

test("a hop far away is reached again after long: an answer may take longer than a look", async () => {
  const { clock, transport, ask, changes } = bench({}, 60);
  ask(at(1));
  clock.advance(400);
  transport.hang(at(1));
  await clock.advanceAsync(10_000);
  transport.wake(at(1));
  await clock.advanceAsync(2_000);
  assert.deepEqual(changes, ["192.0.2.1 down", "192.0.2.1 up"]);
});

test("an idle connection is asked at a slow pace; one nobody has used for long is left alone", () => {
  const { clock, hops, ask } = bench({ forgetMs: 10_000 });
  const { hop, waiting } = ask(at(1));
  hop.leave(waiting);
  clock.advance(2_000);
  const first = hop.lastPing;
  clock.advance(1_600);
  assert.ok(hop.lastPing > first);
  clock.advance(20_000);
  const last = hop.lastPing;
  clock.advance(20_000);
  assert.equal(hop.lastPing, last);
  assert.equal(clock.pending(), 0, "no timer is left");
  hops.stop();
});

test("nothing is left running when the transport has stopped", () => {
  const clock = fakeClock();
  const transport = Object.assign(new FakeTransportLayer(), { stopped: false });
  transport.answerPings(clock);
  const hops = new Hops({ clock, transport: () => transport });
  hops.flowTo(hops.hop(at(1), "core"));
  assert.ok(clock.pending() > 0);
  transport.stopped = true;
  clock.advance(2_000);
  assert.equal(clock.pending(), 0);
});

test("RFC 3263 §4.1: better priorities go first, whatever the balancing, unless they are out of service", () => {
  const { hops, order } = bench();
  const targets = [at(1), at(2, 2), at(3, 2), at(4, 4)];
  for (let call = 0; call < 50; call++) {
    const found = order(targets, `call${call}`);
    assert.equal(found[0], "1");
    assert.equal(found[3], "4");
  }
  hops.hop(targets[0] ?? at(0), "core").state = "down";
  const found = order(targets, "x");
  assert.deepEqual([...found.slice(0, 2)].sort(), ["2", "3"]);
  assert.deepEqual(found.slice(2), ["4", "1"]);
});

test("affinity on Call-ID: a call keeps its member, calls spread, and a member that goes moves only its own", () => {
  const { order } = bench();
  const all = [at(1), at(2), at(3), at(4)];
  const without = all.slice(0, 3);
  const counts = new Map<string, number>();
  for (let call = 0; call < 2_000; call++) {
    const [first = ""] = order(all, `call-${call}@ue`);
    assert.equal(order([...all].reverse(), `call-${call}@ue`)[0], first);
    counts.set(first, (counts.get(first) ?? 0) + 1);
    if (first !== "4") assert.equal(order(without, `call-${call}@ue`)[0], first);
  }
  for (const [member, count] of counts) assert.ok(count > 400 && count < 600, `${member}: ${count}`);
});

test("round robin: REGISTERs go to all in turn, also when one is out of service", () => {
  const { hops } = bench();
  const register = policyFor(DEFAULT_POLICIES, "REGISTER");
  const all = [at(1), at(2), at(3)];
  const turn = () => hops.order(all, "core", keys("x"), register, true)[0]?.address.slice(8);
  const six = Array.from({ length: 6 }, turn);
  assert.deepEqual([...new Set(six.slice(0, 3))].sort(), ["1", "2", "3"]);
  assert.deepEqual(six.slice(0, 3), six.slice(3));
  hops.hop(all[1] ?? at(0), "core").state = "down";
  const four = Array.from({ length: 4 }, turn);
  assert.deepEqual([...new Set(four.slice(0, 2))].sort(), ["1", "3"]);
});

test("least connections: OPTIONS go where least is in flight; consistent hash: MESSAGEs to one user take one way", () => {
  const { hops, ask } = bench();
  const options = policyFor(DEFAULT_POLICIES, "OPTIONS");
  const message = policyFor(DEFAULT_POLICIES, "MESSAGE");
  const all = [at(1), at(2), at(3)];
  ask(all[0] ?? at(0));
  ask(all[1] ?? at(0));
  for (let n = 0; n < 5; n++)
    assert.equal(hops.order(all, "core", keys(`${n}`), options, true)[0]?.address, "192.0.2.3");
  const ways = new Set(
    Array.from({ length: 20 }, (_, n) => hops.order(all, "core", keys(`${n}`), message, true)[0]?.address),
  );
  assert.equal(ways.size, 1);
});

test("an open breaker sends new dialogs elsewhere and leaves requests inside a dialog where they belong", () => {
  const { hops, order, ask } = bench();
  const all = [at(1), at(2)];
  const call =
    Array.from({ length: 20 }, (_, n) => `call${n}`).find((one) => order(all, one)[0] === "1") ?? "";
  const { hop, waiting } = ask(all[0] ?? at(0));
  hop.leave(waiting);
  for (let failure = 0; failure < 5; failure++) hops.failed(hop, invite, "refused");
  assert.equal(order(all, call)[0], "2");
  assert.equal(order(all, call, false)[0], "1");
  assert.equal(hops.allBlocked(all, "core", invite), false);
  assert.equal(hops.allBlocked([at(1)], "core", invite), true);
  hops.succeeded(hop, invite);
  assert.equal(order(all, call)[0], "1");
});

test("hops nobody uses do not pile up", () => {
  const { hops, clock } = bench();
  for (let n = 0; n < 12_000; n++) {
    if (n % 1_000 === 0) clock.advance(61_000);
    hops.hop({ protocol: "TCP", address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 5060 }, "core");
  }
  assert.ok([...hops.hops()].length <= 10_000);
});

test("next hops, those out of service and open breakers are shown as gauges", async () => {
  const { hops, clock, ask } = bench();
  const register = metricsRegister();
  sipGauges(register, "ims_test", () => ({ hops, transactions: { unanswered: 3 } }));
  const shown = async (): Promise<number[]> => {
    const text = await register.scrape();
    return ["next_hops", "next_hops_down", "breakers_open", "requests_in_progress"].map((name) =>
      Number(new RegExp(`^ims_test_sip_${name} (\\d+)$`, "m").exec(text)?.[1]),
    );
  };
  assert.deepEqual(await shown(), [0, 0, 0, 3]);
  const [one, two] = [ask(at(1)), ask(at(2))];
  for (let count = 0; count < 5; count++) hops.failed(one.hop, invite, "refused");
  assert.deepEqual(await shown(), [2, 0, 1, 3]);
  two.hop.state = "down";
  hops.succeeded(one.hop, invite);
  clock.advance(1);
  assert.deepEqual(await shown(), [2, 1, 0, 3]);
});
