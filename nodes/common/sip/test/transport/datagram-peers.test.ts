import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramPeers } from "../../src/transport/datagram-peers.ts";
import type { DatagramPeer } from "../../src/transport/datagram-socket.ts";
import { Ipv6Words, type WireAddress } from "../../src/transport/wire-address.ts";

function peer(wire: WireAddress, remotePort = 5060): DatagramPeer {
  return { wire, remotePort };
}

function words(...[first = 0, second = 0, third = 0, fourth = 0, scope = 0]: number[]): Ipv6Words {
  return Object.assign(new Ipv6Words(), { first, second, third, fourth, scope });
}

test("a far end is found by its address and port, whichever object names it", () => {
  const peers = new DatagramPeers();
  const wires = [0, 1, -1, 2 ** 31 - 1, "192.0.2.1", ""].map((wire) => (): WireAddress => wire);
  const octets = [[], [1], [0, 1], [0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0, 1], [-1, -1, -1, -1, 0]];
  wires.push(...octets.map((one) => () => words(...one)));
  const all = wires.flatMap((wire) => [1, 5060, 65_535].map((port) => [peer(wire(), port), wire] as const));
  for (const [one] of all) {
    assert.equal(peers.get(one), undefined);
    peers.add(one);
  }
  assert.equal(peers.size, all.length);
  for (const [one, wire] of all) assert.equal(peers.get(peer(wire(), one.remotePort)), one);
  assert.deepEqual(new Set(peers.values()), new Set(all.map(([one]) => one)));
  for (const [index, [one, wire]] of all.entries()) {
    assert.equal(peers.delete(peer(wire(), one.remotePort)), false, "another one of that address");
    assert.equal(peers.delete(one), true);
    assert.equal(peers.delete(one), false);
    assert.equal(peers.get(one), undefined);
    assert.equal(peers.size, all.length - index - 1);
  }
});

test("they are in the order in which they came", () => {
  const peers = new DatagramPeers();
  const [a, b, c] = [peer(3), peer(1), peer(2)];
  for (const one of [a, b, c]) peers.add(one);
  peers.delete(a);
  peers.add(a);
  assert.deepEqual([...peers.values()], [b, c, a]);
});

test("far ends that share a number are told apart, whichever of them goes first", () => {
  // The number of an IPv4 peer, as DatagramPeers makes it with seed 0.
  const number = (wire: number): number => Math.imul(wire, 0x9e3779b1);
  const one = peer(1, 1024);
  let wire = 2;
  while (((number(1) ^ number(wire)) & ~0x3ff) !== 0) wire += 1;
  const other = peer(wire, 1024 ^ number(1) ^ number(wire));
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    const peers = new DatagramPeers(0);
    peers.add(first);
    assert.equal(peers.get(second), undefined);
    peers.add(second);
    assert.deepEqual([peers.get(first), peers.get(second), peers.size], [first, second, 2]);
    peers.delete(first);
    assert.deepEqual([peers.get(first), peers.get(second), peers.size], [undefined, second, 1]);
    peers.add(first);
    assert.deepEqual([peers.get(first), peers.get(second), peers.size], [first, second, 2]);
    assert.deepEqual(new Set(peers.values()), new Set([first, second]));
    assert.deepEqual([peers.delete(second), peers.delete(first), peers.size], [true, true, 0]);
  }
});
