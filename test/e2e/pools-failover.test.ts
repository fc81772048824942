import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools(["--pools", "bono=2", "--no-restart"]);
});
after(() => pools.stop());

test("RFC 3263 §4.3: a bono that is dead is stood in for: UEs on UDP are called through another member", async (t) => {
  const alice = await SipUe.open(t, pools.bono(1), { user: "6505550000" });
  const bob = await SipUe.open(t, pools.bono(2), { user: "6505550001" });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  process.kill(pools.nodes.find(({ name }) => name === "bono-2")?.pid ?? 0, "SIGKILL");

  const call = await establish(alice, bob, bob.impu);
  assert.match(call.received.top("Via") ?? "", new RegExp(`^SIP/2.0/UDP ${pools.network}.1.1:5060`));
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);

  const again = await pools.tidewater(["restart", "bono-2"]);
  assert.match(again.stderr, /bono-2 is ready again/);
  assert.equal((await bob.register()).status, 200);
});
