import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import type { FakeFlow } from "@ims/sip/testing";
import { MediaGateway } from "../../src/media-gateway/media-gateway.ts";
import { MediaGateways } from "../../src/media-gateway/media-gateways.ts";
import type { MediaGatewaySettings } from "../../src/media-gateway/media-session.ts";
import { NgGateway } from "../../src/media-gateway/ng-gateway.ts";
import { FakeRtpengine, sdpOf } from "../support/fake-rtpengine.ts";
import { type BenchOptions, only, PcscfBench, type Sent } from "../support/pcscf-bench.ts";
import { until } from "../support/until.ts";

const WEBRTC = sdpOf("UDP/TLS/RTP/SAVPF", 50_000);
const RTP = sdpOf("RTP/AVP", 40_000);
const SPROUT_ROUTE = "<sip:10.0.0.2:5054;transport=tcp;lr>";
const TO_WEBRTC = /^m=audio 30000 UDP\/TLS\/RTP\/SAVPF 0\r$/m;
const TO_RTP = /^m=audio 30000 RTP\/AVP 0\r$/m;

class MediaBench extends PcscfBench {
  readonly rtpengines: readonly FakeRtpengine[];

  constructor(rtpengines: readonly FakeRtpengine[], options: BenchOptions) {
    super(options);
    this.rtpengines = rtpengines;
  }

  static async start(t: TestContext, settings: Partial<MediaGatewaySettings> = {}, gateways = 1) {
    const clock = fakeClock();
    const rtpengines = await Promise.all(Array.from({ length: gateways }, () => FakeRtpengine.start(t)));
    return MediaBench.at(t, rtpengines, clock, settings);
  }

  /** One more P-CSCF of the pool, with the same gateways. */
  static at(
    t: TestContext,
    rtpengines: readonly FakeRtpengine[],
    clock: ReturnType<typeof fakeClock>,
    settings: Partial<MediaGatewaySettings>,
  ): MediaBench {
    const all = new MediaGateways(
      rtpengines.map(
        ({ port }) =>
          new NgGateway({ host: "127.0.0.1", port, clock, timeoutMs: 1_000, count: () => undefined }),
      ),
    );
    all.start();
    t.after(() => all.stop());
    const given = {
      engage: "auto",
      onFailure: "refuse",
      interfaces: undefined,
      codecs: [],
      ...settings,
    } as const;
    const media = new MediaGateway(given, all, (error) => assert.fail(String(error)));
    const emergency = {
      ecscfs: ["sip:10.0.0.2:5057;transport=tcp"],
      emergencyNumbers: { "112": "urn:service:sos" },
    };
    return new MediaBench(rtpengines, { clock, media, ...emergency });
  }

  get told(): readonly string[] {
    return this.rtpengines.flatMap(({ told }) => told);
  }

  /** The first message that is sent and fits; the others stay to be asked for. */
  async next(what: string, fits: (one: Sent) => boolean): Promise<Sent> {
    let found: Sent | undefined;
    await until(what, () => {
      this.#seen.push(...this.sent());
      const index = this.#seen.findIndex(fits);
      if (index >= 0) [found] = this.#seen.splice(index, 1);
      return found !== undefined;
    });
    return found ?? assert.fail(what);
  }
  readonly #seen: Sent[] = [];

  async request1(method: string): Promise<Sent> {
    return this.next(method, ({ message }) => message.method === method);
  }

  async response(status: number): Promise<Sent> {
    return this.next(String(status), ({ message }) => message.status === status);
  }

  /** An INVITE of the core to that UE. */
  invite(ue: FakeFlow, body: string | undefined, callId = "call1"): void {
    this.#keep(
      this.request(this.core1, {
        uri: "sip:alice@10.1.1.1:5060",
        from: "bob",
        callId,
        body,
        headers: [`Route: ${this.pathOf(ue)}`, `Record-Route: ${SPROUT_ROUTE}`],
      }),
    );
  }

  readonly core1 = this.sprout();

  asks(flow: FakeFlow, options: Parameters<PcscfBench["request"]>[1]): void {
    this.#keep(this.request(flow, options));
  }

  answers(to: Sent, status: number, headers: readonly string[] = [], body?: string): void {
    this.#keep(this.answer(to, status, headers, body));
  }

  #keep(sent: readonly Sent[]): void {
    this.#seen.push(...sent);
  }
}

/** Routes of requests in the dialog of an INVITE to a UE: from the UE, and from the core. */
function routesOf(invite: Sent): { readonly ue: string; readonly core: string } {
  const values = invite.message.values("Record-Route");
  return { ue: `Route: ${values.join(", ")}`, core: `Route: ${values.slice(0, 2).reverse().join(", ")}` };
}

const inDialog = (routes: string) => ({ to: "<sip:bob@example.com>;tag=t1", headers: [routes] });

test("TS 23.228 annex U: RTP/AVP of the core reaches a browser as DTLS-SRTP, its answer goes back as RTP/AVP, BYE ends the session", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.invite(ue, RTP);
  const invite = await bench.request1("INVITE");
  assert.equal(invite.flow, ue);
  assert.match(invite.message.body, TO_WEBRTC);
  assert.equal(invite.message.header("Content-Length"), String(invite.message.body.length));
  bench.answers(invite, 180);
  await bench.response(180);
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  const ok = await bench.response(200);
  assert.match(ok.message.body, TO_RTP);
  assert.doesNotMatch(ok.message.body, /a=(?:mid|ssrc)/);
  assert.equal(ok.message.header("Content-Length"), String(ok.message.body.length));
  const [offer, answer] = bench.rtpengines[0]?.commands ?? [];
  const key = String(offer?.get("call-id"));
  assert.match(key, /^call1\/[0-9a-f]{10}$/);
  assert.deepEqual(
    [offer?.get("from-tag"), offer?.get("to-tag"), offer?.get("ICE"), offer?.get("sdp")],
    ["core", "ue", "force", RTP],
  );
  assert.deepEqual(
    [answer?.get("call-id"), answer?.get("from-tag"), answer?.get("to-tag"), answer?.get("sdp")],
    [key, "core", "ue", WEBRTC],
  );
  bench.asks(ue, { method: "BYE", uri: "sip:bob@10.0.0.2", cseq: 2, ...inDialog(routesOf(invite).ue) });
  await bench.request1("BYE");
  await until("delete", () => bench.told.includes(`delete ${key}`));
  assert.deepEqual(bench.told, [`offer ${key}`, `answer ${key}`, `delete ${key}`]);
});

test("always: what a browser offers leaves as RTP/AVP; answers of several forks come back in their order", async (t) => {
  const bench = await MediaBench.start(t, {
    engage: "always",
    interfaces: { ue: "pub", core: "in" },
    codecs: ["AMR"],
  });
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.asks(ue, { body: WEBRTC });
  const invite = await bench.request1("INVITE");
  assert.match(invite.message.body, TO_RTP);
  assert.match(invite.message.top("Record-Route") ?? "", /^<sip:10\.0\.0\.1:5058/);
  const [offer] = bench.rtpengines[0]?.commands ?? [];
  assert.deepEqual(offer?.get("direction"), ["pub", "in"]);
  assert.deepEqual(offer?.get("codec"), new Map([["transcode", ["AMR"]]]));
  bench.answers(invite, 183, [], RTP);
  bench.answers(invite, 180);
  bench.answers(invite, 200, ["Contact: <sip:bob@10.9.9.9>"], RTP);
  const order: number[] = [];
  for (let count = 0; count < 3; count++) {
    const { message } = await bench.next("a response", (one) => one.message.status > 100);
    order.push(message.status);
    if (message.status !== 180) assert.match(message.body, TO_WEBRTC);
  }
  assert.deepEqual(order, [183, 180, 200]);
});

test("auto: what a browser offers goes on as it is, to be converted where it reaches a phone that cannot understand it", async (t) => {
  const bench = await MediaBench.start(t);
  const browser = bench.ue(40_000, "WS");
  const phone = bench.ue(40_001);
  bench.register(browser);
  bench.register(phone, "carol");
  bench.asks(browser, { body: WEBRTC });
  assert.equal((await bench.request1("INVITE")).message.body, WEBRTC);
  bench.invite(browser, WEBRTC, "call2");
  assert.equal((await bench.request1("INVITE")).message.body, WEBRTC);
  bench.invite(phone, RTP, "call3");
  assert.equal((await bench.request1("INVITE")).message.body, RTP);
  assert.equal(bench.told.length, 0);
  bench.invite(phone, WEBRTC, "call4");
  const invite = await bench.request1("INVITE");
  assert.match(invite.message.body, TO_RTP);
  bench.answers(invite, 200, ["Contact: <sip:carol@10.1.1.1>"], RTP);
  assert.match((await bench.response(200)).message.body, TO_WEBRTC);
  assert.deepEqual(
    bench.told.map((one) => one.split("/")[0]),
    ["offer call4", "answer call4"],
  );
});

test("RFC 4568: a phone that offers SRTP with keys of SDES is answered with it, the browser hears nothing of them", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.invite(ue, sdpOf("RTP/SAVP", 40_000));
  const invite = await bench.request1("INVITE");
  assert.match(invite.message.body, TO_WEBRTC);
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  assert.match((await bench.response(200)).message.body, /^m=audio 30000 RTP\/SAVP 0\r$/m);
  const [offer, answer] = bench.rtpengines[0]?.commands ?? [];
  assert.deepEqual(offer?.get("SDES"), ["off"]);
  assert.equal(answer?.get("transport-protocol"), undefined);
  assert.equal(answer?.get("SDES"), undefined);
});

test("offers inside a dialog pass the gateway of its Record-Route both ways, at any member of the pool", async (t) => {
  const bench = await MediaBench.start(t, {}, 3);
  const phone = bench.ue(40_001);
  bench.register(phone);
  bench.invite(phone, WEBRTC);
  const invite = await bench.request1("INVITE");
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], RTP);
  await bench.response(200);
  const routes = routesOf(invite);
  const [key] = bench.told[0]?.split(" ").slice(1) ?? [];
  // Another member of the pool, which has seen nothing of the call.
  const other = MediaBench.at(t, bench.rtpengines, bench.clock, {});
  const sameUe = other.ue(40_001);
  other.register(sameUe);
  other.asks(sameUe, {
    method: "UPDATE",
    uri: "sip:bob@10.0.0.2",
    cseq: 2,
    body: RTP,
    ...inDialog(routes.ue),
  });
  const update = await other.request1("UPDATE");
  assert.match(update.message.body, TO_WEBRTC);
  other.answers(update, 200, [], WEBRTC);
  assert.match((await other.response(200)).message.body, TO_RTP);
  other.asks(other.core1, { uri: "sip:alice@10.1.1.1", cseq: 3, body: WEBRTC, ...inDialog(routes.core) });
  const reinvite = await other.request1("INVITE");
  assert.match(reinvite.message.body, TO_RTP);
  other.answers(reinvite, 200, ["Contact: <sip:alice@10.1.1.1>"], RTP);
  assert.match((await other.response(200)).message.body, TO_WEBRTC);
  other.asks(other.core1, { method: "BYE", uri: "sip:alice@10.1.1.1", cseq: 4, ...inDialog(routes.core) });
  await until("delete", () => bench.told.includes(`delete ${key}`));
  const used = bench.rtpengines.filter(({ commands }) => commands.length > 0);
  assert.equal(used.length, 1, "one gateway has all of it");
  assert.deepEqual(
    used[0]?.told.map((one) => one.split(" ")[0]),
    ["offer", "answer", "offer", "answer", "offer", "answer", "delete"],
  );
});

test("RFC 3264 §4: an offer in a 2xx, or in a reliable 183, is converted; the answer is in the ACK, or in the PRACK", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.invite(ue, undefined);
  const invite = await bench.request1("INVITE");
  assert.equal(invite.message.body, "");
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  assert.match((await bench.response(200)).message.body, TO_RTP);
  const ack = { method: "ACK", uri: "sip:alice@10.1.1.1", body: RTP, ...inDialog(routesOf(invite).core) };
  bench.asks(bench.core1, ack);
  const acknowledged = await bench.request1("ACK");
  assert.equal(acknowledged.flow, ue);
  assert.match(acknowledged.message.body, TO_WEBRTC);
  assert.deepEqual(
    bench.told.map((one) => one.split(" ")[0]),
    ["offer", "answer"],
  );

  bench.invite(ue, undefined, "call2");
  const reliable = await bench.request1("INVITE");
  bench.answers(reliable, 183, ["Require: 100rel", "RSeq: 1"], WEBRTC);
  assert.match((await bench.response(183)).message.body, TO_RTP);
  const prack = { method: "PRACK", uri: "sip:alice@10.1.1.1", callId: "call2", cseq: 2, body: RTP };
  bench.asks(bench.core1, { ...prack, ...inDialog(routesOf(reliable).core) });
  assert.match((await bench.request1("PRACK")).message.body, TO_WEBRTC);
  assert.deepEqual(
    bench.told.slice(2).map((one) => one.split(" ")[0]),
    ["offer", "answer"],
  );
  // Every further offer of a PRACK is one (RFC 6337 §2.2).
  bench.asks(bench.core1, { ...prack, cseq: 3, ...inDialog(routesOf(reliable).core) });
  await bench.request1("PRACK");
  assert.equal(bench.told[4]?.split(" ")[0], "offer");
});

test("a call that fails, and one that is cancelled while the gateway is asked, leave no session there", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.invite(ue, RTP);
  const invite = await bench.request1("INVITE");
  bench.answers(invite, 486);
  await bench.response(486);
  await until("delete", () => bench.told.length === 2);
  assert.equal(bench.told[1], bench.told[0]?.replace("offer", "delete"));

  const [rtpengine] = bench.rtpengines;
  assert.ok(rtpengine);
  rtpengine.loses = 1;
  const headers = [`Route: ${bench.pathOf(ue)}`];
  bench.asks(bench.core1, {
    uri: "sip:alice@10.1.1.1",
    callId: "call2",
    branch: "z9hG4bKx",
    body: RTP,
    headers,
  });
  await until("the offer", () => bench.told.length === 3);
  bench.asks(bench.core1, {
    method: "CANCEL",
    uri: "sip:alice@10.1.1.1",
    callId: "call2",
    branch: "z9hG4bKx",
    contact: null,
  });
  await bench.response(487);
  bench.clock.advance(150);
  await until("delete", () => bench.told.length === 5);
  assert.equal(bench.told[4], bench.told[3]?.replace("offer", "delete"));
  assert.deepEqual(
    bench.sent().filter(({ message }) => message.method === "INVITE"),
    [],
  );
});

test("a gateway that is silent, says no or says nonsense: the call is refused with 488 in time, or goes on as it is if the operator wants that", async (t) => {
  for (const manner of ["silent", "refuses", "garbage", "withoutSdp"] as const)
    for (const onFailure of ["refuse", "pass"] as const) {
      const bench = await MediaBench.start(t, { onFailure });
      const ue = bench.ue(40_000, "WS");
      bench.register(ue);
      const [rtpengine] = bench.rtpengines;
      assert.ok(rtpengine);
      rtpengine.manner = manner;
      bench.invite(ue, RTP);
      await until("the offer", () => rtpengine.commands.length === 1);
      if (manner === "silent") bench.clock.advance(1_000);
      if (onFailure === "refuse") {
        const { message } = await bench.response(488);
        assert.match(message.header("Warning") ?? "", /^399 /);
        continue;
      }
      const invite = await bench.request1("INVITE");
      assert.equal(invite.message.body, RTP, manner);
      bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
      assert.equal((await bench.response(200)).message.body, WEBRTC, "its answer neither");
      if (manner !== "silent") continue;
      // Known to be down: nobody waits for it.
      bench.invite(ue, RTP, "call2");
      await bench.request1("INVITE");
    }
});

test("TS 24.229 §5.2.10: an emergency call of a browser reaches the PSAP as RTP/AVP, and goes on as it is when no gateway answers", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.asks(ue, { uri: "sip:112@example.com", body: WEBRTC });
  const invite = await bench.request1("INVITE");
  assert.equal(invite.message.requestUri, "urn:service:sos");
  assert.match(invite.message.body, TO_RTP);
  bench.answers(invite, 200, ["Contact: <sip:psap@10.9.9.9>"], RTP);
  assert.match((await bench.response(200)).message.body, TO_WEBRTC);
  const [rtpengine] = bench.rtpengines;
  assert.ok(rtpengine);
  rtpengine.manner = "silent";
  bench.asks(ue, { uri: "sip:112@example.com", callId: "call2", body: WEBRTC });
  await until("the offer", () => rtpengine.told.length === 3);
  bench.clock.advance(1_000);
  assert.equal((await bench.request1("INVITE")).message.body, WEBRTC);
});

test("a second gateway takes what the first one does not answer", async (t) => {
  const bench = await MediaBench.start(t, {}, 2);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  for (const rtpengine of bench.rtpengines) await until("pings", () => rtpengine.pings === 1);
  bench.invite(ue, RTP);
  await bench.request1("INVITE");
  const first = bench.rtpengines.find(({ commands }) => commands.length === 1);
  const second = bench.rtpengines.find((one) => one !== first);
  assert.ok(first && second);
  first.manner = "silent";
  bench.invite(ue, RTP, "call1");
  await until("the offer", () => first.commands.length === 2);
  bench.clock.advance(1_000);
  const invite = await bench.request1("INVITE");
  assert.match(invite.message.body, TO_WEBRTC);
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  await bench.response(200);
  bench.asks(bench.core1, {
    method: "BYE",
    uri: "sip:alice@10.1.1.1",
    cseq: 2,
    ...inDialog(routesOf(invite).core),
  });
  await until("delete", () => second.told.length === 3);
  assert.deepEqual(
    second.told.map((one) => one.split(" ")[0]),
    ["offer", "answer", "delete"],
  );
});

test("a call that a server joins to another kind of phone later is converted too, and ended", async (t) => {
  const bench = await MediaBench.start(t);
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.invite(ue, WEBRTC);
  const invite = await bench.request1("INVITE");
  bench.answers(invite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  await bench.response(200);
  const { core } = routesOf(invite);
  bench.asks(bench.core1, { uri: "sip:alice@10.1.1.1", cseq: 2, body: RTP, ...inDialog(core) });
  const reinvite = await bench.request1("INVITE");
  assert.match(reinvite.message.body, TO_WEBRTC);
  bench.answers(reinvite, 200, ["Contact: <sip:alice@10.1.1.1>"], WEBRTC);
  assert.match((await bench.response(200)).message.body, TO_RTP);
  bench.asks(bench.core1, { method: "BYE", uri: "sip:alice@10.1.1.1", cseq: 3, ...inDialog(core) });
  await until("delete", () => bench.told.length === 3);
  assert.deepEqual(bench.told, ["offer call1", "answer call1", "delete call1"]);
});

test("a 2xx of one more phone does not end the media of the first when it is hung up", async (t) => {
  const bench = await MediaBench.start(t, { engage: "always" });
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  bench.asks(ue, { body: WEBRTC });
  const invite = await bench.request1("INVITE");
  bench.answers(
    invite,
    200,
    [
      "Contact: <sip:bob@10.9.9.9>",
      `Record-Route: ${SPROUT_ROUTE}, ${invite.message.values("Record-Route").join(", ")}`,
    ],
    RTP,
  );
  const ok = await bench.response(200);
  const routes = [...ok.message.values("Record-Route")].reverse().join(", ");
  const bye = (tag: string, cseq: number) =>
    bench.asks(ue, {
      method: "BYE",
      uri: "sip:bob@10.9.9.9",
      cseq,
      to: `<sip:bob@example.com>;tag=${tag}`,
      headers: [`Route: ${routes}`],
    });
  bye("t2", 2);
  await bench.request1("BYE");
  bye("t1", 3);
  await bench.request1("BYE");
  await until("delete", () => bench.told.length === 3);
  assert.deepEqual(
    bench.told.map((one) => one.split(" ")[0]),
    ["offer", "answer", "delete"],
  );
});

test("neither a body in a form that cannot be read nor one without media concerns a gateway", async (t) => {
  const bench = await MediaBench.start(t, { engage: "always" });
  const ue = bench.ue(40_000, "WS");
  bench.register(ue);
  for (const [callId, body, type] of [
    ["a", "v=0\r\ns=-\r\n", []],
    ["b", WEBRTC, ["Content-Encoding: gzip"]],
    ["c", RTP, []],
  ] as const) {
    bench.asks(ue, { callId, body, headers: type });
    assert.equal((await bench.request1("INVITE")).message.body, body);
  }
  assert.equal(bench.told.length, 0);
  assert.ok(
    only(bench.request(bench.ue(1), { body: WEBRTC })).message.status === 403,
    "a stranger's costs nothing",
  );
});
