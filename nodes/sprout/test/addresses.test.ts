import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf } from "../src/addresses.ts";

const alone = { host: "127.0.2.1", advertisedHost: "", corePeers: [] };
const member = { host: "192.0.2.1", advertisedHost: "sprout-1.sprout.example.com", corePeers: [] };
const pools = { isMember: (address: string): boolean => address === "192.0.2.9" };

test("TS 24.229 §5.4.1.2.2: a member of a pool names the pool in its URIs, so that any member may serve them", () => {
  const one = addressesOf(member, pools);
  assert.equal(one.uriOf("scscf", 5054), "sip:scscf.sprout.example.com;transport=tcp");
  assert.equal(one.uriOf("ecscf", 5057), "sip:ecscf.sprout.example.com;transport=tcp");
  assert.equal(one.memberName, "sprout-1.sprout.example.com");
  assert.equal(addressesOf(alone).uriOf("scscf", 5054), "sip:127.0.2.1:5054;transport=tcp");
  assert.equal(addressesOf({ ...alone, host: "::1" }).uriOf("icscf", 5052), "sip:[::1]:5052;transport=tcp");
  assert.equal(addressesOf(alone).memberName, undefined);
});

test("TS 24.229 §4.4: members of pools may send to sprout, strangers not", () => {
  assert.throws(() => addressesOf(member), /--core-peers or --pools-file/);
  const { mayUse } = addressesOf({ ...member, corePeers: ["192.0.2.8"] }, pools);
  const sources = ["192.0.2.1", "192.0.2.8", "192.0.2.9", "192.0.2.10", "127.0.0.1"];
  assert.deepEqual(sources.map(mayUse), [true, true, true, false, true]);
});
