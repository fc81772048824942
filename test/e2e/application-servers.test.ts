import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import {
  type ApplicationServerUnderTest,
  criteriaFile,
  startApplicationServer,
} from "../support/application-server.ts";
import { type EstablishedCall, establish, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

/** Short, so that a silent server does not make the tests long; long enough for a busy machine. */
const CONTINUED_MS = 1_500;

let core: CoreUnderTest;
before(async () => {
  core = await launchCore({ args: ["--set", `sprout.as-timeout-continued-ms=${CONTINUED_MS}`] });
});
after(() => core.stop());

let users = 0;
/** A new user, registered. */
async function user(t: TestContext, servers: Parameters<typeof criteriaFile>[2] = []): Promise<SipUe> {
  const name = `as-user-${++users}`;
  const file = criteriaFile(core.stateDir, name, servers);
  const impi = `${name}@${core.domain}`;
  await core.addSubscriber({ impi, impus: [`sip:${impi}`], password: "secret", args: ["--ifc-file", file] });
  const ue = await SipUe.open(t, core, { user: name, password: "secret" });
  assert.equal((await ue.register()).status, 200);
  return ue;
}

async function hangUp(call: EstablishedCall, caller: SipUe, callee: SipUe): Promise<void> {
  caller.send(call.inDialog("caller", "BYE"));
  reply(callee, await callee.incoming("BYE"), 200);
  assert.equal((await caller.final("BYE")).status, 200);
}

const originating = ({ uri }: ApplicationServerUnderTest) => ({ uri, sessionCase: 0 as const });
const terminating = ({ uri }: ApplicationServerUnderTest) => ({ uri, sessionCase: 1 as const });

test("TS 23.218 §5.2.3: a call through two proxies of the caller and one of the callee", async (t) => {
  const [first, second, third] = await Promise.all([
    startApplicationServer(t, "as-proxy"),
    startApplicationServer(t, "as-proxy"),
    startApplicationServer(t, "as-proxy"),
  ]);
  const alice = await user(t, [originating(first), originating(second)]);
  const bob = await user(t, [terminating(third)]);
  const call = await establish(alice, bob, bob.impu);
  await hangUp(call, alice, bob);
  for (const [server, served] of [
    [first, alice],
    [second, alice],
    [third, bob],
  ] as const) {
    const { errors, logs } = await server.finish();
    assert.match(logs.join("\n"), new RegExp(`served .*${served.impu}.*\n.*answered`), errors);
  }
});

test("TS 23.218 §8.1.2: a B2BUA makes two dialogs of a call, and both end", async (t) => {
  const server = await startApplicationServer(t, "as-b2bua");
  const alice = await user(t, [originating(server)]);
  const bob = await user(t);
  const call = await establish(alice, bob, bob.impu);
  assert.notEqual(call.received.callId, call.invite.callId);
  await hangUp(call, alice, bob);
  const { errors, stats } = await server.finish();
  assert.equal(stats.successful, 1, errors);
});

for (const scenario of ["as-silent", "as-garbage"] as const)
  test(`TS 24.229 §5.4.3.2: a call goes on without a server that is ${scenario.slice(3)}, and the next one does not wait for it`, async (t) => {
    const server = await startApplicationServer(t, scenario);
    const alice = await user(t, [originating(server)]);
    const bob = await user(t);
    await hangUp(await establish(alice, bob, bob.impu), alice, bob);
    assert.match(server.logs().join("\n"), /served/);
    await server.finish();
  });

test("TS 24.229 §5.4.3.2: a server that is late is cancelled, and the call goes on without it", async (t) => {
  const server = await startApplicationServer(t, "as-late", { workMs: CONTINUED_MS + 500 });
  const alice = await user(t, [originating(server)]);
  const bob = await user(t);
  const call = await establish(alice, bob, bob.impu);
  // RFC 3261 §17.1.1.3: its 487 is acknowledged too.
  for (const until = Date.now() + 10_000; !server.logs().some((line) => line.includes("acknowledged")); ) {
    assert.ok(Date.now() < until, server.logs().join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.match(server.logs().join("\n"), /cancelled[\s\S]*acknowledged/);
  await hangUp(call, alice, bob);
});

test("TS 24.229 §5.4.3.2: a server that goes away between calls is passed over, and used at once when it is back", async (t) => {
  const before = await startApplicationServer(t, "as-proxy");
  const alice = await user(t, [originating(before)]);
  const bob = await user(t);
  await hangUp(await establish(alice, bob, bob.impu), alice, bob);
  assert.match((await before.finish()).logs.join("\n"), /answered/);
  await hangUp(await establish(alice, bob, bob.impu), alice, bob);
  const back = await startApplicationServer(t, "as-proxy", { port: before.port });
  // It is polled twice a second at first; any answer counts.
  for (const until = Date.now() + 20_000; back.logs().length === 0; ) {
    assert.ok(Date.now() < until, "it is not used again");
    await hangUp(await establish(alice, bob, bob.impu), alice, bob);
  }
  assert.match((await back.finish()).logs.join("\n"), /served/);
});
