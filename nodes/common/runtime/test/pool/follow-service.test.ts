import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { followService } from "@ims/runtime";
import {
  type FakeClock,
  type FakeResolver,
  fakeClock,
  fakeResolver,
  memoryLogger,
} from "@ims/runtime/testing";

const NAME = "_diameter._tcp.homestead.example.com";

function follow(t: TestContext): { resolver: FakeResolver; clock: FakeClock; seen: string[] } {
  const resolver = fakeResolver();
  const clock = fakeClock();
  const seen: string[] = [];
  const following = followService(NAME, { resolver, clock, log: memoryLogger() }, (targets) => {
    seen.push(targets.map(({ address, port, priority }) => `${address}:${port}/${priority}`).join(" "));
  });
  t.after(() => following.stop());
  return { resolver, clock, seen };
}

function zone(resolver: FakeResolver, hosts: Record<string, string>): void {
  const target = (name: string) => ({ priority: 0, weight: 1, port: 3868, target: name });
  resolver.set(NAME, { srv: Object.keys(hosts).map(target) });
  for (const [name, address] of Object.entries(hosts)) resolver.set(name, { a: [address] });
}

test("RFC 6733 §5.2: members found by SRV are followed as their TTL ends, in whatever order they come", async (t) => {
  const { resolver, clock, seen } = follow(t);
  await clock.advanceAsync(0);
  assert.deepEqual(seen, []);
  zone(resolver, { b: "127.0.3.2", a: "127.0.3.1" });
  await clock.advanceAsync(60_000);
  zone(resolver, { a: "127.0.3.1", b: "127.0.3.2" });
  await clock.advanceAsync(60_000);
  zone(resolver, { a: "127.0.3.1", c: "127.0.3.3" });
  await clock.advanceAsync(60_000);
  assert.deepEqual(seen, ["127.0.3.1:3868/0 127.0.3.2:3868/0", "127.0.3.1:3868/0 127.0.3.3:3868/0"]);
});

test("while the name or one of its members cannot be resolved, the last targets stay", async (t) => {
  const { resolver, clock, seen } = follow(t);
  zone(resolver, { a: "127.0.3.1", b: "127.0.3.2" });
  await clock.advanceAsync(60_000);
  resolver.set("b", "failed");
  await clock.advanceAsync(60_000);
  resolver.set(NAME, "failed");
  await clock.advanceAsync(60_000);
  resolver.set(NAME, {});
  await clock.advanceAsync(60_000);
  assert.equal(seen.length, 1);
  zone(resolver, { a: "127.0.3.1" });
  await clock.advanceAsync(60_000);
  assert.equal(seen.at(-1), "127.0.3.1:3868/0");
});
