import assert from "node:assert/strict";
import { test } from "node:test";
import { coturnConfiguration, peerRange } from "@ims/api";

test("networks of both families are written as ranges; what is none is not", () => {
  for (const [network, range] of [
    ["10.20.2.0/24", "10.20.2.0-10.20.2.255"],
    ["10.20.2.77/24", "10.20.2.0-10.20.2.255"],
    ["0.0.0.0/0", "0.0.0.0-255.255.255.255"],
    ["192.0.2.1", "192.0.2.1-192.0.2.1"],
    ["fd00:20:3::/48", "fd00:20:3:0:0:0:0:0-fd00:20:3:ffff:ffff:ffff:ffff:ffff"],
    ["::1", "0:0:0:0:0:0:0:1-0:0:0:0:0:0:0:1"],
    ["::ffff:0:0/96", "0:0:0:0:0:ffff:0:0-0:0:0:0:0:ffff:ffff:ffff"],
    ["2001:db8::7:0:0:1/128", "2001:db8:0:0:7:0:0:1-2001:db8:0:0:7:0:0:1"],
  ] as const)
    assert.equal(peerRange(network), range, network);
  for (const wrong of [
    "",
    "10.20.2.0/33",
    "10.20.2/24",
    "fe80::1%eth0",
    "::/129",
    "10.0.0.0/8/8",
    "a/b",
    "1.2.3.4/-1",
  ])
    assert.equal(peerRange(wrong), undefined, wrong);
});

const OPTIONS = {
  ...{ secret: "a secret of 22 characters", realm: "example.com", folder: "/run/turn" },
  addresses: ["198.51.100.7", "2001:db8::7"],
  denied: ["10.20.2.0/24", "fd00:20:2::/64"],
};

test("coturn relays UDP on both families, for who has credentials, and to no network of the operator or of this machine", () => {
  const lines = coturnConfiguration(OPTIONS).split("\n");
  for (const line of [
    ...[
      "listening-ip=198.51.100.7",
      "relay-ip=198.51.100.7",
      "listening-ip=2001:db8::7",
      "relay-ip=2001:db8::7",
    ],
    ...[
      "use-auth-secret",
      "no-tcp-relay",
      "no-cli",
      "no-multicast-peers",
      "min-port=49152",
      "max-port=65535",
    ],
    "denied-peer-ip=10.20.2.0-10.20.2.255",
    "denied-peer-ip=127.0.0.0-127.255.255.255",
    "denied-peer-ip=169.254.0.0-169.254.255.255",
    "denied-peer-ip=fd00:20:2:0:0:0:0:0-fd00:20:2:0:ffff:ffff:ffff:ffff",
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(!lines.includes("allow-loopback-peers"));
  assert.throws(
    () => coturnConfiguration({ ...OPTIONS, denied: ["core"] }),
    /"core" is no address or network/,
  );
});

test("only one that is on loopback alone relays on loopback, to its own address", () => {
  const lab = coturnConfiguration({ ...OPTIONS, addresses: ["127.3.2.1"] }).split("\n");
  assert.ok(lab.includes("allow-loopback-peers"));
  assert.deepEqual(
    lab.filter((line) => line.startsWith("allowed-peer-ip=")),
    ["allowed-peer-ip=127.3.2.1"],
  );
  assert.ok(
    !coturnConfiguration({ ...OPTIONS, addresses: ["127.3.2.1", "192.0.2.1"] }).includes("allow-loopback"),
  );
});
