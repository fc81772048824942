import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { criteriaFile } from "../support/application-server.ts";
import { establish, inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, hostInUri, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

/** A server as somebody else writes it: plain JavaScript in a folder of its own. What it does is what the user's name begins with. */
const SERVER = `
import { setTimeout as delay } from "node:timers/promises";
export default {
  interfaceVersion: 1,
  name: "guest",
  create(host) {
    const ended = host.metrics.counter("calls_ended_total", "Calls that have ended", { how: ["bye"] });
    return {
      async onInitialRequest(call) {
        const impu = call.served?.impu ?? "";
        if (impu.startsWith("sip:throws")) throw new Error("guest throws");
        if (impu.startsWith("sip:hangs")) return delay(60_000);
        if (impu.startsWith("sip:refuses")) return call.respond(603, { reason: host.settings.reason });
        if (impu.startsWith("sip:strays")) {
          setTimeout(() => { throw new Error("guest strays"); }, 1);
          Promise.reject(new Error("guest rejects, and nobody listens"));
        }
        const copy = call.copy();
        copy.append("Subject", "by " + host.name);
        call.recordRoute(copy, host.dialogs.seal(Buffer.from(impu)));
        call.forward(copy);
      },
      onInDialogRequest(request) {
        const [route] = request.routes;
        if (request.request.method === "BYE" && typeof host.dialogs.open(route.user) !== "string")
          ended.inc({ how: "bye" });
        request.forward();
      },
    };
  },
};
`;

let core: CoreUnderTest;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "guest-server-"));
  writeFileSync(join(folder, "guest.mjs"), SERVER);
  writeFileSync(join(folder, "settings.json"), JSON.stringify({ guest: { reason: "Not Tonight" } }));
  const settings = [
    `sprout.application-servers=${join(folder, "guest.mjs")}`,
    `sprout.application-server-settings-file=${join(folder, "settings.json")}`,
    "sprout.application-server-timeout-ms=500",
  ];
  core = await launchCore({ args: ["--no-examples", ...settings.flatMap((one) => ["--set", one])] });
});
after(async () => {
  await core?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let users = 0;
/** A new user, registered; of `kind`, with the guest for calls that come. */
async function user(t: TestContext, kind?: string): Promise<SipUe> {
  const name = `${kind ?? "caller"}${++users}`;
  const servers = kind === undefined ? [] : [{ uri: `sip:guest.${core.domain}`, sessionCase: 1 as const }];
  const file = criteriaFile(core.stateDir, name, servers);
  const impi = `${name}@${core.domain}`;
  await core.addSubscriber({ impi, impus: [`sip:${impi}`], password: "secret", args: ["--ifc-file", file] });
  const ue = await SipUe.open(t, core, { user: name, password: "secret" });
  assert.equal((await ue.register()).status, 200);
  return ue;
}

async function calls(t: TestContext, kind: string): Promise<string | undefined> {
  const [alice, bob] = [await user(t), await user(t, kind)];
  const call = await establish(alice, bob, bob.impu);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);
  return call.received.header("Subject");
}

test("an application server from outside the project is in the path of a call, and sees its end by the state it left there", async (t) => {
  assert.equal(await calls(t, "works"), "by guest");
  const metrics = await (await fetch(`http://${hostInUri(core.host)}:9102/metrics`)).text();
  assert.match(metrics, /ims_as_guest_calls_ended_total\{how="bye"\} 1/);
});

test("it may answer itself, as its settings say", async (t) => {
  const [alice, bob] = [await user(t), await user(t, "refuses")];
  alice.send(inviteOf(alice, bob.impu));
  const answer = await alice.final("INVITE");
  assert.deepEqual([answer.status, /^SIP\/2\.0 603 Not Tonight/.test(answer.toString())], [603, true]);
});

test("one that throws, or hangs, is the default handling of its criterion; what it leaves behind ends no process", async (t) => {
  const pids = core.nodes.map(({ pid }) => pid);
  assert.equal(await calls(t, "throws"), undefined);
  assert.equal(await calls(t, "hangs"), undefined);
  assert.equal(await calls(t, "strays"), "by guest");
  assert.equal(await calls(t, "works"), "by guest");
  for (const pid of pids) process.kill(pid, 0);
  const lines = ["guest throws", "guest strays", "guest rejects, and nobody listens"];
  const missing = (): string[] => lines.filter((line) => !core.output().includes(line));
  // The log is written in batches.
  for (let turn = 0; turn < 50 && missing().length > 0; turn++) await delay(100);
  assert.deepEqual(missing(), []);
  assert.doesNotMatch(core.output(), /uncaught exception|unhandled rejection/);
});
