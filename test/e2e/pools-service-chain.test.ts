import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { criteriaFile, startApplicationServer } from "../support/application-server.ts";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { runProgram } from "../support/program.ts";
import { SipUe } from "../support/sip-ue.ts";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools([
    ...["--pools", "sprout=2", "--stores", "memcached", "--no-restart"],
    ...["--set", "sprout.as-timeout-continued-ms=10000"],
  ]);
});
after(() => pools.stop());

/** Requests that a sprout has taken for the originating side so far. */
async function originated(index: number): Promise<number> {
  const response = await fetch(`http://${pools.network}.2.${index}:9102/metrics`);
  const found = /^ims_sprout_scscf_requests_total\{session_case="originating",outcome="routed"\} (\d+)/m.exec(
    await response.text(),
  );
  return Number(found?.[1] ?? 0);
}

test("TS 24.229 §5.4.3.2: a call through three application servers survives the sprout that is killed while the second one works", async (t) => {
  const alice = await SipUe.open(t, pools.bono(1), { user: "6505550000", transport: "tcp" });
  const bob = await SipUe.open(t, pools.bono(1), { user: "6505550001", transport: "tcp" });
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);

  // 1. Which sprout has Alice's calls: her next one has the same Call-ID.
  const plain = await establish(alice, bob, bob.impu);
  alice.send(plain.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  const doomed = (await originated(1)) > 0 ? 1 : 2;
  assert.equal(await originated(3 - doomed), 0);
  const other = `${pools.network}.2.${3 - doomed}`;
  const survivor = `${other}:5054`;

  // 2. Three servers. SIPp does not find another member of a pool by itself (RFC 3263 §4.3): it is told of the one that stays.
  const first = await startApplicationServer(t, "as-proxy", { other });
  const second = await startApplicationServer(t, "as-proxy", { workMs: 3_000, target: survivor });
  const third = await startApplicationServer(t, "as-proxy", { target: survivor });
  const file = criteriaFile(
    pools.stateDir,
    "chain",
    [first, second, third].map(({ uri }) => ({ uri, sessionCase: 0 as const })),
  );
  const given = await runProgram(
    [
      "subscriber",
      "update",
      `6505550000@${pools.domain}`,
      "--ifc-file",
      file,
      "--url",
      `http://${pools.network}.3.1:8889`,
    ],
    { timeoutMs: 60_000 },
  );
  assert.equal(given.exitCode, 0, given.stderr);
  assert.equal((await alice.register()).status, 200);

  // 3. The second one has it and thinks; its sprout dies.
  const invite = inviteOf(alice, bob.impu);
  alice.send(invite);
  for (const until = Date.now() + 20_000; second.logs().length === 0; ) {
    assert.ok(Date.now() < until, `the second server was not asked: ${first.logs()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.kill(pools.nodes.find(({ name }) => name === `sprout-${doomed}`)?.pid ?? 0, "SIGKILL");

  // 4. The call completes.
  const received = await bob.expect(
    ({ method, callId }) => method === "INVITE" && callId === invite.callId,
    "INVITE",
    20_000,
  );
  reply(bob, received, 180);
  await alice.expect(({ status }) => status === 180, "180", 20_000);
  reply(bob, received, 200);
  const answer = await alice.final("INVITE", 20_000);
  assert.equal(answer.status, 200);
  for (const server of [first, second, third]) {
    const { logs, errors } = await server.finish();
    assert.match(logs.join("\n"), /served[\s\S]*answered/, errors);
  }
});
