import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reply } from "../support/call-flow.ts";
import { launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

test("the whole core is killed and started again: who was registered is called, and the audit finds every binding", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "restart-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const host = `127.${randomInt(30, 120)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const stateDir = join(folder, "state");
  const args = ["--state-dir", stateDir];
  const first = await launchCore({ host, args });
  const alice = await SipUe.open(t, first, { user: "6505550000" });
  const bob = await SipUe.open(t, first, { user: "6505550001" });
  const told: string[] = [];
  for (const ue of [alice, bob]) {
    const accepted = await ue.register();
    assert.equal(accepted.status, 200);
    const [, contact = "", expires] = /<([^>]+)>.*;expires=(\d+)/.exec(accepted.top("Contact") ?? "") ?? [];
    const at = Date.now();
    told.push(
      JSON.stringify({
        aor: ue.impu,
        contact,
        expiresAt: at + Number(expires) * 1000,
        callId: ue.callId,
        cseq: accepted.cseqNumber,
        at,
      }),
    );
  }
  const file = join(folder, "told.jsonl");
  writeFileSync(file, told.join("\n"));
  const audit = (): ReturnType<typeof first.tidewater> =>
    first.tidewater(["audit", "bindings", "--told", file, ...args, "--json"]);
  assert.deepEqual(await audit().then(({ exitCode, stderr }) => [exitCode, stderr]), [0, ""]);

  for (const pid of first.pids) process.kill(pid, "SIGKILL");
  await first.stop();
  const second = await launchCore({ host, args });
  t.after(() => second.stop());

  const after = await audit();
  assert.equal(after.exitCode, 0, after.stdout);
  // Who calls is known to the edge by its flow, which ended with it (TS 24.229 §5.2.6.3); who is called need not do anything.
  assert.equal((await alice.register()).status, 200);
  const message = alice.request("MESSAGE", bob.impu, { callId: `${alice.callId}-m` });
  for (const route of alice.serviceRoute) message.append("Route", route);
  alice.send(message.setBody("still there?", "text/plain"));
  reply(bob, await bob.incoming("MESSAGE"), 200);
  assert.equal((await alice.final("MESSAGE")).status, 200);

  // The file says that Bob was told otherwise: that is found.
  writeFileSync(
    file,
    [...told, (told[1] ?? "").replace(/"cseq":(\d+)/, (_, n: string) => `"cseq":${Number(n) + 5}`)].join(
      "\n",
    ),
  );
  const wrong = await audit();
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.stdout, /"kind":"differing"/);
});
