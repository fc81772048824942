import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePoolsFile } from "@ims/runtime";
import type { MemberRecord } from "../src/registry/member-record.ts";
import { poolsDocument } from "../src/registry/pools-document.ts";

const services = [{ protocol: "sip", transport: "tcp", port: 5052 }] as const;

function planOf(members: readonly object[]) {
  const text = JSON.stringify({
    version: 1,
    domain: "example.com",
    pools: [{ name: "sprout", services, members }],
  });
  const parsed = parsePoolsFile(text);
  return parsed.kind === "pools" ? parsed.pools : assert.fail(parsed.problem);
}

const record = (name: string): MemberRecord => ({
  ...{ pool: "sprout", name, addresses: ["127.0.2.1"] },
  state: "up",
});

test("a member whose management port has an address of its own says so in the pools file", () => {
  const document = poolsDocument(planOf([]), [{ ...record("sprout-1"), management: "192.0.2.1" }], undefined);
  const read = parsePoolsFile(JSON.stringify(document));
  assert.ok(read.kind === "pools");
  const [member] = read.pools.pools[0]?.members ?? [];
  assert.deepEqual([member?.addresses, member?.management], [["127.0.2.1"], "192.0.2.1"]);
});

test("members of the template that name a site stay beside those of the registry, the others do not count", () => {
  const plan = planOf([
    { name: "sprout-9", addresses: ["127.0.2.9"] },
    { name: "sprout-11", addresses: ["127.1.2.1"], site: "west" },
  ]);
  const names = (document: ReturnType<typeof poolsDocument>): string[] =>
    document.pools.flatMap(({ members }) => members.map(({ name, site }) => `${name} ${site ?? ""}`.trim()));
  const first = poolsDocument(plan, [record("sprout-2"), record("sprout-1")], undefined);
  assert.deepEqual(names(first), ["sprout-1", "sprout-2", "sprout-11 west"]);
  // Nobody of this site is left: those that were last, and the other site once.
  const before = planOf([...(first.pools[0]?.members ?? [])]);
  assert.deepEqual(names(poolsDocument(plan, [], before)), ["sprout-1", "sprout-2", "sprout-11 west"]);
});
