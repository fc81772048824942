import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchPools, type PoolsUnderTest } from "../support/pools-under-test.ts";
import { runProgram } from "../support/program.ts";
import { hasXmllint, notified, subscribeTo, told } from "../support/reg-event.ts";
import { SipUe } from "../support/sip-ue.ts";

const skip = hasXmllint() ? false : "xmllint is not installed (scripts/install-test-tools)";

let pools: PoolsUnderTest;
before(async () => {
  pools = await launchPools([
    ...["--pools", "sprout=2", "--stores", "memcached", "--no-restart"],
    ...["--set", "sprout.min-expires=1"],
  ]);
});
after(() => pools.stop());

/** Subscriptions that a sprout has taken. */
async function begun(index: number): Promise<number> {
  const response = await fetch(`http://${pools.network}.2.${index}:9102/metrics`);
  const found = /^ims_sprout_reg_event_subscriptions_total\{outcome="begun"\} (\d+)/m.exec(
    await response.text(),
  );
  return Number(found?.[1] ?? 0);
}

test("TS 24.229 §5.4.2.1: the sprout that took the subscription is killed: what changes, lapses and is ended later is told by the other one", {
  skip,
}, async (t) => {
  const first = await SipUe.open(t, pools.bono(1), { user: "6505550000" });
  assert.equal((await first.register()).status, 200);
  const { ok, notify } = await subscribeTo(first);
  assert.equal(notify.header("CSeq"), "1 NOTIFY");
  const [mine, doomed] = [first.localPort, (await begun(1)) > 0 ? 1 : 2];
  process.kill(pools.nodes.find(({ name }) => name === `sprout-${doomed}`)?.pid ?? 0, "SIGKILL");

  // 1. Another UE of the user comes and lapses.
  const second = await SipUe.open(t, pools.bono(1), { user: "6505550000" });
  const other = second.localPort;
  assert.equal((await second.register({ expires: 2 })).status, 200);
  const came = await notified(first);
  assert.equal(came.header("CSeq"), "2 NOTIFY");
  assert.equal(came.fromTag, ok.toTag);
  const aor = "sip:6505550000@example.com";
  assert.equal(told(came)[0], `${aor} active: registered ${mine}, registered ${other}`);
  const lapsed = await notified(first);
  assert.equal(told(lapsed)[0], `${aor} active: registered ${mine}, expired ${other}`);

  // 2. The subscription is refreshed in its dialog, by a member that did not begin it.
  const refresh = first.request("SUBSCRIBE", /<([^>]+)>/.exec(ok.top("Contact") ?? "")?.[1] ?? "", {
    to: ok.header("To") ?? "",
    callId: ok.callId,
  });
  for (const route of ok.values("Record-Route").reverse()) refresh.append("Route", route);
  refresh.append("Event", "reg").append("Contact", first.contact).append("Expires", "1000");
  first.send(refresh);
  assert.equal((await first.final("SUBSCRIBE")).header("Expires"), "1000");
  assert.equal((await notified(first)).header("Subscription-State"), "active;expires=1000");

  // 3. The operator ends the registration (RTR).
  const args = ["deregister", "6505550000@example.com", "--url", `http://${pools.network}.3.1:8889`];
  const ended = await runProgram(["subscriber", ...args], { timeoutMs: 60_000 });
  assert.equal(ended.exitCode, 0, ended.stderr);
  const last = await notified(first);
  assert.match(last.header("Subscription-State") ?? "", /^terminated/);
  assert.equal(told(last)[0], `${aor} terminated: rejected ${mine}`);
});
