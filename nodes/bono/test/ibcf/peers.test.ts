import assert from "node:assert/strict";
import { test } from "node:test";
import { makePeers } from "../../src/ibcf/peers.ts";
import { peersFile } from "../../src/ibcf/peers-file.ts";
import { peersOf } from "../support/ibcf-bench.ts";

test("a peer is known by its addresses and networks, by default those of its targets; addresses count first", () => {
  const table = peersOf({
    peers: [
      { name: "net", addresses: ["203.0.113.0/24", "2001:db8::/32"] },
      { name: "one", targets: ["sip:203.0.113.7:5060", "sip:sbc.one.example"] },
      { name: "six", addresses: ["2001:0DB8:0::0001"] },
      { name: "closed", addresses: [], targets: ["sip:203.0.113.8"] },
    ],
  });
  for (const [address, name] of [
    ["203.0.113.7", "one"],
    ["203.0.113.8", "net"],
    ["2001:db8::1", "six"],
    ["2001:db8::2", "net"],
    ["198.51.100.1", undefined],
    ["::1", undefined],
    ["", undefined],
  ] as const)
    assert.equal(table.from(address)?.name, name, address);
});

test("a peer is chosen by the domain, then the nearest one above it, then *", () => {
  const table = peersOf({
    peers: [
      { name: "a", domains: ["a.example", "*.a.example"] },
      { name: "b", domains: ["b.a.example", "*.b.a.example"] },
      { name: "rest", domains: ["*"] },
    ],
  });
  for (const [host, name] of [
    ["a.example", "a"],
    ["x.a.example", "a"],
    ["b.a.example", "b"],
    ["y.x.b.a.example", "b"],
    ["", "rest"],
    ["__proto__", "rest"],
  ] as const)
    assert.equal(table.towards(host)?.name, name, host);
});

test("what is wrong with a file of peers is said with its place", () => {
  for (const [peers, problem] of [
    [[{ name: "Big" }], /peers\.0\.name/],
    [[{ name: "a", adresses: [] }], /peers\.0/],
    [[{ name: "a" }, { name: "a" }], /peers\.1\.name: "a" is there already/],
    [[{ name: "a", addresses: ["nowhere"] }], /peers\.0\.addresses\.0: "nowhere" is no address/],
    [[{ name: "a", addresses: ["10.0.0.0/33"] }], /peers\.0\.addresses\.0: .* is no network/],
    [[{ name: "a", addresses: ["10.0.0.0/8/8"] }], /is no address and no network/],
    [[{ name: "a", addresses: ["0.0.0.0/0"] }], /the whole world/],
    [
      [
        { name: "a", addresses: ["10.0.0.1"] },
        { name: "b", addresses: ["10.0.0.1"] },
      ],
      /peers\.1\.addresses\.0: "10\.0\.0\.1" is another peer's/,
    ],
    [
      [
        { name: "a", domains: ["X.example"] },
        { name: "b", domains: ["x.example"] },
      ],
      /peers\.1\.domains\.0: "x\.example" is another peer's/,
    ],
    [[{ name: "a", targets: ["tel:+49"] }], /peers\.0\.targets\.0: "tel:\+49" is no SIP URI/],
    [[{ name: "a", remove_headers: ["record-route"] }], /remove_headers\.0: .*cannot be omitted/],
    [[{ name: "a", incoming_numbers: [{ prefix: "x", replacement: "" }] }], /incoming_numbers\.0\.prefix/],
    [[{ name: "a", identity: { default: "bob" } }], /identity\.default/],
    [[{ name: "a", served_user: "pbx" }], /served_user/],
    [[{ name: "a", authenticate: true }], /peers\.0\.authenticate: needs a served_user/],
  ] as const) {
    const read = peersFile.safeParse({ peers });
    const issue = read.error?.issues[0];
    const made = read.success ? makePeers(read.data) : undefined;
    const said =
      issue === undefined
        ? made?.kind === "bad"
          ? made.problem
          : "accepted"
        : `${issue.path.join(".")}: ${issue.message}`;
    assert.match(said, problem);
  }
});
