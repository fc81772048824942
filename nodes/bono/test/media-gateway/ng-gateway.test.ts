import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type FakeClock, fakeClock, freePort } from "@ims/runtime/testing";
import { MediaGateways } from "../../src/media-gateway/media-gateways.ts";
import { gatewayAddress } from "../../src/media-gateway/media-options.ts";
import { NgGateway, type NgOutcome } from "../../src/media-gateway/ng-gateway.ts";
import { FakeRtpengine } from "../support/fake-rtpengine.ts";
import { until } from "../support/until.ts";

interface Bench {
  readonly rtpengine: FakeRtpengine;
  readonly gateway: NgGateway;
  readonly clock: FakeClock;
  readonly counted: string[];
}

async function bench(t: TestContext, port?: number): Promise<Bench> {
  const rtpengine = await FakeRtpengine.start(t);
  const clock = fakeClock();
  const counted: string[] = [];
  const gateway = new NgGateway({
    host: "127.0.0.1",
    port: port ?? rtpengine.port,
    clock,
    timeoutMs: 1_000,
    count: (command, outcome) => void counted.push(`${command} ${outcome}`),
  });
  t.after(() => gateway.stop());
  gateway.start();
  if (port === undefined) await until("the first ping", () => counted.length === 1);
  return { rtpengine, gateway, clock, counted };
}

test("ng protocol: a command is sent again with its cookie until it is answered; answers with another cookie count for nothing", async (t) => {
  const { rtpengine, gateway, clock } = await bench(t);
  rtpengine.loses = 2;
  rtpengine.manner = "twice";
  let outcome: NgOutcome | undefined;
  void gateway
    .request("offer", { "call-id": "c1", sdp: "v=0", "transport-protocol": "RTP/AVP" })
    .then((one) => {
      outcome = one;
    });
  await until("the first copy", () => rtpengine.commands.length === 1);
  clock.advance(149);
  clock.advance(1);
  await until("the second copy", () => rtpengine.commands.length === 2);
  clock.advance(300);
  await until("the answer", () => outcome !== undefined);
  assert.equal(new Set(rtpengine.cookies).size, 1);
  assert.equal(rtpengine.cookies.length, 3);
  assert.ok(outcome?.kind === "answered");
  assert.match(String(outcome.answer.get("sdp")), /m=audio 30000 RTP\/AVP 0/);
  assert.equal(gateway.up, true);
});

test("ng protocol: silence ends with the time given, the gateway is down until it answers a ping", async (t) => {
  const { rtpengine, gateway, clock, counted } = await bench(t);
  rtpengine.manner = "silent";
  const asked = gateway.request("offer", { "call-id": "c1" });
  await clock.advanceAsync(999);
  assert.equal(gateway.up, true);
  await clock.advanceAsync(1);
  assert.deepEqual(await asked, { kind: "silent" });
  assert.equal(gateway.up, false);
  const gateways = new MediaGateways([gateway]);
  assert.deepEqual(gateways.for("c1"), []);
  assert.match(gateways.problem ?? "", /^no answer of 127\.0\.0\.1:[0-9]+; none is left$/);
  // Nor does the next ping get an answer; the one after does.
  await clock.advanceAsync(2_000);
  assert.deepEqual(counted, ["ping answered", "offer silent", "ping silent"]);
  rtpengine.manner = "answers";
  await clock.advanceAsync(1_000);
  await until("the gateway to be up", () => gateway.up);
  assert.equal(gateways.problem, undefined);
  assert.deepEqual(gateways.for("c1"), [gateway]);
});

test("ng protocol: what ends while a gateway is down is ended when it is back: it may have begun late", async (t) => {
  const { rtpengine, gateway, clock } = await bench(t);
  rtpengine.manner = "silent";
  const released = gateway.release("c1");
  await clock.advanceAsync(1_000);
  await released;
  await gateway.release("c2");
  assert.equal(new Set(rtpengine.told).size, 1, "nothing is sent to who is down");
  rtpengine.commands.length = 0;
  rtpengine.manner = "answers";
  await clock.advanceAsync(1_000);
  await until("both to be ended", () => rtpengine.told.length === 2);
  assert.deepEqual(rtpengine.told, ["delete c1", "delete c2"]);
});

test("ng protocol: a port that nobody listens to is noticed at once, and who stops waits for nobody", async (t) => {
  const closed = await bench(t, await freePort());
  await until("the refusal", () => closed.counted.length === 1);
  assert.deepEqual(closed.counted, ["ping silent"]);
  assert.equal(closed.clock.monotonic(), 0);
  const { rtpengine, gateway } = await bench(t);
  rtpengine.manner = "silent";
  const asked = gateway.request("answer", {});
  gateway.stop();
  assert.deepEqual(await asked, { kind: "silent" });
  assert.deepEqual(await gateway.request("answer", {}), { kind: "silent" });
});

test("ng protocol: what a gateway refuses, and what cannot be read, is refused; it is no less there", async (t) => {
  const { rtpengine, gateway } = await bench(t);
  rtpengine.manner = "refuses";
  assert.deepEqual(await gateway.request("offer", {}), { kind: "refused", reason: "Unknown call-id" });
  rtpengine.manner = "garbage";
  assert.deepEqual(await gateway.request("offer", {}), {
    kind: "refused",
    reason: "an answer that is no dictionary",
  });
  rtpengine.manner = "answers";
  assert.deepEqual(await gateway.request("offer", { sdp: "x".repeat(66_000) }), {
    kind: "refused",
    reason: "too long for a datagram",
  });
  assert.equal(gateway.up, true);
});

test("media gateways: every P-CSCF chooses the same one for a Call-ID, and calls are shared among them", () => {
  const clock = fakeClock();
  const make = (port: number) =>
    new NgGateway({ host: "192.0.2.1", port, clock, timeoutMs: 1, count: () => undefined });
  const [one, other] = [new MediaGateways([1, 2, 3].map(make)), new MediaGateways([3, 1, 2].map(make))];
  const counts = new Map<string, number>();
  for (let call = 0; call < 3_000; call++) {
    const [first] = one.for(`call-${call}@ue`);
    assert.ok(first);
    assert.equal(other.for(`call-${call}@ue`)[0]?.name, first.name);
    assert.equal(one.named(first.name), first);
    counts.set(first.address, (counts.get(first.address) ?? 0) + 1);
  }
  for (const [address, count] of counts) assert.ok(count > 800 && count < 1_200, `${address}: ${count}`);
});

test("addresses of media gateways are host and port", () => {
  assert.deepEqual(gatewayAddress("10.0.0.1:2223"), { host: "10.0.0.1", port: 2223 });
  assert.deepEqual(gatewayAddress("[2001:DB8::1]:22222"), { host: "2001:db8::1", port: 22222 });
  assert.deepEqual(gatewayAddress("Media.example.com:1"), { host: "media.example.com", port: 1 });
  for (const wrong of [
    "",
    "10.0.0.1",
    "10.0.0.1:0",
    "10.0.0.1:65536",
    "2001:db8::1:2223",
    "a b:1",
    "http://a:1",
    ":1",
  ])
    assert.equal(gatewayAddress(wrong), undefined, wrong);
});
