import assert from "node:assert/strict";
import { test } from "node:test";
import { type DnsResolver, type PoolsFileInput, parsePoolsFile, poolResolver } from "@ims/runtime";
import { fakeResolver } from "@ims/runtime/testing";
import { PoolZone } from "../../src/pool/pool-zone.ts";
import { samplePools } from "./sample-pools.ts";

function resolverOf(
  pools: PoolsFileInput,
  dns: DnsResolver = fakeResolver(),
  site?: string,
  near?: readonly string[],
): DnsResolver {
  const parsed = parsePoolsFile(JSON.stringify(pools));
  assert.equal(parsed.kind, "pools");
  const place = { site, near };
  const zone = new PoolZone((parsed as { pools: ConstructorParameters<typeof PoolZone>[0] }).pools, place);
  const { members } = zone;
  return poolResolver(
    { zone, members, isMember: () => false, problem: undefined, onChange: () => () => {}, stop() {} },
    dns,
  );
}

async function srv(resolver: DnsResolver, name: string): Promise<string[]> {
  const answer = await resolver.srv(name);
  return answer.kind === "found"
    ? answer.records.map(({ priority, target, port }) => `${priority} ${target}:${port}`)
    : [answer.kind];
}

async function addresses(resolver: DnsResolver, name: string, family: 4 | 6 = 4): Promise<readonly string[]> {
  const answer = await resolver.addresses(name, family);
  return answer.kind === "found" ? answer.records : [answer.kind];
}

test("RFC 3263 §4.2: SRV of a pool names all members alike, of a member the member first and then the others", async () => {
  const resolver = resolverOf(samplePools({ sprout: 3 }));
  assert.deepEqual(await srv(resolver, "_sip._tcp.scscf.sprout.example.com"), [
    "0 sprout-1.sprout.example.com:5054",
    "0 sprout-2.sprout.example.com:5054",
    "0 sprout-3.sprout.example.com:5054",
  ]);
  assert.deepEqual(await srv(resolver, "_SIP._tcp.Sprout-2.sprout.example.com."), [
    "0 sprout-2.sprout.example.com:5052",
    "1 sprout-1.sprout.example.com:5052",
    "1 sprout-3.sprout.example.com:5052",
  ]);
  assert.deepEqual(await srv(resolver, "_sip._udp.scscf.sprout-3.sprout.example.com"), [
    "0 sprout-3.sprout.example.com:5054",
    "1 sprout-1.sprout.example.com:5054",
    "1 sprout-2.sprout.example.com:5054",
  ]);
  assert.deepEqual(await addresses(resolver, "sprout-2.sprout.example.com"), ["127.0.2.2"]);
  assert.deepEqual(await srv(resolver, "_diameter._tcp.homestead.example.com"), ["notFound"]);
});

test("RFC 3263 §4.1: NAPTR of a pool lists its transports in the order of the file", async () => {
  const answer = await resolverOf(samplePools({ sprout: 1 })).naptr("scscf.sprout.example.com");
  assert.deepEqual(
    answer.kind === "found" && answer.records.map((one) => [one.preference, one.services, one.replacement]),
    [
      [10, "SIP+D2T", "_sip._tcp.scscf.sprout.example.com"],
      [20, "SIP+D2U", "_sip._udp.scscf.sprout.example.com"],
    ],
  );
});

test("A and AAAA of a pool come in turn, each family for itself", async () => {
  const pools = samplePools({ bono: 2 });
  const bono = pools.pools[1];
  bono?.members[1]?.addresses.push("FD00:0:0::2");
  const resolver = resolverOf(pools);
  assert.deepEqual(await addresses(resolver, "bono.example.com"), ["127.0.1.1", "127.0.1.2"]);
  assert.deepEqual(await addresses(resolver, "bono.example.com"), ["127.0.1.2", "127.0.1.1"]);
  assert.deepEqual(await addresses(resolver, "bono.example.com", 6), ["fd00::2"]);
  assert.deepEqual(await addresses(resolver, "bono-1.bono.example.com", 6), ["notFound"]);
});

test("a member that drains is left out of its pool but found by name; when all drain, all are found", async () => {
  const pools = samplePools({ sprout: 2 });
  const drain = (index: number): void => {
    const member = pools.pools[0]?.members[index];
    if (member !== undefined) member.draining = true;
  };
  drain(0);
  const one = resolverOf(pools);
  assert.deepEqual(await srv(one, "_sip._tcp.icscf.sprout.example.com"), [
    "0 sprout-2.sprout.example.com:5052",
  ]);
  assert.deepEqual(await addresses(one, "icscf.sprout.example.com"), ["127.0.2.2"]);
  assert.equal((await srv(one, "_sip._tcp.sprout-1.sprout.example.com")).length, 2);
  assert.deepEqual(await srv(one, "_sip._tcp.sprout-2.sprout.example.com"), [
    "0 sprout-2.sprout.example.com:5052",
  ]);
  drain(1);
  assert.equal((await srv(resolverOf(pools), "_sip._tcp.icscf.sprout.example.com")).length, 2);
});

test("what is addressed to a member that has left reaches the others of its pool", async () => {
  const resolver = resolverOf(samplePools({ bono: 2, sprout: 1 }));
  assert.deepEqual(await srv(resolver, "_sip._tcp.bono-7.bono.example.com"), [
    "1 bono-1.bono.example.com:5058",
    "1 bono-2.bono.example.com:5058",
  ]);
  assert.deepEqual(await srv(resolver, "_sip._udp.scscf.sprout-7.sprout.example.com"), [
    "1 sprout-1.sprout.example.com:5054",
  ]);
  for (const name of [
    "_sip._tcp.x-7.bono.example.com",
    "_sip._tls.bono-7.bono.example.com",
    "__proto__.bono.example.com",
  ])
    assert.deepEqual(await srv(resolver, name), ["notFound"]);
});

test("other names are asked of the DNS, those of pools never", async () => {
  const dns = fakeResolver({ "peer.example.net": { a: ["192.0.2.7"] }, "example.com": { a: ["192.0.2.8"] } });
  const resolver = resolverOf(samplePools({ bono: 1 }), dns);
  assert.deepEqual(await addresses(resolver, "peer.example.net"), ["192.0.2.7"]);
  assert.deepEqual(await addresses(resolver, "example.com"), ["192.0.2.8"]);
  assert.deepEqual(await addresses(resolver, "no.bono.example.com"), ["notFound"]);
  assert.deepEqual(dns.asked, ["A peer.example.net", "A example.com"]);
});

test("a member may have ports of its own", async () => {
  const pools = samplePools({ sprout: 1 });
  const [sprout] = pools.pools[0]?.members ?? [];
  if (sprout !== undefined) sprout.ports = { "5054": 15054 };
  const resolver = resolverOf(pools);
  assert.deepEqual(await srv(resolver, "_sip._tcp.scscf.sprout.example.com"), [
    "0 sprout-1.sprout.example.com:15054",
  ]);
  assert.deepEqual(await srv(resolver, "_sip._tcp.icscf.sprout.example.com"), [
    "0 sprout-1.sprout.example.com:5052",
  ]);
});

test("two sites: members of one's own come first, also when one of them is asked for by name; those of the other site last", async () => {
  const pools = samplePools({ sprout: 4 });
  pools.pools[0]?.members.forEach((member, index) => {
    member.site = index < 2 ? "east" : "west";
  });
  const [east, west, none] = ["east", "west", ""].map((site) => resolverOf(pools, undefined, site));
  assert.ok(east && west && none);
  const pool = "_sip._tcp.scscf.sprout.example.com";
  const ranked = async (resolver: DnsResolver, name: string): Promise<string[]> =>
    (await srv(resolver, name)).map((one) => one.replace(".sprout.example.com:5054", "")).sort();
  assert.deepEqual(await ranked(east, pool), ["0 sprout-1", "0 sprout-2", "10 sprout-3", "10 sprout-4"]);
  assert.deepEqual(await ranked(west, pool), ["0 sprout-3", "0 sprout-4", "10 sprout-1", "10 sprout-2"]);
  assert.deepEqual(await ranked(none, pool), ["0 sprout-1", "0 sprout-2", "0 sprout-3", "0 sprout-4"]);
  // Whoever is named comes first wherever he is: he has what the request belongs to.
  assert.deepEqual(await ranked(east, "_sip._tcp.scscf.sprout-3.sprout.example.com"), [
    "0 sprout-3",
    "1 sprout-1",
    "1 sprout-2",
    "11 sprout-4",
  ]);
  assert.deepEqual(await ranked(east, "_sip._tcp.scscf.sprout-9.sprout.example.com"), [
    "1 sprout-1",
    "1 sprout-2",
    "11 sprout-3",
    "11 sprout-4",
  ]);
  const near = ["127.0.2.3", "127.0.2.4"];
  const far = ["127.0.2.1", "127.0.2.2"];
  assert.deepEqual(await addresses(west, "sprout.example.com"), [...near, ...far]);
  assert.deepEqual(await addresses(west, "sprout.example.com"), [...near.reverse(), ...far]);
});

test("two sites: when all of one's own have left or drain, those of the other site are all there are", async () => {
  const pools = samplePools({ sprout: 2 });
  const [own, other] = pools.pools[0]?.members ?? [];
  assert.ok(own && other);
  Object.assign(own, { site: "east", draining: true });
  other.site = "west";
  assert.deepEqual(await srv(resolverOf(pools, undefined, "east"), "_sip._tcp.icscf.sprout.example.com"), [
    "10 sprout-2.sprout.example.com:5052",
  ]);
});

test("near members: who shares a process with one of a pool asks it first, the others after it, and who has none there asks all alike", async () => {
  const pools = samplePools({ sprout: 3 });
  const near = ["sprout-2.sprout.example.com"];
  const ranked = async (resolver: DnsResolver, name: string): Promise<string[]> =>
    (await srv(resolver, name)).map((one) => one.replace(/\.sprout\.example\.com:[0-9]+$/, "")).sort();
  const pool = "_sip._tcp.scscf.sprout.example.com";
  const beside = resolverOf(pools, undefined, undefined, near);
  assert.deepEqual(await ranked(beside, pool), ["0 sprout-2", "5 sprout-1", "5 sprout-3"]);
  assert.deepEqual(await ranked(beside, "_sip._tcp.scscf.sprout-1.sprout.example.com"), [
    "0 sprout-1",
    "1 sprout-2",
    "6 sprout-3",
  ]);
  assert.deepEqual(await addresses(beside, "sprout.example.com"), ["127.0.2.2", "127.0.2.1", "127.0.2.3"]);
  // It drains: nobody is nearer than the others then.
  const own = pools.pools[0]?.members[1];
  assert.ok(own);
  own.draining = true;
  assert.deepEqual(await ranked(resolverOf(pools, undefined, undefined, near), pool), [
    "0 sprout-1",
    "0 sprout-3",
  ]);
});

test("near members: those of the other site come behind all of one's own", async () => {
  const pools = samplePools({ sprout: 3 });
  pools.pools[0]?.members.forEach((member, index) => {
    member.site = index < 2 ? "east" : "west";
  });
  const resolver = resolverOf(pools, undefined, "east", ["sprout-2.sprout.example.com"]);
  const found = await srv(resolver, "_sip._tcp.scscf.sprout.example.com");
  assert.deepEqual(found.map((one) => one.split(".")[0]).sort(), ["0 sprout-2", "10 sprout-3", "5 sprout-1"]);
});
