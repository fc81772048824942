import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClock } from "@ims/runtime/testing";
import { ApplicationServers } from "../../src/scscf/application-servers.ts";

test("an application server that cannot be reached or fails is told of once a minute, each by itself", async () => {
  const clock = fakeClock();
  const told: string[] = [];
  const servers = new ApplicationServers({
    clock,
    originate: () => assert.fail("a failure that was heard of needs no poll"),
    identifiers: () => "1",
    scscfUri: "sip:scscf.example.com",
    side: "core",
    onFailure: (server, status) => told.push(`${server} ${status}`),
  });
  servers.failed("sip:mmtel.example.com", 503);
  servers.failed("sip:mmtel.example.com", 503);
  servers.failed("__proto__", 500);
  assert.deepEqual(told, ["sip:mmtel.example.com 503", "__proto__ 500"]);
  await clock.advanceAsync(60_000);
  servers.failed("sip:mmtel.example.com", 408);
  assert.deepEqual(told.slice(2), ["sip:mmtel.example.com 408"]);
  // Names come from criteria: whatever there are of them, memory has a bound.
  for (let n = 0; n < 5_000; n++) servers.failed(`sip:as${n}.example.com`, 503);
  assert.equal(told.length, 5_003);
});
