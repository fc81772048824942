import assert from "node:assert/strict";
import { test } from "node:test";
import { cassandraYaml, javaArguments } from "../../../src/up/cassandra/configuration.ts";

const hosts = ["127.0.5.1", "127.0.5.2", "127.0.5.3"];
const node = (host: string) => ({ host, hosts, folder: "/data/a", cqlPort: 9042, storagePort: 7000 });
const yaml = (host: string): string => cassandraYaml(node(host));
const tokenOf = (host: string): bigint => BigInt(/^initial_token: (.*)$/m.exec(yaml(host))?.[1] ?? "");

test("three nodes share the ring of 2^64 tokens evenly", () => {
  const [first = 0n, second = 0n, third = 0n] = hosts.map(tokenOf);
  assert.equal(first, -(2n ** 63n));
  assert.equal(second - first, 2n ** 64n / 3n);
  assert.ok(third - second - (second - first) <= 1n);
});

test("every node is a seed, listens on its own address and acknowledges what it has written through", () => {
  const text = yaml("127.0.5.2");
  assert.match(text, /seeds: "127\.0\.5\.1:7000,127\.0\.5\.2:7000,127\.0\.5\.3:7000"/);
  assert.match(text, /^listen_address: 127\.0\.5\.2$/m);
  assert.match(text, /^rpc_address: 127\.0\.5\.2$/m);
  assert.match(text, /^commitlog_sync: batch$/m);
});

test("no management port is opened, and the heap is what was asked for", () => {
  const args = javaArguments(node("127.0.5.1"), 256);
  assert.deepEqual(
    args.filter((arg) => /^-D.*jmx/.test(arg)),
    [],
  );
  assert.ok(args.includes("-Xmx256m"));
});

test("a node that comes into a ring draws tokens, bootstraps from its seeds and takes the place of a dead one", () => {
  const ring = { seeds: ["127.0.5.2"], replaces: "127.0.5.3" };
  const text = cassandraYaml({ ...node("127.0.5.1"), ring });
  assert.match(text, /seeds: "127\.0\.5\.2:7000"/);
  assert.match(text, /^auto_bootstrap: true$/m);
  assert.doesNotMatch(text, /initial_token/);
  const args = javaArguments({ ...node("127.0.5.1"), ring, jmxPort: 7199 }, 256);
  assert.ok(args.includes("-Dcassandra.replace_address_first_boot=127.0.5.3"));
  assert.ok(args.includes("-Dcassandra.jmx.local.port=7199"));
});
