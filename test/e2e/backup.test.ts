import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reply } from "../support/call-flow.ts";
import { launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

test("a core loses its disk and is restored from a backup: subscribers and registrations are as they were, and who was registered is called", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "backup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const host = `127.${randomInt(30, 120)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const stateDir = join(folder, "state");
  const args = ["--state-dir", stateDir, "--no-examples", "--mmtel", "--ellis"];
  const first = await launchCore({ host, args });
  for (const user of ["alice", "bob"])
    await first.addSubscriber({
      ...{ impi: `${user}@example.com`, impus: [`sip:${user}@example.com`], password: "secret" },
    });
  const [alice, bob] = [
    await SipUe.open(t, first, { user: "alice" }),
    await SipUe.open(t, first, { user: "bob" }),
  ];
  const told: string[] = [];
  for (const ue of [alice, bob]) {
    const accepted = await ue.register();
    assert.equal(accepted.status, 200);
    const [, contact = "", expires] = /<([^>]+)>.*;expires=(\d+)/.exec(accepted.top("Contact") ?? "") ?? [];
    const at = Date.now();
    const expiresAt = at + Number(expires) * 1000;
    told.push(
      JSON.stringify({ aor: ue.impu, contact, expiresAt, callId: ue.callId, cseq: accepted.cseqNumber, at }),
    );
  }
  const toldFile = join(folder, "told.jsonl");
  writeFileSync(toldFile, told.join("\n"));
  const subscribers = (): Promise<string> =>
    first
      .tidewater(["subscriber", "list", "--json", "--url", first.provisioning])
      .then(({ stdout }) => stdout);
  const before = await subscribers();
  const key = join(folder, "backup.key");
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const file = join(folder, "core.backup");
  const done = async (...command: string[]): Promise<string> => {
    const ended = await first.tidewater(command);
    assert.deepEqual([ended.exitCode, ended.stderr], [0, ""], command.join(" "));
    return ended.stdout;
  };
  // While it serves.
  const taken = await done("backup", file, "--state-dir", stateDir, "--key-file", key, "--json");
  const names = (JSON.parse(taken).manifest.files as { name: string }[]).map(({ name }) => name);
  for (const name of ["subscribers.db", "simservs.db", "ellis.db", "registrations.db", "subscribers.key"])
    assert.ok(names.includes(name), name);

  for (const pid of first.pids) process.kill(pid, "SIGKILL");
  await first.stop();
  rmSync(stateDir, { recursive: true, force: true });
  await done("restore", file, "--state-dir", stateDir, "--key-file", key);
  await done("audit", "bindings", "--told", toldFile, "--state-dir", stateDir);

  const second = await launchCore({ host, args });
  t.after(() => second.stop());
  assert.equal(await subscribers(), before);
  assert.equal((await alice.register()).status, 200);
  const message = alice.request("MESSAGE", bob.impu, { callId: `${alice.callId}-m` });
  for (const route of alice.serviceRoute) message.append("Route", route);
  alice.send(message.setBody("still there?", "text/plain"));
  reply(bob, await bob.incoming("MESSAGE"), 200);
  assert.equal((await alice.final("MESSAGE")).status, 200);
});
