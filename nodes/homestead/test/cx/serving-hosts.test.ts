import assert from "node:assert/strict";
import { test } from "node:test";
import { ServingHosts } from "../../src/cx/serving-hosts.ts";
import { notRegistered, type Registration } from "../../src/hss/subscriber.ts";

const registration: Registration = {
  state: "registered",
  authenticationPending: false,
  serverName: "sip:scscf.example.com",
  originHost: "one.example.com",
  originRealm: "example.com",
};
const server = (originHost: string, serverName = "sip:scscf.example.com") => ({
  serverName,
  originHost,
  originRealm: "example.com",
});

test("TS 29.228 §6.1.3.1: RTR and PPR go to the host recorded, to another one of its name when it is away", () => {
  const connected = new Set(["one.example.com", "two.example.com", "other.example.com"]);
  const servers = new ServingHosts((host) => connected.has(host));
  servers.note(server("other.example.com", "sip:other.example.com"));
  servers.note(server("two.example.com"));
  const destinationRealm = "example.com";
  const one = { destinationHost: "one.example.com", destinationRealm };
  assert.deepEqual(servers.destinationOf(registration), one);
  connected.delete("one.example.com");
  assert.deepEqual(servers.destinationOf(registration), {
    destinationHost: "two.example.com",
    destinationRealm,
  });
  connected.delete("two.example.com");
  assert.deepEqual(servers.destinationOf(registration), one);
  assert.equal(servers.destinationOf(notRegistered), undefined);
  assert.equal(servers.destinationOf({ ...registration, state: "notRegistered" }), undefined);
});

test("a flood of names behind S-CSCFs is forgotten, oldest first", () => {
  const servers = new ServingHosts((host) => host === "h0.example.com" || host === "h1500.example.com");
  for (let i = 0; i <= 1500; i++) servers.note(server(`h${i}.example.com`));
  assert.equal(servers.destinationOf(registration)?.destinationHost, "h1500.example.com");
});
