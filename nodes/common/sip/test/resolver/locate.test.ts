import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import fc from "fast-check";
import { parseUri } from "../../src/message/uri.ts";
import { parseVia } from "../../src/message/via.ts";
import {
  type DnsQueries,
  type NaptrRecord,
  SipLocator,
  type SipLocatorOptions,
} from "../../src/resolver/locate.ts";
import { orderServices, type SrvRecord } from "../../src/resolver/service-order.ts";
import type { Target } from "../../src/transport/transport.ts";

interface Zone {
  readonly naptr?: Record<string, NaptrRecord[]>;
  readonly srv?: Record<string, SrvRecord[]>;
  readonly a?: Record<string, string[]>;
  readonly aaaa?: Record<string, string[]>;
}

interface FakeDns extends DnsQueries {
  readonly asked: string[];
}

function dnsOf(zone: Zone): FakeDns {
  const asked: string[] = [];
  const answer = <T>(type: string, names: Record<string, T[]> | undefined, name: string): Promise<T[]> => {
    asked.push(`${type} ${name}`);
    return Promise.resolve(names?.[name] ?? []);
  };
  return {
    asked,
    naptr: (name) => answer("NAPTR", zone.naptr, name),
    srv: (name) => answer("SRV", zone.srv, name),
    addresses: (name, family) => (family === 4 ? answer("A", zone.a, name) : answer("AAAA", zone.aaaa, name)),
  };
}

function locatorOf(zone: Zone, options: Partial<SipLocatorOptions> = {}) {
  const dns = dnsOf(zone);
  const clock = fakeClock();
  const locator = new SipLocator({
    dns,
    clock,
    supported: ["UDP", "TCP", "TLS"],
    random: () => 0,
    cacheMs: 0,
    ...options,
  });
  return { locator, dns, clock };
}

function uri(text: string) {
  const parsed = parseUri(text);
  assert.ok(parsed, text);
  return parsed;
}

function via(text: string) {
  const parsed = parseVia(text);
  assert.ok(parsed, text);
  return parsed;
}

function short(targets: readonly Target[]): string[] {
  return targets.map(({ protocol, address, port, serverName }) =>
    [protocol, address, port, ...(serverName === undefined ? [] : [serverName])].join(" "),
  );
}

function srv(target: string, priority = 0, weight = 0, port = 5060): SrvRecord {
  return { target, priority, weight, port };
}

function naptr(services: string, replacement: string, order = 10, preference = 10, flags = "s"): NaptrRecord {
  return { services, replacement, order, preference, flags };
}

const numeric: readonly (readonly [string, readonly string[]])[] = [
  ["sip:192.0.2.1", ["UDP 192.0.2.1 5060"]],
  ["sip:192.0.2.1:5070", ["UDP 192.0.2.1 5070"]],
  ["sip:a@192.0.2.1;transport=TCP", ["TCP 192.0.2.1 5060"]],
  ["sip:a@192.0.2.1;transport=tls", ["TLS 192.0.2.1 5061"]],
  ["sips:192.0.2.1", ["TLS 192.0.2.1 5061"]],
  ["sips:192.0.2.1;transport=tcp", ["TLS 192.0.2.1 5061"]],
  ["sips:192.0.2.1;transport=udp", []],
  ["sip:[2001:db8::1]:5070", ["UDP 2001:db8::1 5070"]],
  ["sip:example.com;maddr=192.0.2.9", ["UDP 192.0.2.9 5060"]],
  ["sip:192.0.2.1;transport=sctp", []],
  ["sip:192.0.2.1:0", []],
  ["tel:+1234", []],
];
for (const [text, expected] of numeric) {
  test(`RFC 3263 §4: ${text} is answered at once with ${expected.join(", ") || "nothing"}`, () => {
    const { locator, dns } = locatorOf({});
    const targets = locator.locate(uri(text));
    assert.ok(!(targets instanceof Promise));
    assert.deepEqual(short(targets), expected);
    assert.deepEqual(dns.asked, []);
  });
}

test("RFC 3263 §4.1: NAPTR by order and preference, then SRV, then both address families", async () => {
  const { locator, dns } = locatorOf({
    naptr: {
      "example.com": [
        naptr("SIP+D2U", "_sip._udp.example.com", 20, 5),
        naptr("SIP+D2T", "_sip._tcp.other.example", 10, 20),
        naptr("sips+d2t", "_sips._tcp.example.com", 10, 10),
        naptr("SIP+D2S", "_sip._sctp.example.com", 1, 1),
        naptr("E2U+sip", "x", 1, 1, "u"),
      ],
    },
    srv: {
      "_sips._tcp.example.com": [srv("a.example.net", 0, 0, 5071)],
      "_sip._tcp.other.example": [srv("b.example.net", 2), srv("a.example.net", 1)],
      "_sip._udp.example.com": [srv("b.example.net", 0, 0, 5080)],
    },
    a: { "a.example.net": ["192.0.2.1", "192.0.2.2"], "b.example.net": ["192.0.2.3"] },
    aaaa: { "a.example.net": ["2001:db8::1"] },
  });
  assert.deepEqual(short(await locator.locate(uri("sip:bob@example.com"))), [
    "TLS 192.0.2.1 5071 example.com",
    "TLS 192.0.2.2 5071 example.com",
    "TLS 2001:db8::1 5071 example.com",
    "TCP 192.0.2.1 5060",
    "TCP 192.0.2.2 5060",
    "TCP 2001:db8::1 5060",
    "TCP 192.0.2.3 5060",
    "UDP 192.0.2.3 5080",
  ]);
  assert.ok(dns.asked.every((query) => !query.includes("sctp")));
  assert.deepEqual(short(await locator.locate(uri("sips:bob@example.com"))).length, 3);
});

test("RFC 3263 §4.1: without NAPTR the SRV of each transport in turn, without SRV the addresses", async () => {
  const zone = {
    srv: { "_sip._tcp.srv.example": [srv("h.example", 0, 0, 5099)], "_sip._udp.none.example": [srv(".")] },
    a: { "h.example": ["192.0.2.1"], "plain.example": ["192.0.2.2"] },
  };
  const { locator, dns } = locatorOf(zone);
  assert.deepEqual(short(await locator.locate(uri("sip:srv.example"))), ["TCP 192.0.2.1 5099"]);
  assert.deepEqual(dns.asked.slice(0, 3), [
    "NAPTR srv.example",
    "SRV _sip._udp.srv.example",
    "SRV _sip._tcp.srv.example",
  ]);
  assert.deepEqual(short(await locator.locate(uri("sip:plain.example"))), ["UDP 192.0.2.2 5060"]);
  assert.deepEqual(short(await locator.locate(uri("sips:plain.example"))), [
    "TLS 192.0.2.2 5061 plain.example",
  ]);
  // RFC 2782: a target of "." says that the service is not there.
  assert.deepEqual(short(await locator.locate(uri("sip:none.example"))), []);
  assert.deepEqual(short(await locator.locate(uri("sip:nowhere.example"))), []);
});

test("RFC 3263 §4.2: a port asks for addresses only, a transport for its SRV only", async () => {
  const { locator, dns } = locatorOf({
    srv: { "_sip._tcp.h.example": [srv("h.example", 0, 0, 5088)] },
    a: { "h.example": ["192.0.2.1"] },
  });
  assert.deepEqual(short(await locator.locate(uri("sip:h.example:5070"))), ["UDP 192.0.2.1 5070"]);
  assert.deepEqual(short(await locator.locate(uri("sip:h.example:5070;transport=tcp"))), [
    "TCP 192.0.2.1 5070",
  ]);
  assert.deepEqual(dns.asked, ["A h.example", "AAAA h.example", "A h.example", "AAAA h.example"]);
  dns.asked.length = 0;
  assert.deepEqual(short(await locator.locate(uri("sip:h.example;transport=tcp"))), ["TCP 192.0.2.1 5088"]);
  assert.deepEqual(dns.asked, ["SRV _sip._tcp.h.example", "A h.example", "AAAA h.example"]);
});

test("a transport that the node does not speak is not chosen", async () => {
  const { locator } = locatorOf({ a: { "h.example": ["192.0.2.1"] } }, { supported: ["TCP"] });
  assert.deepEqual(short(await locator.locate(uri("sip:192.0.2.1"))), ["TCP 192.0.2.1 5060"]);
  assert.deepEqual(short(await locator.locate(uri("sip:h.example:5070"))), ["TCP 192.0.2.1 5070"]);
  assert.deepEqual(short(await locator.locate(uri("sip:192.0.2.1;transport=udp"))), []);
  assert.deepEqual(short(await locator.locate(uri("sips:h.example"))), []);
});

test("RFC 3263 §4.3: a failed target is tried last for 30 s", async () => {
  const { locator, clock } = locatorOf({ a: { "h.example": ["192.0.2.1", "192.0.2.2", "192.0.2.3"] } });
  const order = async () =>
    short(await locator.locate(uri("sip:h.example:5060"))).map((text) => text.slice(-6, -5));
  assert.deepEqual(await order(), ["1", "2", "3"]);
  locator.failed({ protocol: "UDP", address: "192.0.2.1", port: 5060 });
  locator.failed({ protocol: "TCP", address: "192.0.2.2", port: 5060 });
  assert.deepEqual(await order(), ["2", "3", "1"]);
  clock.advance(29_000);
  assert.deepEqual(await order(), ["2", "3", "1"]);
  clock.advance(1_001);
  assert.deepEqual(await order(), ["1", "2", "3"]);
});

test("RFC 3263 §5: where the sent-by of a Via leads a response", async () => {
  const { locator } = locatorOf({
    srv: { "_sip._tcp.pool.example": [srv("h.example", 0, 0, 5054)] },
    a: { "h.example": ["192.0.2.1"], "pool.example": ["192.0.2.7"] },
  });
  const to = async (text: string) => short(await locator.locateVia(via(text)));
  assert.deepEqual(await to("SIP/2.0/TCP pool.example;branch=z9hG4bK1"), ["TCP 192.0.2.1 5054"]);
  assert.deepEqual(await to("SIP/2.0/TCP pool.example;received=192.0.2.9"), ["TCP 192.0.2.1 5054"]);
  assert.deepEqual(await to("SIP/2.0/TCP pool.example:5060;branch=z9hG4bK1"), ["TCP 192.0.2.7 5060"]);
  assert.deepEqual(await to("SIP/2.0/UDP h.example:5070;maddr=192.0.2.8;received=192.0.2.9"), [
    "UDP 192.0.2.8 5070",
  ]);
  assert.deepEqual(await to("SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1"), ["UDP 2001:db8::9 5070"]);
  assert.deepEqual(await to("SIP/2.0/SCTP h.example"), []);
});

test("RFC 3263 §4.2: targets say which of them are equals", async () => {
  const { locator } = locatorOf({
    srv: {
      "_sip._tcp.pool.example": [srv("a.example", 0, 1), srv("b.example", 0, 1), srv("c.example", 5, 1)],
      "_sip._tcp.mixed.example": [srv("a.example", 0, 1), srv("b.example", 0, 9)],
    },
    a: { "a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"], "c.example": ["192.0.2.3"] },
    aaaa: { "a.example": ["2001:db8::1"] },
  });
  const ranks = async (text: string) =>
    (await locator.locate(uri(text))).map(({ address, priority }) => `${address} ${priority ?? 0}`).sort();
  assert.deepEqual(await ranks("sip:pool.example;transport=tcp"), [
    "192.0.2.1 0",
    "192.0.2.2 0",
    "192.0.2.3 2",
    "2001:db8::1 1",
  ]);
  const mixed = await ranks("sip:mixed.example;transport=tcp");
  assert.equal(new Set(mixed.map((text) => text.split(" ")[1])).size, 3, "the draw by weight stands");
});

test("what a name led to is used at once, asked for again behind the scenes, and outlives the DNS", async () => {
  const zone = { a: { "h.example": ["192.0.2.1"] } as Record<string, string[]> };
  const { locator, dns, clock } = locatorOf(zone, { cacheMs: 1_000 });
  const ask = () => locator.locate(uri("sip:h.example:5060"));
  const first = ask();
  assert.ok(first instanceof Promise);
  assert.equal(ask() instanceof Promise, true);
  const found = await first;
  assert.equal(dns.asked.length, 2, "who asks meanwhile shares the answer");
  assert.equal(ask(), found);
  zone.a["h.example"] = ["192.0.2.1", "192.0.2.2"];
  clock.advance(1_001);
  assert.equal(ask(), found, "nobody waits");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(short(await ask()), ["UDP 192.0.2.1 5060", "UDP 192.0.2.2 5060"]);
  zone.a["h.example"] = [];
  for (let second = 0; second < 60; second++) {
    clock.advance(1_001);
    assert.equal((await ask()).length, 2);
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advance(300_000);
  await ask();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask()).length, 0);
});

test("when pools change, what was known before is not used once more", async () => {
  const zone = { a: { "h.example": ["192.0.2.1"] } as Record<string, string[]> };
  const { locator } = locatorOf(zone, { cacheMs: 60_000 });
  const ask = async () => short(await locator.locate(uri("sip:h.example:5060")));
  assert.deepEqual(await ask(), ["UDP 192.0.2.1 5060"]);
  const asking = locator.locate(uri("sip:other.example:5060"));
  zone.a["h.example"] = ["192.0.2.2"];
  locator.targetsChanged();
  assert.deepEqual(await ask(), ["UDP 192.0.2.2 5060"]);
  assert.deepEqual(await asking, []);
});

test("a zone cannot make us ask or try without end", async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => i);
  const { locator, dns } = locatorOf({
    naptr: { "big.example": many.map((i) => naptr("SIP+D2U", `s${i}`, i)) },
    srv: Object.fromEntries(many.map((i) => [`s${i}`, many.map((k) => srv(`h${k % 20}`, k, 1))])),
    a: Object.fromEntries(many.map((i) => [`h${i}`, many.slice(0, 50).map((k) => `192.0.2.${k}`)])),
  });
  const targets = await locator.locate(uri("sip:big.example"));
  assert.equal(targets.length, 32);
  assert.ok(dns.asked.length < 100, `${dns.asked.length} queries`);
});

test("RFC 2782: lower priority first, weights as probabilities, none lost", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const records = [srv("c", 2, 1), srv("zero", 1, 0), srv("light", 1, 1), srv("heavy", 1, 3)];
  const first = new Map<string, number>();
  for (let i = 0; i < 20_000; i += 1) {
    const order = orderServices(records, random);
    assert.equal(order[3]?.target, "c");
    const name = order[0]?.target ?? "";
    first.set(name, (first.get(name) ?? 0) + 1);
  }
  // Of five numbers 0..4, weight 0 gets the 0, "light" the 1, "heavy" the rest.
  assert.ok(Math.abs((first.get("heavy") ?? 0) / 20_000 - 0.6) < 0.02);
  assert.ok(Math.abs((first.get("light") ?? 0) / 20_000 - 0.2) < 0.02);
  assert.ok(Math.abs((first.get("zero") ?? 0) / 20_000 - 0.2) < 0.02);
});

test("RFC 2782: any records come out once each, ordered by priority", () => {
  const record = fc.record({
    target: fc.string(),
    priority: fc.nat(3),
    weight: fc.nat(65_535),
    port: fc.nat(65_535),
  });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1 }),
      (records, draws) => {
        let at = 0;
        const order = orderServices(records, () => draws[at++ % draws.length] ?? 0);
        assert.equal(order.length, records.length);
        assert.deepEqual(new Set(order), new Set(records));
        assert.deepEqual(
          order.map(({ priority }) => priority),
          records.map(({ priority }) => priority).sort((a, b) => a - b),
        );
      },
    ),
  );
});

test("a pool of many members leaves places for the next priority", async () => {
  const records = (count: number, priority: number): SrvRecord[] =>
    Array.from({ length: count }, (_, i) => ({
      ...{ priority, weight: 1, port: 5054 },
      target: `p${priority}-${i}.example.com`,
    }));
  const located = async (services: SrvRecord[]): Promise<string[]> => {
    const a = Object.fromEntries(services.map(({ target }, i) => [target, [`192.0.2.${i + 1}`]]));
    const byAddress = new Map(
      services.map(({ target }, i) => [`192.0.2.${i + 1}`, target.split("-")[0] ?? ""]),
    );
    const { locator } = locatorOf({ srv: { "_sip._tcp.pool.example.com": services }, a });
    const targets = await locator.locate(uri("sip:pool.example.com;transport=tcp"));
    return targets.map(({ address }) => byAddress.get(address) ?? "");
  };
  const counted = async (services: SrvRecord[]): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const group of await located(services)) counts[group] = (counts[group] ?? 0) + 1;
    return counts;
  };
  assert.deepEqual(await counted([...records(20, 0), ...records(20, 10)]), { p0: 12, p10: 4 });
  assert.deepEqual(await counted([...records(20, 0), ...records(2, 10)]), { p0: 12, p10: 2 });
  assert.deepEqual(await counted([...records(10, 0), ...records(20, 10)]), { p0: 10, p10: 6 });
  assert.deepEqual(await counted(records(20, 0)), { p0: 16 });
});
