import assert from "node:assert/strict";
import { test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { startCore } from "../support/core-under-test.ts";
import { engineHelpersOf } from "../support/engine-helpers.ts";
import { SipUe } from "../support/sip-ue.ts";

const BOB = "sip:6505550001@example.com";

test("--separate: bono and sprout have processes of their own, and a user who registers is called", async (t) => {
  const core = await startCore(t, { args: ["--separate"] });
  assert.equal(new Set(core.nodes.map(({ pid }) => pid)).size, 3);
  const alice = await SipUe.open(t, core, { user: "6505550000" });
  const bob = await SipUe.open(t, core, { user: "6505550001" });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  await establish(alice, bob, BOB);
});

test("bono and sprout in one process: users register and call over UDP and TCP, and after the process was killed", async (t) => {
  const core = await startCore(t);
  const [bono, sprout, homestead] = ["bono", "sprout", "homestead"].map(
    (name) => core.nodes.find((node) => node.name === name)?.pid,
  );
  assert.equal(bono, sprout);
  assert.notEqual(bono, homestead);
  for (const pid of [bono, homestead]) assert.equal(engineHelpersOf(pid), 1);

  for (const transport of ["udp", "tcp"] as const) {
    const alice = await SipUe.open(t, core, { user: "6505550000", transport });
    const bob = await SipUe.open(t, core, { user: "6505550001", transport });
    for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
    const call = await establish(alice, bob, BOB);
    if (transport === "tcp") {
      alice.send(call.inDialog("caller", "BYE"));
      reply(bob, await bob.incoming("BYE"), 200);
      assert.equal((await alice.final("BYE")).status, 200);
    } else {
      process.kill(bono ?? 0, "SIGKILL");
      // The call is there after the kill: its route, its flow tokens and who is registered are in messages and on disk.
      const bye = call.inDialog("caller", "BYE");
      const answered = bob.incoming("BYE", 60_000);
      const again = setInterval(() => alice.send(bye), 500);
      try {
        alice.send(bye);
        reply(bob, await answered, 200);
      } finally {
        clearInterval(again);
      }
      assert.equal((await alice.final("BYE")).status, 200);
    }
    for (const ue of [alice, bob])
      assert.equal((await ue.register({ contact: "*", expires: 0 })).status, 200);
  }
});
