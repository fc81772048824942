import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bed, twoMembers } from "./two-members.ts";

/** The rest of a call from the answer on: nothing of it may be lost. */
async function complete(bed: Bed): Promise<void> {
  const answer = await bed.caller.hears(200);
  bed.request("ACK", { answer });
  await bed.callee.hears("ACK");
  bed.caller.heard.length = 0;
  bed.request("BYE", { answer });
  bed.callee.answer(await bed.callee.hears("BYE"), 200);
  await bed.caller.hears(200);
  assert.equal(bed.callsOut(), 1, "the callee was called once");
}

test("a member dies after it has got the INVITE: the call completes through the other", async (t) => {
  const bed = await twoMembers(t, "invite");
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  bed.callee.answer(invite, 200);
  await complete(bed);
});

test("a member dies after its 100: the callee, called once, is heard through the other", async (t) => {
  const bed = await twoMembers(t);
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  await bed.caller.hears(100);
  bed.first.kill("SIGKILL");
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  bed.callee.answer(invite, 200);
  await complete(bed);
});

test("a member dies while it rings: the answer finds the caller", async (t) => {
  const bed = await twoMembers(t);
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  bed.first.kill("SIGKILL");
  bed.callee.answer(invite, 200);
  await complete(bed);
});

test("a member dies with the 200 in its hands: the caller gets it all the same", async (t) => {
  const bed = await twoMembers(t, "answer");
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  const before = performance.now();
  bed.callee.answer(invite, 200);
  await bed.caller.hears(200);
  const took = performance.now() - before;
  t.diagnostic(`answered after ${took.toFixed()} ms`);
  await complete(bed);
});

test("a member dies before the ACK: ACK and BYE go through the other", async (t) => {
  const bed = await twoMembers(t);
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  bed.callee.answer(invite, 180);
  bed.callee.answer(invite, 200);
  await bed.caller.hears(200);
  bed.first.kill("SIGKILL");
  await complete(bed);
});

test("a member dies while it rings, and the caller hangs up: the CANCEL reaches the callee through the other", async (t) => {
  const bed = await twoMembers(t);
  bed.request("INVITE", { branch: "z9hG4bKcall" });
  const invite = await bed.callee.hears("INVITE");
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  bed.first.kill("SIGKILL");
  bed.request("CANCEL", { branch: "z9hG4bKcall" });
  bed.callee.answer(await bed.callee.hears("CANCEL"), 200);
  bed.callee.answer(invite, 487);
  await bed.caller.hears(487);
  await bed.callee.hears("ACK");
  assert.equal(bed.callsOut(), 1);
});

test("a member hangs: what waits for it goes to the other in time, also when it wakes up again", async (t) => {
  const bed = await twoMembers(t);
  bed.request("REGISTER");
  await bed.caller.hears(200);
  await bed.watched();
  bed.first.kill("SIGSTOP");
  bed.caller.heard.length = 0;
  const before = performance.now();
  bed.request("INVITE");
  const invite = await bed.callee.hears("INVITE");
  const took = performance.now() - before;
  // The limits themselves are held by a clock of the test's own (hops.test.ts); here the machine has its say too.
  t.diagnostic(`sent to the other after ${took.toFixed()} ms`);
  bed.callee.answer(invite, 180);
  await bed.caller.hears(180);
  bed.first.kill("SIGCONT");
  await new Promise((resolve) => setTimeout(resolve, 300));
  bed.callee.answer(invite, 200);
  await complete(bed);
});
