import assert from "node:assert/strict";
import { test } from "node:test";
import { readModel } from "../../src/model/model.ts";
import { securityRules } from "../../src/model/security-rules.ts";

const read = readModel();
assert.ok(read.kind === "model");
const rules = securityRules(read.model);
const of = (vdu: string, direction: string): string[] =>
  rules
    .filter((rule) => rule.vdu === vdu && rule.direction === direction)
    .map(
      ({ network, protocol, port, last, remote }) =>
        `${network} ${port === last ? port : `${port}-${last}`}/${protocol} ${remote.name}`,
    )
    .sort();

test("from the DMZ nothing leads to management or core but sprout's SIP ports; names are asked, and media relayed, on the access network", () => {
  assert.deepEqual(of("bono", "egress"), [
    "access 1024-65535/udp ue",
    "access 53/tcp dns",
    "access 53/udp dns",
    "mw 5052/tcp sprout",
    "mw 5054/tcp sprout",
    "mw 5057/tcp sprout",
  ]);
});

test("user equipment reaches the P-CSCF on the access network and nothing else", () => {
  const open = rules.filter(({ remote }) => remote.name === "ue");
  assert.deepEqual([...new Set(open.map(({ vdu, network }) => `${vdu} ${network}`))], ["bono access"]);
});

test("who comes from UEs to homer comes by a proxy on the management network", () => {
  const open = rules.filter(({ remote }) => remote.name === "ut-proxy");
  assert.deepEqual(
    open.map(({ vdu, network, protocol, port }) => `${vdu} ${network} ${port}/${protocol}`),
    ["homestead management 7887/tcp"],
  );
});

test("other networks and PBXs reach the IBCF on the access network and nothing else", () => {
  const open = rules.filter(({ remote }) => remote.name === "peer-network");
  assert.deepEqual(
    open.map(({ vdu, network, protocol, port }) => `${vdu} ${network} ${port}/${protocol}`).sort(),
    ["bono access 5070/tcp", "bono access 5070/udp", "bono access 5071/tcp"],
  );
});

test("the stores are reached by the core and by each other", () => {
  assert.deepEqual(of("vellum", "ingress"), [
    "core 11211/tcp sprout",
    "core 2378/tcp ellis",
    "core 2378/tcp homestead",
    "core 2378/tcp sprout",
    "core 2378/tcp vellum",
    "core 2379/tcp ellis",
    "core 2379/tcp homestead",
    "core 2379/tcp sprout",
    "core 2379/tcp vellum",
    "core 2380/tcp vellum",
    "core 7000/tcp vellum",
    "core 9042/tcp ellis",
    "core 9042/tcp homestead",
    "core 9042/tcp sprout",
    "management 22/tcp operator",
  ]);
});

test("a portal takes HTTPS from its users, and asks stores, homer, homestead and the nodes it shows; nobody on Mw or access", () => {
  assert.deepEqual(of("ellis", "ingress"), [
    "management 22/tcp operator",
    "management 8443/tcp portal-user",
    "management 9105/tcp monitoring",
  ]);
  assert.deepEqual(of("ellis", "egress"), [
    "core 2378/tcp vellum",
    "core 2379/tcp vellum",
    "core 7888/tcp homestead",
    "core 9042/tcp vellum",
    "management 123/udp ntp",
    "management 8889/tcp homestead",
    "management 9102/tcp sprout",
    "management 9103/tcp homestead",
  ]);
});

test("a pool that a deployment leaves out opens nothing, and nothing is open to it", () => {
  const without = securityRules(read.model, new Set());
  assert.ok(!without.some(({ vdu, remote }) => vdu === "ellis" || remote.name === "ellis"));
  assert.ok(!without.some(({ remote }) => remote.name === "portal-user"));
  assert.deepEqual(securityRules(read.model, new Set(["ellis"])), rules);
});

test("whoever may open a connection has the egress rule to the other side's ingress rule", () => {
  for (const rule of rules.filter(({ remote }) => remote.kind === "vdu")) {
    const mirrored = rules.some(
      (other) =>
        other.vdu === rule.remote.name &&
        other.remote.name === rule.vdu &&
        other.direction !== rule.direction &&
        other.network === rule.network &&
        other.port === rule.port &&
        other.protocol === rule.protocol,
    );
    assert.ok(mirrored, JSON.stringify(rule));
  }
});

test("reserved ports open nothing", () => {
  assert.ok(!rules.some(({ port }) => port === 5053 || port === 8080));
});
