import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type DnsResolver, nodeResolver } from "@ims/runtime";
import { dnsServer, type FakeClock, fakeClock, type DnsReply as Reply } from "@ims/runtime/testing";
import packet, { type Answer } from "dns-packet";

const A = { type: "A", name: "a.example.com", ttl: 60, data: "192.0.2.1" } as const;
const NAPTR = {
  order: 10,
  preference: 20,
  flags: "s",
  services: "SIP+D2T",
  regexp: "",
  replacement: "_sip._tcp.example.com",
};
const SRV = { priority: 1, weight: 2, port: 5060, target: "a.example.com" };

interface Setup {
  readonly resolver: DnsResolver;
  readonly clock: FakeClock;
  readonly asked: string[];
}

async function setUp(t: TestContext, replies: Record<string, Reply | null>, hosts = ""): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), "resolver-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hostsFile = join(folder, "hosts");
  writeFileSync(hostsFile, hosts);
  const { asked, ...server } = await dnsServer(t, replies);
  const clock = fakeClock();
  return { resolver: nodeResolver(clock, { servers: [server], timeoutMs: 100, hostsFile }), clock, asked };
}

test("RFC 3263 §4: NAPTR, SRV, A and AAAA come with their TTL", async (t) => {
  const { resolver } = await setUp(t, {
    "NAPTR example.com": { answers: [{ type: "NAPTR", name: "example.com", ttl: 100, data: NAPTR }] },
    "SRV _sip._tcp.example.com": {
      answers: [{ type: "SRV", name: "_sip._tcp.example.com", ttl: 50, data: SRV }],
    },
    "A a.example.com": { answers: [A, { ...A, ttl: 30, data: "192.0.2.2" }] },
    "AAAA a.example.com": { answers: [{ type: "AAAA", name: "a.example.com", ttl: 9, data: "2001:db8::1" }] },
  });
  assert.deepEqual(await resolver.naptr("example.com"), { kind: "found", records: [NAPTR], ttlSeconds: 100 });
  assert.deepEqual(await resolver.srv("_sip._tcp.example.com"), {
    kind: "found",
    records: [SRV],
    ttlSeconds: 50,
  });
  assert.deepEqual(await resolver.addresses("a.example.com", 4), {
    kind: "found",
    records: ["192.0.2.1", "192.0.2.2"],
    ttlSeconds: 30,
  });
  assert.deepEqual(await resolver.addresses("a.example.com", 6), {
    kind: "found",
    records: ["2001:db8::1"],
    ttlSeconds: 9,
  });
});

test("an answer is asked for once in its TTL, whatever the name's spelling and however many ask together", async (t) => {
  const { resolver, clock, asked } = await setUp(t, { "A a.example.com": { answers: [A] } });
  await Promise.all([resolver.addresses("a.example.com", 4), resolver.addresses("A.Example.COM.", 4)]);
  clock.advance(59_000);
  await resolver.addresses("a.example.com", 4);
  assert.deepEqual(asked, ["udp A a.example.com"]);
  clock.advance(2000);
  await resolver.addresses("a.example.com", 4);
  assert.equal(asked.length, 2);
});

test("RFC 2308 §5: a no is believed for the SOA's minimum", async (t) => {
  const soa = {
    type: "SOA",
    name: "example.com",
    ttl: 900,
    data: {
      mname: "ns.example.com",
      rname: "root.example.com",
      serial: 1,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: 5,
    },
  } as const;
  const { resolver, clock, asked } = await setUp(t, { "A no.example.com": { rcode: 3, authorities: [soa] } });
  assert.deepEqual(await resolver.addresses("no.example.com", 4), { kind: "notFound", ttlSeconds: 5 });
  clock.advance(4000);
  await resolver.addresses("no.example.com", 4);
  assert.equal(asked.length, 1);
  clock.advance(2000);
  await resolver.addresses("no.example.com", 4);
  assert.equal(asked.length, 2);
});

test("RFC 1035 §4.2: an answer that is cut off over UDP is fetched over TCP", async (t) => {
  const answers = Array.from({ length: 200 }, (_, i) => ({ ...A, data: `192.0.2.${i}` }));
  const { resolver, asked } = await setUp(t, { "A a.example.com": { answers, truncate: true } });
  const found = await resolver.addresses("a.example.com", 4);
  assert.equal(found.kind === "found" && found.records.length, 200);
  assert.deepEqual(asked, ["udp A a.example.com", "tcp A a.example.com"]);
});

test("RFC 5452: answers with another id or question, and rubbish, are passed over", async (t) => {
  const { resolver } = await setUp(t, {
    "A a.example.com": {
      answers: [A],
      before: (query) => {
        const answers: Answer[] = [{ ...A, data: "203.0.113.66" }];
        const forged = { type: "response", questions: query.questions ?? [], answers } as const;
        const id = query.id ?? 0;
        return [
          packet.encode({ ...forged, id: (id + 1) % 65536 }),
          packet.encode({ ...forged, id, questions: [{ type: "A", name: "b.example.com" }] }),
          packet.encode({ ...forged, id, questions: [{ type: "AAAA", name: "a.example.com" }] }),
          Uint8Array.of(1, 2, 3),
          new Uint8Array(),
        ];
      },
    },
  });
  const found = await resolver.addresses("a.example.com", 4);
  assert.deepEqual(found.kind === "found" && found.records, ["192.0.2.1"]);
});

test("RFC 1035 §2.3.4: a name that cannot exist is not found without a question", async (t) => {
  const { resolver, asked } = await setUp(t, {});
  for (const name of ["", "..", "a..b", `${"x".repeat(64)}.example.com`, "x.".repeat(200)]) {
    assert.equal((await resolver.addresses(name, 4)).kind, "notFound");
  }
  assert.deepEqual(asked, []);
});

test("silence and SERVFAIL are failures, and are asked again a second later", async (t) => {
  const { resolver, clock, asked } = await setUp(t, {
    "A mute.example.com": null,
    "A bad.example.com": { rcode: 2 },
  });
  assert.equal((await resolver.addresses("mute.example.com", 4)).kind, "failed");
  assert.deepEqual(await resolver.addresses("bad.example.com", 4), {
    kind: "failed",
    reason: "127.0.0.1 answered RCODE 2",
  });
  const before = asked.length;
  await resolver.addresses("bad.example.com", 4);
  assert.equal(asked.length, before);
  clock.advance(1500);
  await resolver.addresses("bad.example.com", 4);
  assert.ok(asked.length > before);
});

test("the next server answers when the first one is silent", async (t) => {
  const mute = await dnsServer(t, { "A a.example.com": null });
  const good = await dnsServer(t, { "A a.example.com": { answers: [A] } });
  const resolver = nodeResolver(fakeClock(), {
    servers: [mute, good],
    timeoutMs: 50,
    hostsFile: "/nonexistent",
  });
  assert.equal((await resolver.addresses("a.example.com", 4)).kind, "found");
});

test("without a server there is an answer too", async () => {
  const resolver = nodeResolver(fakeClock(), { servers: [], hostsFile: "/nonexistent" });
  assert.deepEqual(await resolver.srv("_sip._udp.example.com"), {
    kind: "failed",
    reason: "no DNS server is configured",
  });
});

test("names of the hosts file are not asked for", async (t) => {
  const { resolver, asked } = await setUp(
    t,
    {},
    "# comment\n192.0.2.9 Host.lab alias\n2001:db8::9 host.lab\nnonsense x\n",
  );
  const found = await resolver.addresses("host.LAB", 4);
  assert.deepEqual(found.kind === "found" && found.records, ["192.0.2.9"]);
  assert.equal((await resolver.addresses("host.lab", 6)).kind, "found");
  assert.equal((await resolver.addresses("alias", 4)).kind, "found");
  assert.deepEqual(asked, []);
});

test("RFC 6761 §6.3: localhost is loopback and never leaves the machine", async (t) => {
  const { resolver, asked } = await setUp(t, {});
  assert.deepEqual((await resolver.addresses("localhost", 4)) as unknown, {
    kind: "found",
    records: ["127.0.0.1"],
    ttlSeconds: 3600,
  });
  assert.equal((await resolver.addresses("localhost.", 6)).kind, "found");
  assert.equal((await resolver.naptr("localhost")).kind, "notFound");
  assert.equal((await resolver.srv("_sip._udp.localhost")).kind, "notFound");
  assert.deepEqual(asked, []);
});

test("RFC 8767 §5: while no server answers, answers that ran out are used, a day at most; a no ends that and is used too", async (t) => {
  const replies: Record<string, Reply | null> = { "A a.example.com": { answers: [A] } };
  const { resolver, clock, asked } = await setUp(t, replies);
  await resolver.addresses("a.example.com", 4);
  const old = { kind: "found", records: ["192.0.2.1"], ttlSeconds: 1 };

  replies["A a.example.com"] = { rcode: 2 };
  clock.advance(61_000);
  assert.deepEqual(await resolver.addresses("a.example.com", 4), old);
  const before = asked.length;
  clock.advance(4_000);
  assert.deepEqual(await resolver.addresses("a.example.com", 4), old);
  assert.equal(asked.length, before, "asked again too soon");

  // A silent server holds nobody up: 200 ms, not the time-outs of all tries.
  replies["A a.example.com"] = null;
  clock.advance(2_000);
  const waiting = resolver.addresses("a.example.com", 4);
  clock.advance(200);
  assert.deepEqual(await waiting, old);

  await new Promise((resolve) => setTimeout(resolve, 300)); // all tries of the resolver
  clock.advance(24 * 3600 * 1000);
  assert.equal((await resolver.addresses("a.example.com", 4)).kind, "failed");

  replies["A a.example.com"] = { answers: [{ ...A, data: "192.0.2.2" }] };
  clock.advance(6_000);
  assert.deepEqual(await resolver.addresses("a.example.com", 4), {
    ...old,
    records: ["192.0.2.2"],
    ttlSeconds: 60,
  });
  replies["A a.example.com"] = { rcode: 3 };
  clock.advance(61_000);
  assert.equal((await resolver.addresses("a.example.com", 4)).kind, "notFound");
  replies["A a.example.com"] = { rcode: 2 };
  clock.advance(31_000);
  assert.equal((await resolver.addresses("a.example.com", 4)).kind, "notFound");
});
