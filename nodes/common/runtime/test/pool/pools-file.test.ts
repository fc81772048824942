import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { memberNameOf, parsePoolsFile, writePoolsFile } from "@ims/runtime";
import { samplePools } from "./sample-pools.ts";

function problemOf(value: unknown): string {
  const result = parsePoolsFile(typeof value === "string" ? value : JSON.stringify(value));
  return result.kind === "invalid" ? result.problem : "none";
}

const member = { name: "a-1", addresses: ["127.0.0.1"] };
const poolWith = (change: object): object => ({
  version: 1,
  domain: "example.com",
  pools: [{ name: "a", services: [], members: [member], ...change }],
});

test("what is wrong with a pools file is said in one line", () => {
  const sip = { protocol: "sip", transport: "tcp", port: 5060 };
  const faults: [unknown, RegExp][] = [
    ["", /^is not JSON$/],
    ["[]", /expected object/],
    [{ version: 2, pools: "of a later kind" }, /^is of version 2; version 1 is what/],
    [{ version: 0, domain: "example.com", pools: [] }, /^version: /],
    [{ version: 1, domain: "exa mple", pools: [] }, /^domain: a domain name/],
    [poolWith({ name: "__proto__" }), /^pools\.0\.name: a DNS label/],
    [poolWith({ members: [{ ...member, addresses: [] }] }), /^pools\.0\.members\.0\.addresses: /],
    [poolWith({ members: [{ ...member, addresses: ["127.1"] }] }), /an IPv4 or IPv6 address/],
    [poolWith({ members: [{ ...member, addresses: ["host.example.com"] }] }), /an IPv4 or IPv6 address/],
    [poolWith({ members: [member, member] }), /member a-1 twice/],
    [poolWith({ services: [{ ...sip, port: 0 }] }), /^pools\.0\.services\.0\.port: /],
    [poolWith({ services: [sip, { ...sip, port: 5062 }] }), /service _sip\._tcp twice/],
    [
      { version: 1, domain: "x", pools: ["a", "a"].map((name) => ({ name, services: [], members: [] })) },
      /a twice/,
    ],
    [" ".repeat(300_000), /^is too long$/],
  ];
  for (const [value, problem] of faults) assert.match(problemOf(value), problem);
  assert.equal(problemOf(poolWith({})), "none");
});

test("a pools file is replaced in one step, and what may not be written leaves the old one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pools-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "pools.json");
  await writePoolsFile(file, samplePools({ sprout: 2 }));
  const before = readFileSync(file, "utf8");
  assert.equal(problemOf(before), "none");
  await assert.rejects(writePoolsFile(file, { ...samplePools({}), domain: "not a name" }));
  assert.equal(readFileSync(file, "utf8"), before);
  await writePoolsFile(file, samplePools({ sprout: 3 }));
  assert.ok(readFileSync(file, "utf8").includes("sprout-3"));
  assert.deepEqual(readdirSync(folder), ["pools.json"]);
});

test("the name of a member is known by its form, in the file or not", () => {
  assert.deepEqual(memberNameOf("Sprout-12.sprout.Example.com."), {
    member: "sprout-12",
    pool: "sprout.example.com",
  });
  assert.deepEqual(memberNameOf("a-b-3.a-b.example.com"), { member: "a-b-3", pool: "a-b.example.com" });
  const others =
    "sprout.example.com sprout-1.bono.example.com sprout-x.sprout.example.com 127.0.2.1 sprout-1 ::1";
  for (const name of others.split(" ")) assert.equal(memberNameOf(name), undefined, name);
});
